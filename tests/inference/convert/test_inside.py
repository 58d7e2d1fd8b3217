"""Of the same weights both engines see the same inside, family by family."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.inside.products import AskProducts
from inference.inside.pushes import AskPushes, AskVotes
from inference.inside.questions import (
    Array,
    AskAttention,
    AskContext,
    AskHidden,
    AskLens,
    AskNext,
    AskUpdates,
    AskVectors,
    NextTokens,
)
from tests.helpers.checkpoints import VOCAB_SIZE
from tests.helpers.converting import converted
from tests.inference.convert.test_write import CONVERTIBLE, SHORTER, checkpoint

if TYPE_CHECKING:
    from pathlib import Path

    from inference.engine import Engine
    from inference.inside.questions import Question
    from tests.inference.convert.conftest import Open

_LENGTH = 80  # past every window
_SHORT = {name: (family, changes) for name, (family, changes, _) in SHORTER.items()}


class Pair:
    """A folder and the file made of it, both loaded."""

    def __init__(self, folder: Engine, file: Engine) -> None:
        self.folder, self.file = folder, file

    def ask(self, question: Question) -> tuple[Any, Any]:
        cancel = CancelToken()
        return self.folder.inspect(question, cancel), self.file.inspect(question, cancel)

    def worst(self, question: Question) -> float:
        ours, theirs = self.ask(question)
        assert isinstance(ours, Array)
        assert ours.shape == theirs.shape
        size = max(1.0, float(np.nanmax(np.abs(ours.numbers()))))
        return float(np.nanmax(np.abs(ours.numbers() - theirs.numbers()))) / size


@pytest.mark.parametrize("variant", [*CONVERTIBLE, *SHORTER])
def test_the_file_shows_what_the_folder_shows(variant: str, tmp_path: Path, opened: Open) -> None:
    """In float32 nothing is left but llama.cpp's table of GELU values, which has 16 bits."""
    family, changes = (CONVERTIBLE | _SHORT)[variant]
    length = min(_LENGTH, SHORTER[variant][2]) if variant in SHORTER else _LENGTH
    folder = checkpoint(tmp_path / "model", family, changes)
    near = 5e-3 if variant.startswith(("gpt", "gemma")) else 1e-4
    pair = Pair(*(opened(path, n_ctx=96) for path in (folder, converted(folder, "F32"))))
    ids = tuple(random.Random(3).choices(range(VOCAB_SIZE), k=length))
    for layer in range(pair.folder.loaded.n_layers):
        assert pair.worst(AskAttention(ids, layer, "all")) < near
        ours, theirs = pair.ask(AskProducts(ids, layer, 2, length - 9))
        np.testing.assert_allclose(ours.scores(), theirs.scores(), atol=30 * near)
        np.testing.assert_allclose(ours.parts(), theirs.parts(), atol=30 * near)
    assert pair.worst(AskHidden(ids, (0, length // 2, length - 1))) < near
    assert pair.worst(AskContext(ids, length - 1, ids[5:20], 3)) < near
    assert pair.worst(AskVectors(ids[:6])) < 1e-6
    ours, theirs = pair.ask(AskLens(ids, VOCAB_SIZE))
    for here, there in zip(ours.layers, theirs.layers, strict=True):
        known = {one.id: one.logprob for one in there}
        assert max(abs(known[one.id] - one.logprob) for one in here) < 3 * near
    last = {one.id: one.logprob for one in theirs.layers[-1]}
    following = pair.file.inspect(AskNext(ids, VOCAB_SIZE), CancelToken())
    assert max(abs(last[one.id] - one.logprob) for one in following.top) < 3 * near  # type: ignore[union-attr]
    assert pair.worst(AskUpdates(ids)) < near
    _check_parts(pair, ids, 3 * near)


def _check_parts(pair: Pair, ids: tuple[int, ...], near: float) -> None:
    """What each part brings to each token is the same, and adds up to the file's own scores."""
    ours, theirs = pair.ask(AskPushes(ids, top_n=VOCAB_SIZE))
    sums = np.zeros(VOCAB_SIZE)
    for here, there in zip(ours.parts, theirs.parts, strict=True):
        assert (here.kind, here.layer) == (there.kind, there.layer)
        assert abs(here.length - there.length) < near * max(1.0, here.length)
        rises = {one.id: one.rise for one in there.promoted}
        size = max(1.0, abs(here.promoted[0].rise), abs(here.suppressed[0].rise))
        assert max(abs(rises[one.id] - one.rise) for one in here.promoted) < near * size
        sums += [rises[token] for token in range(VOCAB_SIZE)]
    known = {one.id: one for one in ours.parts[1].promoted}
    assert max(abs(one.rise) for one in known.values()) > 10 * near  # the first block does speak
    ours, theirs = pair.ask(AskVotes(ids, 5, 9))
    for mine, its in zip(ours.votes, theirs.votes, strict=True):
        assert abs(mine.lead - its.lead) < near * max(1.0, abs(mine.lead))
    assert theirs.score == pytest.approx(sums[5], abs=near)
    following = pair.file.inspect(AskNext(ids, VOCAB_SIZE), CancelToken())
    assert isinstance(following, NextTokens)
    scores = theirs.cap * np.tanh(sums / theirs.cap) if theirs.cap else sums
    assert max(abs(scores[one.id] - one.logit) for one in following.top) < near * 2
