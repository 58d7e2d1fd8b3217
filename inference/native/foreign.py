"""Weights that were quantised for other programs, told by what a checkpoint says or looks like.

The native engine reads float32, float16 and bfloat16. No torch: the library asks, too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_METHODS: Final[Mapping[str, str]] = {
    "aqlm": "AQLM",
    "awq": "AWQ",
    "bitsandbytes": "bitsandbytes",
    "compressed-tensors": "compressed-tensors",
    "eetq": "EETQ",
    "exl2": "EXL2",
    "exl3": "EXL3",
    "fbgemm_fp8": "FP8",
    "fp8": "FP8",
    "gptq": "GPTQ",
    "hqq": "HQQ",
    "modelopt": "ModelOpt",
    "mxfp4": "MXFP4",
    "quanto": "Quanto",
    "torchao": "TorchAO",
}
_ENDINGS: Final = (  # of tensor names; the first that is there tells
    (".g_idx", "GPTQ"),
    (".qweight", "GPTQ or AWQ"),
    (".weight_packed", "compressed-tensors"),
    (".weight.absmax", "bitsandbytes"),
    (".SCB", "bitsandbytes"),
    (".weight_scale_inv", "FP8"),
    (".W_q", "HQQ"),
    (".scales", "MLX"),
)


def told_form(config: Mapping[str, Any]) -> str:
    """Return the form that a config.json names; empty if it names none."""
    found = config.get("quantization_config") or config.get("compression_config")
    if not found:
        own = config.get("quantization")
        return "MLX" if isinstance(own, dict) and "bits" in own else ""
    method = found.get("quant_method") if isinstance(found, dict) else None
    if not isinstance(method, str) or not method:
        return "a form of another program"
    return _METHODS.get(method.casefold(), method[:40])


def seen_form(tensors: Iterable[tuple[str, str]]) -> str:
    """Return the form that tensors show, by their names and types; empty if they show none."""
    listed = list(tensors)
    for ending, form in _ENDINGS:
        if any(name.endswith(ending) for name, _ in listed):
            return form
    return "FP8" if any(kind.startswith("F8_") for _, kind in listed) else ""
