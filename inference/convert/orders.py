"""What a process that writes a file is told, and what it tells: one JSON object per line."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

Action: TypeAlias = Literal["convert", "quantize"]
CONVERTED: Final = ("F16", "BF16", "F32", "Q8_0")
"""Types that a checkpoint folder can be written in directly."""

QUANTIZED: Final = (
    "Q8_0", "Q6_K", "Q5_K_M", "Q5_K_S", "Q5_0", "Q4_K_M", "Q4_K_S", "IQ4_NL", "Q4_0", "IQ4_XS",
    "Q3_K_M", "Q2_K",
)  # fmt: skip
"""Types that a GGUF file can be made smaller with, largest first."""

OFFERED: Final = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_0", "Q3_K_M")
"""Those of them that a person has to choose between in the window."""

WHOLE: Final = frozenset({"F32", "F16", "BF16"})
"""Types of files that nothing was taken from yet."""


class Order(msgspec.Struct, frozen=True):
    """One file to make.

    Attributes:
        action: ``convert`` a folder, or ``quantize`` a file.
        source: The folder or file.
        part: Where to write: a file that gets its real name when it is whole.
        file_type: Type of the matrices.
        name: What a converted file calls itself.
        license: Licence it names; may be empty.
        again: The file may be quantised already.
    """

    action: Action
    source: str
    part: str
    file_type: str
    name: str = ""
    license: str = ""
    again: bool = False


class Progress(msgspec.Struct, frozen=True, tag="progress"):
    """How far it is: bytes written when converting, tensors when quantising."""

    done: int
    total: int


class Made(msgspec.Struct, frozen=True, tag="made"):
    """It is written; ``notes`` are sentences about what it can less well than its source."""

    notes: tuple[str, ...] = ()


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """It was not written: an ``InferenceError`` by its wire name."""

    error: str
    message: str
    hint: str = ""
    detail: str = ""


Report: TypeAlias = Progress | Made | Refused


def encode(value: Order | Report) -> str:
    """Return one line, without its end."""
    return msgspec.json.encode(value).decode()


def decode_order(text: str) -> Order:
    """Read an order; raises ``msgspec.DecodeError``."""
    return msgspec.json.decode(text, type=Order)


def decode_report(line: bytes) -> Report:
    """Read a report; raises ``msgspec.DecodeError``."""
    report: Report = msgspec.json.decode(line, type=Report)
    return report
