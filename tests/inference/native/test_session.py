from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from inference.cancel import CancelToken
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from tests.helpers.checkpoints import tiny_llama

if TYPE_CHECKING:
    from pathlib import Path

CPU = torch.device("cpu")


def test_one_token_is_multiplied_by_pytorch_itself_and_several_by_onednn(tmp_path: Path) -> None:
    network = load_network(
        open_checkpoint(tiny_llama(tmp_path, dtype="bfloat16")), dtype=torch.bfloat16, device=CPU
    )
    seen: list[bool] = []
    network.blocks[0].register_forward_pre_hook(
        lambda _module, _inputs: seen.append(bool(torch.backends.mkldnn.enabled))
    )
    session = Session(network, 64, torch.bfloat16, CPU)
    before = bool(torch.backends.mkldnn.enabled)
    session.read([5, 6, 7], CancelToken())
    session.read([8], CancelToken())
    session.next_logits()
    assert seen == [before, False]
    assert torch.backends.mkldnn.enabled == before


@pytest.mark.parametrize(("length", "read"), [(96, [96]), (97, [64, 97])])
def test_a_rest_of_half_a_chunk_is_read_in_the_same_pass(
    tmp_path: Path, length: int, read: list[int]
) -> None:
    network = load_network(open_checkpoint(tiny_llama(tmp_path)), dtype=torch.float32, device=CPU)
    session = Session(network, 128, torch.float32, CPU)  # its first chunk is of 64
    assert list(session.prefill(list(range(5, 5 + length)), CancelToken())) == read
