"""What a text's ids are told by: the digest of a prompt, and the pieces that ids stand for."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.events import Started
from inference.inside.questions import AskPieces, Pieces
from inference.prompt.digest import prompt_digest
from inference.types import GenerationRequest, Message, SamplingParams
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from inference.engine import Engine

TALK = (Message("user", "Is tea older than coffee? \u8336 \U0001f375"),)


@pytest.fixture(scope="module", params=["native", "gguf"])
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    with closing(opened(request.param, tmp_path_factory.mktemp("net"), draft="")) as engine:
        yield engine


def test_an_answer_tells_the_digest_of_the_prompt_it_read(engine: Engine) -> None:
    asked = GenerationRequest("r", messages=TALK, sampling=SamplingParams(max_tokens=1))
    started = next(iter(engine.generate(asked, CancelToken())))
    assert isinstance(started, Started)
    rendered = engine.render(TALK).tokens
    assert started.prompt_digest == prompt_digest([piece.id for piece in rendered])


def test_ids_are_told_as_the_pieces_that_a_prompt_of_them_has(engine: Engine) -> None:
    rendered = engine.render(TALK).tokens
    found = engine.inspect(AskPieces(tuple(piece.id for piece in rendered)), CancelToken())
    assert isinstance(found, Pieces)
    assert found.tokens == rendered
    assert any(piece.special for piece in found.tokens)
    plain = b"".join(piece.data for piece in found.tokens if not piece.special)
    assert TALK[0].content.encode() in plain  # also where a letter is cut into its bytes


def test_an_id_that_does_not_exist_is_refused(engine: Engine) -> None:
    with pytest.raises(UnsupportedRequestError):
        engine.inspect(AskPieces((engine.loaded.n_vocab,)), CancelToken())
