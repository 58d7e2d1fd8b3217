"""Whatever is said in whatever order, answers are those of an engine that keeps nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.cancel import CancelToken
from inference.past import folder as files
from inference.paths import app_paths
from inference.types import PastOptions
from tests.inference.past.talking import KINDS, open_here, options, say, text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.engine import Engine
    from inference.types import LoadOptions

_CHATS = st.integers(0, 2)
_TIGHT = PastOptions(memory_bytes=120_000, disk_bytes=300_000)
"""Room for one or two of the texts below, so that copies and files have to go."""
_ROOMY = PastOptions(memory_bytes=64 << 20, disk_bytes=64 << 20)

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("go on"), _CHATS, st.integers(1, 40)),
        st.tuples(st.just("branch"), _CHATS, st.integers(1, 100)),
        st.tuples(st.just("begin like"), _CHATS, _CHATS),
        st.tuples(st.just("again"), _CHATS, st.just(0)),
        st.tuples(st.just("rest"), st.just(0), st.just(0)),
        st.tuples(st.just("restart"), st.just(0), st.just(0)),
        st.tuples(st.just("forget"), _CHATS, st.just(0)),
        st.tuples(st.just("spoil"), st.integers(0, 5), st.integers(0, 99)),
        st.tuples(st.just("score"), _CHATS, st.just(0)),
        st.tuples(st.just("no chat"), _CHATS, st.just(0)),
    ),
    min_size=3,
    max_size=14,
)


@dataclass
class Talk:
    """Three chats and the engine they are with."""

    asked: LoadOptions
    engine: Engine
    chats: list[tuple[int, ...]] = field(
        default_factory=lambda: [text(60, number) for number in range(3)]
    )
    seed: int = 100
    answers: list[tuple[tuple[int, ...], list[int]]] = field(default_factory=list)

    def step(self, what: str, chat: int, number: int) -> None:
        """Do one thing; prompts and answers are written down."""
        self.seed += 1
        ids = self.chats[chat % 3]
        match what:
            case "go on":
                self.answer(chat, (*ids, *text(number, self.seed)))
            case "branch":
                cut = max(1, len(ids) * number // 100)
                self.answer(chat, (*ids[:cut], *text(10, self.seed)))
            case "begin like":
                self.answer(chat, (*self.chats[number][:50], *text(20, self.seed)))
            case "again":
                self.answer(chat, ids)
            case "no chat":
                self.answers.append((ids, say(self.engine, ids, tokens=6).ids))
            case _:
                self.other(what, chat, number)

    def other(self, what: str, chat: int, number: int) -> None:
        match what:
            case "rest":
                self.engine.rest(CancelToken())
            case "restart":
                self.engine.close()
                self.engine = open_here(self.asked)
            case "forget":
                self.engine.forget(str(chat))
            case "score":
                self.engine.score(self.chats[chat][:30], 1, CancelToken())
            case "spoil":
                spoil(chat, number)

    def answer(self, chat: int, ids: tuple[int, ...]) -> None:
        ids = ids if len(ids) < 300 else ids[:60]
        said = say(self.engine, ids, str(chat), tokens=6).ids
        self.answers.append((ids, said))
        self.chats[chat] = (*ids, *said)


def spoil(which: int, percent: int) -> None:
    """Change one byte of one file, if there are so many."""
    kept = files.files(app_paths().past)
    if which < len(kept):
        path, size = kept[which]
        data = bytearray(path.read_bytes())
        data[size * percent // 100] ^= 0x55
        path.write_bytes(data)


@pytest.fixture(scope="module")
def plain(models: dict[str, Path]) -> Iterator[dict[str, Engine]]:
    """Engines that keep nothing."""
    engines = {kind: open_here(options(kind, models[kind], PastOptions())) for kind in KINDS}
    yield engines
    for engine in engines.values():
        engine.close()


def afresh(engine: Engine, ids: tuple[int, ...]) -> list[int]:
    engine.score((5,), 1, CancelToken())
    said = say(engine, ids, tokens=6)
    assert said.reused == 0
    return said.ids


@pytest.mark.parametrize("past", [_TIGHT, _ROOMY], ids=["tight", "roomy"])
@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_chats_branches_evictions_restarts_and_spoilt_files_change_no_answer(
    kind: str,
    past: PastOptions,
    models: dict[str, Path],
    plain: dict[str, Engine],
    steps: list[tuple[str, int, int]],
) -> None:
    files.clear(app_paths().past)
    asked = options(kind, models[kind], past)
    talk = Talk(asked, open_here(asked))
    try:
        for what, chat, number in steps:
            talk.step(what, chat, number)
    finally:
        talk.engine.close()
    assert files.used_bytes(app_paths().past) <= past.disk_bytes
    for ids, said in talk.answers:
        assert said == afresh(plain[kind], ids)
