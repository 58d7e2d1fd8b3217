from __future__ import annotations

import pytest

from inference.gguf.devices import (
    Device,
    backends,
    describe_placement,
    gpu_support,
    gpus,
    offloaded_layers,
)
from inference.library.offload import layers_that_fit

_GIB = 1024**3


def _gpu(free_gib: float) -> Device:
    return Device("CUDA0", "NVIDIA H200", int(free_gib * _GIB), 140 * _GIB)


def test_ggml_lists_its_backends() -> None:
    assert "CPU" in backends()
    assert gpu_support() or not gpus()


@pytest.mark.parametrize(
    ("free_gib", "expected"), [(0.1, 0), (1.6, 0), (2.2, 1), (3.8, 2), (10.0, 8), (12.0, 9)]
)
def test_as_many_layers_as_the_memory_holds_the_output_first(
    free_gib: float, expected: int
) -> None:
    fitting = layers_that_fit(
        [_gpu(free_gib)], layers=8, layer_bytes=_GIB, output_bytes=int(1.5 * _GIB)
    )
    assert fitting == expected


def test_a_layer_lies_on_one_device() -> None:
    halves = [_gpu(2.3), _gpu(2.3)]
    assert layers_that_fit(halves, layers=8, layer_bytes=2 * _GIB, output_bytes=1) == 1
    assert layers_that_fit(halves, layers=8, layer_bytes=_GIB, output_bytes=1) == 3
    assert layers_that_fit(halves, layers=8, layer_bytes=1, output_bytes=2 * _GIB) == 0


def test_the_log_tells_how_many_layers_went_to_the_gpu() -> None:
    lines = [
        "load_tensors: offloading 3 repeating layers",
        "load_tensors: offloaded 3/17 layers to GPU",
    ]
    assert offloaded_layers(lines) == (3, 17)
    assert offloaded_layers(["nothing of the kind"]) is None


@pytest.mark.parametrize(
    ("asked", "devices", "offloaded", "support", "words"),
    [
        (None, [], 0, False, "no GPU support"),
        (None, [], 0, True, "No GPU was found"),
        (0, [_gpu(100)], 0, True, "You chose 0 GPU layers"),
        (None, [_gpu(0.2)], 0, True, "Not one of 17 layers fits into the 0.2 GB free"),
        (None, [_gpu(100)], 17, True, "All 17 layers are on CUDA: NVIDIA H200"),
        (4, [_gpu(100)], 4, True, "4 of 17 layers are on CUDA: NVIDIA H200, as you chose"),
        (None, [_gpu(1)], 2, True, "2 of 17 layers fit into the 1.1 GB free"),
    ],
)
def test_one_sentence_says_where_the_layers_are_and_why(
    asked: int | None, devices: list[Device], offloaded: int, support: bool, words: str
) -> None:
    placement = describe_placement(asked, 17, devices, offloaded, support=support)
    assert words in placement.reason
    assert placement.reason.endswith(".")
    assert placement.gpu_layers == offloaded
    assert placement.device == ("CUDA: NVIDIA H200" if offloaded else "CPU")
