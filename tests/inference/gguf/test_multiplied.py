"""Queries and keys are shown where they make the scores, and refused where something is added."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.errors import BackendUnavailableError, UnsupportedRequestError
from inference.gguf import ggml
from inference.gguf.model import GgufModel
from inference.gguf.multiplied import Multiplied
from inference.gguf.probe import LoadFlags
from inference.gguf.session import Session
from inference.gguf.taps import Taps
from inference.types import LoadOptions
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDS = (72, 73, 74, 75, 76, 77)


@pytest.fixture
def taps(tmp_path: Path) -> Iterator[Taps]:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    options = LoadOptions(path=str(path), engine="gguf", threads=1)
    model = GgufModel(options, LoadFlags(use_extra_bufts=True), lambda _: None, CancelToken())
    with (
        closing(model),
        closing(Session(model, options)) as session,
        closing(Taps(session, len(IDS))) as taps,
    ):
        yield taps


def test_what_is_read_makes_the_shares_that_llama_cpp_computes(taps: Taps) -> None:
    seen = Multiplied(0, 0, 4)
    taps.run(IDS, seen.names.__contains__, seen.take, CancelToken(), read=seen.read)
    assert seen.shown == seen.names
    found = seen.result()
    assert found.taken().shape == (5,)
    np.testing.assert_allclose(found.shares_of_scores(), found.taken(), atol=1e-5)


def test_scores_that_are_made_in_another_way_are_refused(taps: Taps) -> None:
    """As if the file asked for a cap that llama.cpp does not apply."""
    seen = Multiplied(0, 0, 4, cap=1e-3)
    taps.run(IDS, seen.names.__contains__, seen.take, CancelToken(), read=seen.read)
    with pytest.raises(UnsupportedRequestError, match="adds something"):
        seen.result()


def test_numbers_that_lie_apart_are_read_and_not_taken_for_others(taps: Taps) -> None:
    """The product is made again from what ``tensor_sources`` names."""
    worst: list[float] = []

    def read(tensor: int) -> np.ndarray:
        keys, queries = map(ggml.scattered_numbers, ggml.tensor_sources(tensor, 2))
        with pytest.raises(BackendUnavailableError):
            ggml.tensor_numbers(ggml.tensor_sources(tensor, 2)[0])
        groups = queries.shape[1] // keys.shape[1]
        expected = queries @ np.repeat(keys, groups, axis=1).swapaxes(2, 3)
        worst.append(float(np.abs(ggml.tensor_numbers(tensor) - expected).max()))
        return expected

    taps.run(IDS, "kq-0".__eq__, lambda *_: True, CancelToken(), read=read)
    assert len(worst) == 1
    assert worst[0] < 1e-3
