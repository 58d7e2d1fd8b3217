"""Asking the native engine, and reading its answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from inference.cancel import CancelToken
from inference.events import Failed, Finished, TokenEvent
from inference.native.engine import NativeEngine, open_engine
from inference.types import GenerationRequest, LoadOptions, Message, SamplingParams

if TYPE_CHECKING:
    from pathlib import Path

    from inference.engine import Engine
    from inference.events import EngineEvent

GREEDY = SamplingParams(temperature=0.0, max_tokens=24)
TALK = (Message("system", "Be kind."), Message("user", "Why is the sky blue?"))


def opened(folder: Path, **options: Any) -> NativeEngine:
    asked = LoadOptions(str(folder), "native", **({"device": "cpu", "threads": 1} | options))
    return open_engine(asked, lambda *_: None, CancelToken())


def request(**fields: Any) -> GenerationRequest:
    return GenerationRequest("r1", **({"sampling": GREEDY} | fields))


def events(
    engine: Engine, asked: GenerationRequest, cancel: CancelToken | None = None
) -> list[EngineEvent]:
    return list(engine.generate(asked, cancel or CancelToken()))


def ids_of(found: list[EngineEvent]) -> list[int]:
    return [event.token_id for event in found if isinstance(event, TokenEvent)]


def text_of(found: list[EngineEvent]) -> str:
    return "".join(event.text for event in found if isinstance(event, TokenEvent))


def end_of(found: list[EngineEvent]) -> Finished:
    assert isinstance(found[-1], Finished), found[-1]
    return found[-1]


def failure_of(found: list[EngineEvent]) -> Failed:
    assert isinstance(found[-1], Failed), found[-1]
    return found[-1]
