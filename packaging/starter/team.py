"""Several processes that train one network together: each takes its share of every batch.

One thread per process and one exchange of gradients per step lose less time than many threads
that wait for each other within every small product.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import distributed

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Team:
    """This process's place among all; alone by default."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process reports and writes the files."""
        return self.rank == 0

    def average_gradients(self, network: torch.nn.Module) -> None:
        """Give every process the mean of all gradients."""
        if self.size == 1:
            return
        gradients = [p.grad for p in network.parameters() if p.grad is not None]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        distributed.all_reduce(flat)
        flat /= self.size
        start = 0
        for gradient in gradients:
            end = start + gradient.numel()
            gradient.copy_(flat[start:end].view_as(gradient))
            start = end

    def agree(self, number: int) -> int:
        """Return the leader's number everywhere."""
        if self.size == 1:
            return number
        shared = torch.tensor([number])
        distributed.broadcast(shared, src=0)
        return int(shared.item())


def join_team(rank: int, size: int, meeting_file: Path) -> Team:
    """Meet the other processes through a file that does not exist yet."""
    if size > 1:
        distributed.init_process_group(
            "gloo", init_method=meeting_file.absolute().as_uri(), rank=rank, world_size=size
        )
    return Team(rank, size)


def leave_team(team: Team) -> None:
    """Say goodbye to the other processes."""
    if team.size > 1:
        distributed.barrier()
        distributed.destroy_process_group()
