"""Both engines on tiny files, asked with exact ids, and what they say of the work they reused."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from inference.cancel import CancelToken
from inference.events import Failed, Finished, Started, TokenEvent
from inference.types import GenerationRequest, LoadOptions, PastOptions, SamplingParams
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from inference.engine import Engine

KINDS = ("native", "gguf")
N_CTX = 512
MEMORY = PastOptions(memory_bytes=64 << 20)
DISK = PastOptions(disk_bytes=64 << 20)
BOTH = PastOptions(memory_bytes=64 << 20, disk_bytes=64 << 20)


@dataclass(frozen=True)
class Said:
    """One answer."""

    ids: list[int]
    reused: int
    prompt: int


def make_model(kind: str, folder: Path, seed: int = 0) -> Path:
    """Write a tiny model of one kind."""
    if kind == "native":
        return tiny_llama(folder / f"native-{seed}", seed=seed)
    return tiny_gguf(folder / f"tiny-{seed}.gguf", seed=seed, context=N_CTX)


def options(kind: str, path: Path, past: PastOptions, **changes: object) -> LoadOptions:
    """Return options under which both engines compute a text alike however it is cut."""
    values: dict[str, object] = {"n_ctx": N_CTX, "threads": 1, "past": past}
    if kind == "native":
        return LoadOptions(str(path), "native", **(values | {"device": "cpu"} | changes))  # type: ignore[arg-type]
    exact = {"kv_cache_type": "f32", "flash_attention": False, "gpu_layers": 0}
    return LoadOptions(str(path), "gguf", **(values | exact | changes))  # type: ignore[arg-type]


def open_here(asked: LoadOptions) -> Engine:
    """Open an engine in this process."""
    if asked.engine == "native":
        from inference.native.engine import open_engine as open_native

        return open_native(asked, lambda _: None, CancelToken())
    from inference.gguf.engine import open_engine as open_gguf

    return open_gguf(asked, lambda _: None, CancelToken())


def text(length: int, seed: int = 0) -> tuple[int, ...]:
    """Return ids of ordinary tokens."""
    draw = random.Random(seed)
    return tuple(draw.randrange(20, 250) for _ in range(length))


def say(engine: Engine, ids: Sequence[int], chat: str = "", tokens: int = 12) -> Said:
    """Continue ids greedily."""
    sampling = SamplingParams(temperature=0.0, max_tokens=tokens)
    request = GenerationRequest("r", token_ids=tuple(ids), sampling=sampling, cache_key=chat)
    events = list(engine.generate(request, CancelToken()))
    assert not isinstance(events[-1], Failed), events[-1]
    started, end = events[0], events[-1]
    assert isinstance(started, Started)
    assert isinstance(end, Finished)
    assert end.usage.reused_tokens == started.reused_tokens
    said = [event.token_id for event in events if isinstance(event, TokenEvent)]
    return Said(said, started.reused_tokens, started.prompt_tokens)


def say_afresh(asked: LoadOptions, ids: Sequence[int], tokens: int = 12) -> list[int]:
    """Continue ids in an engine that has read nothing before."""
    engine = open_here(msgspec.structs.replace(asked, past=PastOptions()))
    said = say(engine, ids, tokens=tokens)
    engine.close()
    assert said.reused == 0
    return said.ids
