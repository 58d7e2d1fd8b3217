"""The ways of decoding, by real engines: what each token is, and what the engine itself says."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, cast

import pytest

from inference.cancel import CancelToken
from inference.errors import EngineCrashedError, InferenceError
from inference.host.client import EngineClient
from inference.inside.decodings import WAYS, RunDecodings, run_decoding
from inference.inside.questions import AskPieces, Pieces
from inference.types import GenerationRequest, LoadOptions
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.engine import Engine

LENGTH = 12


@pytest.fixture(params=["gguf", "native"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    with closing(opened(request.param, tmp_path, draft="")) as model:
        yield model


def ids_of(engine: Engine) -> tuple[int, ...]:
    return tuple(piece.id for piece in engine.tokenize("one two"))


def test_a_token_that_is_part_of_a_letter_keeps_its_bytes(engine: Engine) -> None:
    """A random model writes little but parts of letters."""
    found = run_decoding(engine, RunDecodings(ids_of(engine), "greedy", 1, LENGTH), CancelToken())
    written = tuple(piece.id for piece in found.tokens)
    pieces = cast("Pieces", engine.inspect(AskPieces(written), CancelToken()))
    assert found.tokens == pieces.tokens
    assert [piece for piece in found.tokens if piece.raw]
    assert len(found.logprobs) == len(found.tokens)
    said = b"".join(piece.data for piece in found.tokens if not piece.special)
    assert found.text == said.decode("utf-8", "replace")


def test_each_way_writes_or_says_that_the_engine_lacks_it(engine: Engine) -> None:
    ids = ids_of(engine)
    for name, _settings in WAYS:
        found = run_decoding(engine, RunDecodings(ids, name, 1, LENGTH), CancelToken())
        if name == "contrastive" and engine.loaded.engine == "gguf":
            assert found.problem.startswith("The GGUF engine has no contrastive search.")
            assert found.failure is not None
            assert (found.tokens, found.reason) == ((), None)
        else:
            assert not found.problem
            assert found.tokens
            assert found.reason == ("length" if len(found.tokens) == LENGTH else "stop")
        assert (found.tree is not None) == (name == "beam")


def test_the_tree_is_the_one_that_the_engine_keeps(engine: Engine) -> None:
    ids = ids_of(engine)
    found = run_decoding(engine, RunDecodings(ids, "beam", 1, LENGTH), CancelToken())
    request = GenerationRequest("again", token_ids=ids, sampling=found.sampling)
    list(engine.generate(request, CancelToken()))
    tree = engine.beam_tree("again")
    assert found.tree is not None
    assert found.tree.ends[0].score == pytest.approx(tree.ends[0].score, abs=1e-5)
    assert [node.id for node in found.tree.nodes] == [node.id for node in tree.nodes]


@pytest.mark.parametrize("crash_at", [0, 3])
def test_an_engine_that_ends_on_the_way_is_no_way_of_decoding(crash_at: int) -> None:
    """It says why it ended, in place of a text that it can no longer tell."""
    with closing(EngineClient("tests.helpers.fake_engine:open_engine")) as client:
        client.load(LoadOptions(f"fake:crash_at={crash_at},tokens=8", engine="native"))
        with pytest.raises(EngineCrashedError, match="SIGKILL"):
            run_decoding(client, RunDecodings((1, 2), "greedy", 1, 8), CancelToken())


def test_what_is_given_up_is_no_way_that_the_engine_lacks(engine: Engine) -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(InferenceError, match="given up"):
        run_decoding(engine, RunDecodings(ids_of(engine), "greedy", 1, LENGTH), cancel)
