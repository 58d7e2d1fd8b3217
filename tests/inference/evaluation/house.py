"""Results as they would have been measured, for what is reckoned from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.evaluation.result import Key, Result
from inference.evaluation.speed import Speed
from inference.types import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = (220.0, 180.0, 200.0, 210.0, 190.0, 205.0, 195.0, 200.0)  # nats of 100 tokens each


def info(name: str, quantization: str, **facts: object) -> ModelInfo:
    values: dict[str, object] = {"kind": "instruct", "n_layers": 16, "n_vocab": 32_000} | facts
    return ModelInfo(
        f"{name}-{quantization}".lower(), name, "", "gguf", quantization=quantization, **values
    )  # type: ignore[arg-type]  a few facts by name


def result(
    name: str,
    quantization: str,
    *,
    parts: Sequence[float] = PARTS,
    memory: int = 1_000_000_000,
    scored: int = 800,
    scored_bytes: int = 3_000,
    text: str = "t",
    **facts: object,
) -> Result:
    key = Key(f"{name}{quantization}", text, "overlap", 512, "context 512", "glasshouse 0.1.0")
    return Result(
        key=key,
        info=info(name, quantization, **({"size_bytes": memory} | facts)),
        tokens=scored + 1,
        scored=scored,
        windows=2,
        nats=sum(parts),
        scored_bytes=scored_bytes,
        text_bytes=3_000,
        parts=tuple(parts),
        speed=Speed(256, 32, (400.0, 410.0, 390.0), (20.0, 21.0, 19.0)),
        memory_bytes=memory,
        load_s=0.5,
        n_ctx=512,
        device="CPU",
        dtype=quantization,
        threads=2,
        measured_at=1.0,
    )
