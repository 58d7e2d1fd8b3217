from __future__ import annotations

import pytest
import torch

from inference.errors import BackendUnavailableError, OutOfMemoryError, UnsupportedRequestError
from inference.native.device import (
    choose_device,
    choose_dtype,
    device_name,
    memory_errors_translated,
)

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
SMALL, LARGE = 1_000_000, 1_000_000_000


def test_the_cpu_is_always_there() -> None:
    device, why = choose_device("cpu")
    assert device == CPU
    assert why.endswith(".")
    assert device_name(device) == "CPU"


def test_auto_gives_a_device_and_a_reason() -> None:
    device, why = choose_device("auto")
    assert torch.ones(2, device=device).sum().item() == 2
    assert why.endswith(".")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_a_device_that_is_not_there_says_so() -> None:
    with pytest.raises(BackendUnavailableError, match="NVIDIA GPU"):
        choose_device("cuda")


def test_a_device_nobody_knows_is_refused() -> None:
    with pytest.raises(UnsupportedRequestError, match="tpu"):
        choose_device("tpu")


@pytest.mark.parametrize(
    ("stored", "parameters", "device", "chosen"),
    [
        (torch.float32, SMALL, CPU, torch.float32),
        (torch.bfloat16, SMALL, CPU, torch.float32),
        (torch.bfloat16, LARGE, CPU, torch.bfloat16),
        (torch.float16, LARGE, CPU, torch.float32),
        (torch.float32, LARGE, CPU, torch.float32),
        (torch.float16, LARGE, CUDA, torch.float16),
        (torch.bfloat16, SMALL, CUDA, torch.bfloat16),
        (torch.float32, SMALL, CUDA, torch.float32),
        (torch.float32, LARGE, CUDA, torch.bfloat16),
    ],
)
def test_the_automatic_type_is_exact_where_it_can_be(
    stored: torch.dtype, parameters: int, device: torch.device, chosen: torch.dtype
) -> None:
    assert choose_dtype("auto", stored, parameters, device) == chosen


def test_a_type_asked_for_is_taken() -> None:
    assert choose_dtype("float16", torch.float32, SMALL, CPU) == torch.float16


def test_a_type_nobody_knows_is_refused() -> None:
    with pytest.raises(UnsupportedRequestError, match="int3"):
        choose_dtype("int3", torch.float32, SMALL, CPU)


def test_an_allocation_beyond_memory_becomes_a_sentence() -> None:
    with (
        pytest.raises(OutOfMemoryError, match="Memory ran out while loading the model"),
        memory_errors_translated("loading the model"),
    ):
        torch.empty(1 << 46, dtype=torch.uint8)


def test_another_error_stays_what_it_is() -> None:
    with (
        pytest.raises(RuntimeError, match="shapes cannot be multiplied"),
        memory_errors_translated("loading the model"),
    ):
        torch.mm(torch.ones(2, 3), torch.ones(2, 3))
