"""Options that several commands share, and how they become values of ``inference.types``."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import msgspec

from inference.errors import UnsupportedRequestError
from inference.library.model_defaults import with_defaults
from inference.types import LoadOptions

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.library.model_defaults import ModelDefaults
    from inference.types import ModelInfo

LATER = "This version does not have it yet; leave the option out."
"""The hint where an option is planned, but not there."""


def whole(low: int, high: int | None = None) -> Callable[[str], int]:
    """Return an argument type for whole numbers from ``low`` to ``high``."""

    def read(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < low or (high is not None and value > high):
            limits = f"from {low} to {high}" if high is not None else f"{low} or more"
            raise argparse.ArgumentTypeError(f"{value} is out of range: it goes {limits}")
        return value

    return read


def number(low: float = -math.inf, high: float = math.inf) -> Callable[[str], float]:
    """Return an argument type for finite numbers from ``low`` to ``high``."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None
        if not (math.isfinite(value) and low <= value <= high):
            limits = f"from {low:g} to {high:g}" if high < math.inf else f"{low:g} or more"
            raise argparse.ArgumentTypeError(f"{text} is out of range: it goes {limits}")
        return value

    return read


def _gpu_layers(text: str) -> int | None:
    return None if text == "auto" else whole(0)(text)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add MODEL."""
    parser.add_argument(
        "model",
        metavar="MODEL",
        type=clean_path,
        help="an id (or unique part) from `models list`, a .gguf file, or a checkpoint folder",
    )


def clean_path(text: str) -> str:
    """Refuse an empty name, which would mean the folder one stands in."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the name is empty")
    return text


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print one JSON object per line")


def add_load_options(parser: argparse.ArgumentParser) -> None:
    """Add how the model is brought into memory."""
    group = parser.add_argument_group("how the model is loaded")
    group.add_argument("--engine", choices=("auto", "gguf", "native"), default="auto")
    group.add_argument("--context", type=whole(1), metavar="N", help="context in tokens")
    group.add_argument(
        "--gpu-layers",
        type=_gpu_layers,
        metavar="auto|N",
        help="layers on the GPU, gguf engine (auto: as many as fit)",
    )
    group.add_argument("--device", choices=("auto", "cpu", "cuda", "mps"), default="auto")
    group.add_argument("--threads", type=whole(1, 512), metavar="N", help="processor threads")
    group.add_argument(
        "--dtype",
        choices=("auto", "float32", "bfloat16", "float16", "int8"),
        default="auto",
        help="type of the weights in memory, native engine; int8 on the processor only",
    )
    group.add_argument(
        "--compile",
        choices=("auto", "on", "off"),
        default="auto",
        help="compile the reading of single tokens, native engine (auto: large, on NVIDIA)",
    )


def load_options(
    arguments: argparse.Namespace, info: ModelInfo, defaults: ModelDefaults
) -> LoadOptions:
    """Return how to load ``info``: as asked for, else as was set for this model.

    Raises:
        UnsupportedRequestError: An option that this engine does not have; it is named, not ignored.
    """
    gpu_layers = arguments.gpu_layers
    device = arguments.device
    if info.engine == "gguf":
        if arguments.dtype != "auto":
            raise UnsupportedRequestError(
                f"The GGUF engine has no `--dtype {arguments.dtype}`: the file fixes the type of "
                "its weights.",
                "Leave the option out, or choose a file with other weights.",
            )
        if arguments.compile == "on":
            raise UnsupportedRequestError(
                "The GGUF engine has no `--compile on`: llama.cpp is compiled already.",
                "Leave the option out.",
            )
        if device == "cpu":
            gpu_layers, device = 0, "auto"
        elif device != "auto":
            raise UnsupportedRequestError(
                f"The GGUF engine has no `--device {device}`: it takes the GPU it was built for.",
                "Use `--gpu-layers`, or `--device cpu` for none.",
            )
    elif gpu_layers is not None:
        raise UnsupportedRequestError(
            "The native engine has no `--gpu-layers`: it runs on one device as a whole.",
            "Use `--device` instead.",
        )
    options = with_defaults(LoadOptions(info.path, info.engine), info, defaults)
    asked = {
        "n_ctx": arguments.context,
        "gpu_layers": gpu_layers,
        "threads": arguments.threads,
        "device": None if device == "auto" else device,
        "dtype": None if arguments.dtype == "auto" else arguments.dtype,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    return msgspec.structs.replace(options, **given)
