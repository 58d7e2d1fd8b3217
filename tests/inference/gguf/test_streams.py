"""What a pass saw at the end of a text is not read again, and is what a pass of its own sees."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.gguf.inside import GgufSource
from inference.gguf.model import GgufModel
from inference.gguf.probe import LoadFlags
from inference.gguf.session import Session
from inference.gguf.taps import Taps
from inference.gguf.vocabulary import Vocabulary
from inference.types import LoadOptions
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from inference.inside.source import Numbers

IDS = (72, 73, 74, 75, 76, 77)
LAST = (len(IDS) - 1,)
ALL = tuple(range(len(IDS)))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[[], GgufSource]]:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    options = LoadOptions(path=str(path), engine="gguf", threads=1)
    model = GgufModel(options, LoadFlags(use_extra_bufts=True), lambda _: None, CancelToken())
    with closing(model), closing(Session(model, options)) as session:
        yield lambda: GgufSource(model, session, Vocabulary(model.handle, model.metadata))


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the lengths of the texts that were read."""
    lengths: list[int] = []
    read = Taps.run

    def run(self: Taps, ids: tuple[int, ...], *others: object, **named: object) -> None:
        lengths.append(len(ids))
        read(self, ids, *others, **named)  # type: ignore[arg-type]  as they came

    monkeypatch.setattr(Taps, "run", run)
    return lengths


def hidden(source: GgufSource, positions: tuple[int, ...] = LAST) -> Numbers:
    return source.hidden(IDS, positions, CancelToken())


def parts(source: GgufSource) -> Numbers:
    return source.parts(IDS, CancelToken())


def updates(source: GgufSource) -> Numbers:
    return source.updates(IDS, CancelToken())


@pytest.mark.parametrize("first", [hidden, parts, updates])
def test_one_pass_serves_all_that_is_asked_of_the_last_position(
    opened: Callable[[], GgufSource], passes: list[int], first: Callable[[GgufSource], Numbers]
) -> None:
    expected = hidden(opened()), parts(opened())
    source = opened()
    first(source)
    passes.clear()
    for found, wanted in zip((hidden(source), parts(source)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-4)
    assert not passes


def test_what_was_not_seen_is_read(opened: Callable[[], GgufSource], passes: list[int]) -> None:
    source = opened()
    hidden(source, ALL)
    assert hidden(source, ALL).shape[1] == len(IDS)  # only the end is kept
    source.parts(IDS[:-1], CancelToken())
    hidden(source)
    assert passes == [6, 6, 5, 6]


def test_parts_are_read_where_a_pass_over_more_positions_left_them_out(
    opened: Callable[[], GgufSource], passes: list[int]
) -> None:
    source = opened()
    hidden(source, ALL)
    np.testing.assert_allclose(parts(source), parts(opened()), rtol=1e-5, atol=1e-4)
    assert len(passes) == 3
