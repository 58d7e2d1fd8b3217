from __future__ import annotations

import pytest
import torch

from inference.native.bandwidth import card_bandwidth, copy_bandwidth


def test_a_copy_tells_what_it_reads_and_writes() -> None:
    assert copy_bandwidth(torch.device("cpu"), 32 << 20) > 1e8


@pytest.mark.skipif(
    torch.cuda.is_available() or torch.backends.mps.is_available(), reason="there is a GPU here"
)
def test_a_card_that_pytorch_does_not_reach_has_no_speed_but_a_reason() -> None:
    speed, why = card_bandwidth("Vulkan: Some Card")
    assert speed == 0
    assert why == "PyTorch measures it, and does not reach Vulkan: Some Card"


def test_what_is_measured_fits_into_the_memory_left(monkeypatch: pytest.MonkeyPatch) -> None:
    cpu, sizes = torch.device("cpu"), []
    monkeypatch.setattr("inference.native.bandwidth._gpu", lambda: (cpu, "A Card"))

    def measured_with(free: int) -> tuple[float, str]:
        monkeypatch.setattr("inference.native.bandwidth._free_bytes", lambda _device: free)
        monkeypatch.setattr(
            "inference.native.bandwidth.copy_bandwidth",
            lambda device, size: sizes.append(size) or float(device == cpu),
        )
        return card_bandwidth("A Card")

    assert measured_with(8 << 30) == measured_with(80 << 30) == (1.0, "")
    assert sizes == [2 << 30, 4 << 30]
    assert measured_with(900 << 20) == (0.0, "the memory of A Card is full")
    assert len(sizes) == 2
