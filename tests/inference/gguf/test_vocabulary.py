from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError, UnsupportedRequestError
from inference.gguf.model import GgufModel
from inference.gguf.probe import LoadFlags
from inference.gguf.tiny_file import write_tiny_file
from inference.gguf.vocabulary import Vocabulary
from inference.types import LoadOptions
from tests.helpers.gguf_files import tiny_gguf

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FIRST_SPECIAL = 266


def _load(path: Path) -> GgufModel:
    options = LoadOptions(path=str(path), engine="gguf")
    return GgufModel(options, LoadFlags(), lambda _fraction: None, CancelToken())


@pytest.fixture(scope="module", params=["bpe", "spm"])
def vocabulary(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Vocabulary]:
    path = tiny_gguf(tmp_path_factory.mktemp("v") / "tiny.gguf", vocabulary=request.param)
    model = _load(path)
    yield Vocabulary(model.handle, model.metadata)
    model.close()


_TEXTS = st.lists(
    st.one_of(
        st.text(max_size=6),
        st.sampled_from(["<|user|>", "<|im_end|>", "</s>", "<s>", "<", "|>", " the", "🦙", "\0"]),
    ),
    max_size=6,
).map("".join)


@given(text=_TEXTS)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_typed_text_survives_and_is_never_special(vocabulary: Vocabulary, text: str) -> None:
    ids = vocabulary.tokenize(text)
    assert not [token for token in ids if vocabulary.is_special(token)]
    said = b"".join(vocabulary.piece(token) for token in ids).decode("utf-8")
    if vocabulary.adds_space and text:
        assert said.startswith(" ")
        said = said[1:]
    assert said == text


def test_a_marker_of_turns_is_special_even_when_user_defined(vocabulary: Vocabulary) -> None:
    if vocabulary.is_spm:
        assert set(vocabulary.specials) == {"<s>", "</s>"}
        return
    assert "<|user|>" in vocabulary.specials
    assert "<think>" not in vocabulary.specials
    assert vocabulary.tokenize("<think>") == [269]
    assert vocabulary.tokenize("<|user|>", parse_special=True) == [270]
    assert not [token for token in vocabulary.tokenize("a<|user|>b") if token >= _FIRST_SPECIAL]


def test_control_tokens_have_a_name_and_no_text(vocabulary: Vocabulary) -> None:
    bos = vocabulary.bos_id
    assert vocabulary.piece(bos) == b""
    assert vocabulary.display(bos) == vocabulary.bos_text
    (shown,) = vocabulary.show([bos])
    assert shown.special


def test_bytes_of_a_character_are_kept_apart(vocabulary: Vocabulary) -> None:
    ids = vocabulary.tokenize("🦙")
    pieces = [vocabulary.piece(token) for token in ids]
    assert b"".join(pieces).lstrip() == "🦙".encode()
    assert [piece.text for piece in vocabulary.show(ids)][-4:] == ["\ufffd"] * 4


def test_lone_surrogates_become_replacement_characters(vocabulary: Vocabulary) -> None:
    assert vocabulary.tokenize("a\udc80b") == vocabulary.tokenize("a\ufffdb")


def test_ids_outside_the_vocabulary_are_refused(vocabulary: Vocabulary) -> None:
    vocabulary.check_ids([0, vocabulary.size - 1])
    for bad in (-1, vocabulary.size):
        with pytest.raises(UnsupportedRequestError, match=str(bad)):
            vocabulary.check_ids([0, bad])


def test_a_model_without_vocabulary_is_refused(tmp_path: Path) -> None:
    write_tiny_file(tmp_path / "bare.gguf")
    model = _load(tmp_path / "bare.gguf")
    try:
        with pytest.raises(CorruptCheckpointError, match="no vocabulary"):
            Vocabulary(model.handle, model.metadata)
    finally:
        model.close()
