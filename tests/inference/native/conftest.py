"""PyTorch with one thread: these networks are too small for more, and machines are shared."""

from __future__ import annotations

import pytest
import torch
from tqdm import tqdm


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    # transformers shows bars while it saves; their monitor thread outlives a test.
    monkeypatch.setattr(tqdm, "monitor_interval", 0)
