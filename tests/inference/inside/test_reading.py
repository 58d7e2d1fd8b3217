"""What the answers share: scores that are no numbers are never made into chances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gguf
import numpy as np
import pytest

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError
from inference.gguf.engine import open_engine
from inference.inside.questions import AskChanged, AskLens, AskNext, AskSurprise
from inference.inside.reading import log_softmax
from inference.types import LoadOptions
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from pathlib import Path

    from inference.inside.questions import Question

IDS = (5, 9, 14, 7)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_row_whose_largest_score_is_no_number_is_refused(broken: float) -> None:
    rows = np.zeros((3, 4), np.float32)
    rows[1, 2] = broken
    with pytest.raises(CorruptCheckpointError, match="not a number"):
        log_softmax(rows)


def test_a_token_that_can_never_come_has_no_chance() -> None:
    rows = np.array([[0, -np.inf, 0]], np.float32)
    np.testing.assert_allclose(np.exp(log_softmax(rows)), [[0.5, 0, 0.5]])


@pytest.mark.parametrize(
    "question", [AskNext(IDS), AskSurprise(IDS), AskLens(IDS), AskChanged(IDS, length=2)]
)
def test_weights_that_are_no_numbers_are_told_of_in_a_sentence(
    tmp_path: Path, question: Question
) -> None:
    path = tiny_gguf(tmp_path / "broken.gguf")
    norm = next(t for t in gguf.GGUFReader(path).tensors if t.name == "output_norm.weight")
    content = bytearray(path.read_bytes())
    content[norm.data_offset : norm.data_offset + 4] = np.float32(np.nan).tobytes()
    path.write_bytes(content)
    options = LoadOptions(str(path), "gguf", n_ctx=64, threads=1)
    engine = open_engine(options, lambda _: None, CancelToken())
    with pytest.raises(CorruptCheckpointError, match="not a number"):
        engine.inspect(question, CancelToken())
    engine.close()
