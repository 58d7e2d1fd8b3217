"""The ways of decoding, by a real engine: what each token is."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from desktop.controllers.decodings import run_decoding
from desktop.inside import RunDecodings
from desktop.widgets.charts.pieces import shown
from inference.cancel import CancelToken
from inference.errors import EngineCrashedError
from inference.host.client import EngineClient
from inference.inside.questions import AskPieces, Pieces
from inference.types import LoadOptions
from tests.desktop.controllers.house import FACTORY
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


@pytest.mark.parametrize("crash_at", [0, 3])
def test_an_engine_that_ends_on_the_way_is_no_way_of_decoding(crash_at: int) -> None:
    """It says why it ended, in place of a text that it can no longer tell."""
    with closing(EngineClient(FACTORY)) as client:
        client.load(LoadOptions(f"fake:crash_at={crash_at},tokens=8", engine="native"))
        with pytest.raises(EngineCrashedError, match="SIGKILL"):
            run_decoding(client, RunDecodings((1, 2), "greedy", 1, 8), CancelToken())
