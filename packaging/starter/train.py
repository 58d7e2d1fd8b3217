"""Training: next-token prediction with AdamW, first on texts, then on dialogues.

The network is the project's own (``inference.native``). Every step's batch is made on the spot.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

import torch
from starter.batches import IGNORED
from starter.team import Team
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

if TYPE_CHECKING:
    from pathlib import Path

    from starter.batches import Batch

    from inference.native.network import Network

_CLIP_NORM = 1.0
_VALIDATION_BATCHES = 6
_REPORT_STEPS = 50


class MakeBatch(Protocol):
    """``BatchMaker.texts`` or ``BatchMaker.chats``."""

    def __call__(self, step: int, rows: int, length: int, *, validation: bool = False) -> Batch:
        """Return the batch of a step."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """One part of the training.

    Attributes:
        name: ``pre-training`` or ``fine-tuning``; also names the saved state.
        steps: Number of updates.
        rows: Sequences per update, B.
        length: Tokens per sequence, T.
        long_from: From this fraction of the steps on, rows are four times as long and a quarter
            as many: short rows are cheaper, and the long ones teach the far positions.
        peak_rate: Learning rate after the warm-up.
        warmup_steps: Steps from 0 to the peak.
    """

    name: str
    steps: int
    rows: int = 8
    length: int = 256
    long_from: float = 0.75
    peak_rate: float = 2e-3
    warmup_steps: int = 80

    def shape(self, step: int) -> tuple[int, int]:
        """Return rows and length of a step: as many tokens in each."""
        if step < self.long_from * self.steps:
            return self.rows, self.length
        return max(1, self.rows // 4), self.length * 4

    def rate(self, step: int) -> float:
        """Return the learning rate: linear warm-up, then half a cosine down to a twentieth."""
        if step < self.warmup_steps:
            return self.peak_rate * (step + 1) / self.warmup_steps
        done = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.peak_rate * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * done)))


@dataclass(frozen=True, slots=True)
class Figures:
    """What came out of a stage; losses in nats per token."""

    steps: int
    tokens: int
    training_loss: float
    validation_loss: float
    minutes: float


@dataclass(slots=True)
class Trainer:
    """Trains one network through one stage, and can go on where it was stopped.

    Args:
        network: Changed in place.
        batches: Where the rows come from.
        stage: How long and how fast; rows are those of the whole team.
        state_file: Saved to every ``save_every_s`` seconds, read if it is there.
        team: The processes that share the work.
        bfloat16: Multiply matrices in bfloat16; weights and updates stay float32.
        save_every_s: Seconds between two saves.
        limit_s: Fewer steps are done when a trial shows that all of them would take longer.
    """

    network: Network
    batches: MakeBatch
    stage: Stage
    state_file: Path
    team: Team = field(default_factory=Team)
    bfloat16: bool = True
    save_every_s: float = 120.0
    limit_s: float = math.inf

    def run(self) -> Figures:
        """Train to the end, or the rest of the way when there is a saved state."""
        optimizer = make_optimizer(self.network, self.stage.peak_rate)
        first, recent, minutes = self._resume(optimizer)
        if first == 0:
            self._fit_to_limit()
        started = saved = time.monotonic()
        self.network.train()
        for step in range(first, self.stage.steps):
            value = self._step(optimizer, step)
            recent = value if step == 0 else 0.95 * recent + 0.05 * value
            now = time.monotonic()
            if (step + 1) % _REPORT_STEPS == 0:
                tokens = (step + 1 - first) * self.stage.rows * self.stage.length
                self._report(step + 1, recent, tokens / (now - started))
            if step + 1 == self.stage.steps or now - saved > self.save_every_s:
                self._save(optimizer, step + 1, recent, minutes + (now - started) / 60)
                saved = now
        minutes += (time.monotonic() - started) / 60
        validation = self.validate()
        self._say(f"training {describe(recent)}, validation {describe(validation)} at the end")
        tokens = self.stage.steps * self.stage.rows * self.stage.length
        return Figures(self.stage.steps, tokens, recent, validation, minutes)

    def validate(self) -> float:
        """Return the mean loss on texts kept apart, in nats per token."""
        self.network.eval()
        losses = []
        with torch.no_grad():
            for number in range(_VALIDATION_BATCHES):
                batch = self.batches(number, 8, self.stage.length, validation=True)
                losses.append(float(self._loss(batch)))
        self.network.train()
        return sum(losses) / len(losses)

    def _step(self, optimizer: torch.optim.Optimizer, step: int) -> float:
        for group in optimizer.param_groups:
            group["lr"] = self.stage.rate(step)
        rows, length = self.stage.shape(step)
        loss = self._loss(self.batches(step, max(1, rows // self.team.size), length))
        torch.autograd.backward(loss)
        self.team.average_gradients(self.network)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _CLIP_NORM)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        return float(loss.detach())

    def _loss(self, batch: Batch) -> torch.Tensor:
        return batch_loss(self.network, batch, bfloat16=self.bfloat16)

    def _fit_to_limit(self) -> None:
        """Shorten the stage to what the limit allows, measured on a few batches."""
        if self.limit_s == math.inf:
            return
        rows, length = self.stage.shape(0)
        took = []
        for number in range(6):
            started = time.monotonic()
            batch = self.batches(number, max(1, rows // self.team.size), length)
            torch.autograd.backward(self._loss(batch))
            took.append(time.monotonic() - started)
        self.network.zero_grad(set_to_none=True)
        # The exchange, the update and the longer rows take their part too.
        possible = self.team.agree(max(1, int(self.limit_s / (sorted(took)[3] * 1.2))))
        if possible < self.stage.steps:
            self.stage = replace(self.stage, steps=possible)
            self._say(f"{possible} steps fit the time")

    def _report(self, step: int, loss: float, tokens_per_s: float) -> None:
        if not self.team.leads:
            return
        line = f"{step}/{self.stage.steps}: training {describe(loss)}"
        if step % (4 * _REPORT_STEPS) == 0:
            line += f", validation {describe(self.validate())}"
        self._say(f"{line}, {tokens_per_s:,.0f} tokens/s")

    def _say(self, text: str) -> None:
        if self.team.leads:
            print(f"{self.stage.name} {text}", flush=True)

    def _save(
        self, optimizer: torch.optim.Optimizer, step: int, loss: float, minutes: float
    ) -> None:
        if not self.team.leads:
            return
        part = self.state_file.with_suffix(".part")
        state = {
            "step": step,
            "steps": self.stage.steps,
            "loss": loss,
            "minutes": minutes,
            "network": self.network.state_dict(),
            "optimizer": optimizer.state_dict(),
        }
        torch.save(state, part)
        part.replace(self.state_file)

    def _resume(self, optimizer: torch.optim.Optimizer) -> tuple[int, float, float]:
        """Return the next step, the loss and the minutes so far."""
        if not self.state_file.is_file():
            return 0, 0.0, 0.0
        state = torch.load(self.state_file, weights_only=True)
        self.network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        self.stage = replace(self.stage, steps=int(state["steps"]))
        step = int(state["step"])
        self._say(f"goes on after step {step}")
        return step, float(state["loss"]), float(state["minutes"])


def make_optimizer(network: Network, rate: float) -> torch.optim.AdamW:
    """Return AdamW that lets matrices decay and leaves norms alone (Loshchilov & Hutter 2019)."""
    matrices = [p for p in network.parameters() if p.dim() == 2]
    others = [p for p in network.parameters() if p.dim() != 2]
    groups = [{"params": matrices, "weight_decay": 0.1}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, 0.95), fused=True)


def batch_loss(network: Network, batch: Batch, *, bfloat16: bool) -> torch.Tensor:
    """Return the mean cross-entropy of the targets, in nats."""
    device = network.token_embedding.weight.device
    with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
        logits = network(batch.inputs.to(device))  # (B, T, V)
    targets = batch.targets.to(device).flatten()  # (B*T,)
    asked = targets != IGNORED
    return F.cross_entropy(logits.flatten(0, 1)[asked].float(), targets[asked])


def bfloat16_pays(device: torch.device) -> bool:
    """Measure whether this processor multiplies faster in bfloat16; a GPU does."""
    if device.type != "cpu":
        return True
    seconds = {}
    for dtype in (torch.float32, torch.bfloat16):
        a, b = torch.randn(2048, 256).to(dtype), torch.randn(256, 512).to(dtype)
        trials = []
        for _ in range(8):
            started = time.monotonic()
            _ = a @ b
            trials.append(time.monotonic() - started)
        seconds[dtype] = min(trials)
    return seconds[torch.bfloat16] < seconds[torch.float32]


def describe(loss: float) -> str:
    """Return loss and perplexity for a log line."""
    return f"loss {loss:.3f} (perplexity {math.exp(min(loss, 20.0)):.2f})"
