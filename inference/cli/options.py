"""Options that several commands share, and how they become values of ``inference.types``."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from inference.cli.console import clean
from inference.errors import UnsupportedRequestError
from inference.types import LoadOptions, SamplingParams

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.types import ModelInfo

_LATER = "This version does not have it yet; leave the option out."


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
        help="type of the weights in memory, native engine",
    )


def add_sampling(parser: argparse.ArgumentParser) -> None:
    """Add how the answer is drawn."""
    default = SamplingParams()
    group = parser.add_argument_group("how the answer is drawn")
    group.add_argument("--max-tokens", type=whole(1), metavar="N", help="length limit")
    group.add_argument("--temperature", type=number(0), metavar="F", help="0 takes the likeliest")
    group.add_argument("--top-k", type=whole(0), metavar="N", default=default.top_k)
    group.add_argument("--top-p", type=number(0, 1), metavar="F", default=default.top_p)
    group.add_argument("--min-p", type=number(0, 1), metavar="F", default=default.min_p)
    group.add_argument("--typical-p", type=number(0, 1), metavar="F", default=default.typical_p)
    group.add_argument(
        "--repeat-penalty", type=number(0.01), metavar="F", default=default.repeat_penalty
    )
    group.add_argument(
        "--frequency-penalty", type=number(), metavar="F", default=default.frequency_penalty
    )
    group.add_argument(
        "--presence-penalty", type=number(), metavar="F", default=default.presence_penalty
    )
    group.add_argument("--seed", type=whole(0, 2**32 - 1), metavar="N", help="repeatable draws")
    group.add_argument(
        "--stop", action="append", default=[], metavar="TEXT", help="ends the answer; repeatable"
    )
    group.add_argument(
        "--strategy", choices=("sample", "greedy", "beam", "contrastive"), default="sample"
    )
    group.add_argument("--beams", type=whole(1), metavar="N", help=argparse.SUPPRESS)
    group.add_argument("--think", choices=("auto", "on", "off"), default="auto")
    group.add_argument(
        "--top", type=whole(0, 20), default=0, metavar="N", help="alternatives shown per token"
    )


def sampling_params(arguments: argparse.Namespace) -> SamplingParams:
    """Return how tokens are drawn.

    Raises:
        UnsupportedRequestError: An option that no engine here fulfils yet; it is named.
    """
    if arguments.strategy not in {"sample", "greedy"}:
        raise UnsupportedRequestError(
            f"`--strategy {arguments.strategy}` is not available.", "Choose sample or greedy."
        )
    if arguments.beams is not None:
        raise UnsupportedRequestError("`--beams` is not available.", _LATER)
    if arguments.think != "auto":
        raise UnsupportedRequestError(f"`--think {arguments.think}` is not available.", _LATER)
    temperature = arguments.temperature
    greedy = arguments.strategy == "greedy"
    if greedy and temperature:
        raise UnsupportedRequestError(
            "`--strategy greedy` always takes the likeliest token, so `--temperature` cannot act.",
            "Use one of the two.",
        )
    if temperature is None:
        temperature = SamplingParams().temperature
    return SamplingParams(
        temperature=0.0 if greedy else temperature,
        top_k=arguments.top_k,
        top_p=arguments.top_p,
        min_p=arguments.min_p,
        typical_p=arguments.typical_p,
        repeat_penalty=arguments.repeat_penalty,
        frequency_penalty=arguments.frequency_penalty,
        presence_penalty=arguments.presence_penalty,
        seed=arguments.seed,
        max_tokens=arguments.max_tokens,
        stop=tuple(clean(text) for text in arguments.stop),
    )


def load_options(arguments: argparse.Namespace, info: ModelInfo) -> LoadOptions:
    """Return how to load ``info``.

    Raises:
        UnsupportedRequestError: An option that this engine does not have; it is named, not ignored.
    """
    gpu_layers = arguments.gpu_layers
    device = arguments.device
    if arguments.dtype == "int8":
        raise UnsupportedRequestError("`--dtype int8` is not available.", _LATER)
    if info.engine == "gguf":
        if arguments.dtype != "auto":
            raise UnsupportedRequestError(
                "The gguf engine has no `--dtype`: the file fixes the type of its weights.",
                "Leave the option out, or choose a file with other weights.",
            )
        if device == "cpu":
            gpu_layers, device = 0, "auto"
        elif device != "auto":
            raise UnsupportedRequestError(
                f"The gguf engine has no `--device {device}`: it takes the GPU it was built for.",
                "Use `--gpu-layers`, or `--device cpu` for none.",
            )
    elif gpu_layers is not None:
        raise UnsupportedRequestError(
            "The native engine has no `--gpu-layers`: it runs on one device as a whole.",
            "Use `--device` instead.",
        )
    return LoadOptions(
        path=info.path,
        engine=info.engine,
        n_ctx=arguments.context,
        gpu_layers=gpu_layers,
        threads=arguments.threads,
        device=device,
        dtype=arguments.dtype,
    )
