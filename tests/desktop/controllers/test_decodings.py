"""The ways of decoding, by a real engine: what each token is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from desktop.controllers.decodings import run_decoding
from desktop.inside import RunDecodings
from desktop.widgets.charts.pieces import shown
from inference.cancel import CancelToken
from inference.inside.questions import AskPieces, Pieces
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from pathlib import Path

    from desktop.controllers.engine_worker import EngineClientLike


@pytest.mark.parametrize("kind", ["gguf", "native"])
def test_a_token_that_is_part_of_a_letter_is_shown_as_its_bytes(kind: str, tmp_path: Path) -> None:
    """As the Tokens view shows it; a random model writes little but parts of letters."""
    with closing(opened(kind, tmp_path, draft="")) as engine:
        ids = tuple(piece.id for piece in engine.tokenize("one two"))
        client = cast("EngineClientLike", engine)  # the same methods, in this process
        found = run_decoding(client, RunDecodings(ids, "greedy", 1, 12), CancelToken())
        written = tuple(piece.id for piece in found.tokens)
        assert (
            found.tokens == cast("Pieces", engine.inspect(AskPieces(written), CancelToken())).tokens
        )
    parts = [piece for piece in found.tokens if piece.raw]
    assert parts
    assert [shown(piece) for piece in parts] == [piece.raw.hex(" ").upper() for piece in parts]
    assert "∅" not in map(shown, found.tokens)
    assert len(found.logprobs) == len(found.tokens)
    said = b"".join(piece.data for piece in found.tokens if not piece.special)
    assert found.text == said.decode("utf-8", "replace")
