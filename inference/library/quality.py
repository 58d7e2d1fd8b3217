"""What a quantisation does to a model, in words, and how many bits a weight takes.

The words follow the increase of perplexity that llama.cpp's authors report for each type
(``tools/quantize/README.md`` of llama.cpp, Llama 3.1 8B); small models suffer more than large ones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Quality:
    """One way to store weights.

    Attributes:
        words: For people: ``Good``.
        rank: Larger is closer to the original; 0 to 9.
        bits: Bits per weight in a whole file, roughly; 0 when unknown.
    """

    words: str
    rank: int
    bits: float


_ORIGINAL, _NO_LOSS, _NEARLY = "The original", "No loss to notice", "Nearly the original"
_VERY_GOOD, _GOOD, _FAIR = "Very good", "Good", "Fair, some mistakes"
_WEAK, _POOR = "Weak, many mistakes", "Poor, for trying out only"
_UNKNOWN = Quality("Not known", 0, 0.0)

_TYPES: dict[str, Quality] = {
    "F32": Quality(_ORIGINAL, 9, 32.0),
    "F16": Quality(_ORIGINAL, 9, 16.0),
    "BF16": Quality(_ORIGINAL, 9, 16.0),
    "Q8_0": Quality(_NO_LOSS, 8, 8.5),
    "Q8_K_XL": Quality(_NO_LOSS, 8, 10.0),
    "Q8_K": Quality(_NO_LOSS, 8, 9.1),
    "Q6_K_XL": Quality(_NEARLY, 7, 7.2),
    "Q6_K_L": Quality(_NEARLY, 7, 6.8),
    "Q6_K": Quality(_NEARLY, 7, 6.56),
    "Q5_K_XL": Quality(_VERY_GOOD, 6, 5.8),
    "Q5_K_L": Quality(_VERY_GOOD, 6, 5.9),
    "Q5_K_M": Quality(_VERY_GOOD, 6, 5.7),
    "Q5_K_S": Quality(_VERY_GOOD, 6, 5.55),
    "Q5_K": Quality(_VERY_GOOD, 6, 5.7),
    "Q5_1": Quality(_VERY_GOOD, 6, 6.0),
    "Q5_0": Quality(_VERY_GOOD, 6, 5.55),
    "MXFP4": Quality("As published, four bits", 7, 4.6),
    "NVFP4": Quality("As published, four bits", 7, 4.6),
    "Q4_K_XL": Quality(_GOOD, 5, 5.0),
    "Q4_K_L": Quality(_GOOD, 5, 5.1),
    "Q4_K_M": Quality(_GOOD, 5, 4.9),
    "Q4_K": Quality(_GOOD, 5, 4.9),
    "Q4_K_S": Quality(_GOOD, 5, 4.65),
    "IQ4_NL": Quality(_GOOD, 5, 4.65),
    "IQ4_XS": Quality(_GOOD, 5, 4.45),
    "Q4_1": Quality(_GOOD, 5, 5.1),
    "Q4_0": Quality(_GOOD, 4, 4.65),
    "Q3_K_XL": Quality(_FAIR, 4, 4.4),
    "Q3_K_L": Quality(_FAIR, 3, 4.3),
    "Q3_K_M": Quality(_FAIR, 3, 4.0),
    "Q3_K": Quality(_FAIR, 3, 4.0),
    "IQ3_M": Quality(_FAIR, 3, 3.75),
    "IQ3_S": Quality(_FAIR, 3, 3.65),
    "Q3_K_S": Quality(_WEAK, 2, 3.65),
    "IQ3_XS": Quality(_WEAK, 2, 3.5),
    "IQ3_XXS": Quality(_WEAK, 2, 3.25),
    "Q2_K_XL": Quality(_WEAK, 2, 3.4),
    "Q2_K_L": Quality(_WEAK, 2, 3.4),
    "Q2_K": Quality(_WEAK, 2, 3.2),
    "Q2_K_S": Quality(_POOR, 1, 3.0),
    "IQ2_M": Quality(_POOR, 1, 2.95),
    "IQ2_S": Quality(_POOR, 1, 2.75),
    "IQ2_XS": Quality(_POOR, 1, 2.6),
    "IQ2_XXS": Quality(_POOR, 1, 2.4),
    "IQ1_M": Quality(_POOR, 1, 2.15),
    "IQ1_S": Quality(_POOR, 1, 2.0),
    "TQ2_0": Quality("Made for two bits", 5, 2.1),
    "TQ1_0": Quality("Made for two bits", 5, 1.7),
    "FLOAT32": Quality(_ORIGINAL, 9, 32.0),
    "FLOAT16": Quality(_ORIGINAL, 9, 16.0),
    "BFLOAT16": Quality(_ORIGINAL, 9, 16.0),
}
_NAMES = "|".join(sorted((name for name in _TYPES if "FLOAT" not in name), key=len, reverse=True))
_IN_NAME = re.compile(
    rf"(?<![A-Z0-9])(?P<dynamic>UD-)?(?P<type>{_NAMES}|FP16|FP32)(?P<extra>_MOE)?(?![A-Z0-9_])"
)
RECOMMENDED = ("Q4_K_M", "Q4_K_XL", "MXFP4", "Q4_K_S", "IQ4_XS", "Q4_0", "Q5_K_M", "Q8_0")
"""The version that is chosen for a person who has no wish, the first that there is."""


def quality_of(version: str) -> Quality:
    """Return what is known of a version such as ``Q4_K_M``; ``Not known`` for others."""
    name = version.upper().removeprefix("UD-").removesuffix("_MOE")
    return _TYPES.get(name, _UNKNOWN)


def version_in(file_name: str) -> str:
    """Return the quantisation that a file name states, e.g. ``Q4_K_M``; empty if it states none.

    The last one counts: ``gemma-4-E2B-qat-Q4_0.Q8_0.gguf`` holds Q8_0.
    """
    found = list(_IN_NAME.finditer(file_name.upper()))
    if not found:
        return ""
    last = found[-1]
    kind = {"FP16": "F16", "FP32": "F32"}.get(last["type"], last["type"])
    return f"{last['dynamic'] or ''}{kind}"


def rough_bytes(parameters: int, version: str) -> int | None:
    """Return about how large a file of that version is, from the number of weights."""
    bits = quality_of(version).bits
    return round(parameters * bits / 8) if bits and parameters else None
