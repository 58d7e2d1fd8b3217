"""Tokenizers told of by a process of their own, held against the models themselves."""

from __future__ import annotations

import shutil
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError, InferenceError, ModelNotFoundError
from inference.gguf.engine import open_engine as open_gguf
from inference.native.engine import open_engine as open_native
from inference.tokenizing.job import build_tokens, cut_texts
from inference.tokenizing.orders import BuildTokens, Cut, CutText, NotRead
from inference.types import LoadOptions

STARTERS: Final = Path(__file__).parents[3] / "resources" / "starter"
FOLDER, FILE = STARTERS / "starter-base", STARTERS / "starter-base-Q8_0.gguf"
TEXT: Final = "Rain, <|im_end|> \u8336 and\n\n  tea for 2026 \U0001f375"


def test_each_model_cuts_the_text_as_its_engine_does() -> None:
    order = CutText((str(FILE), str(FOLDER)), TEXT)
    told = list(cut_texts(order, CancelToken()))
    for one, open_engine, path in zip(told, (open_gguf, open_native), (FILE, FOLDER), strict=True):
        assert isinstance(one, Cut)
        kind = "native" if path.is_dir() else "gguf"
        options = LoadOptions(str(path), kind)  # type: ignore[arg-type]
        with closing(open_engine(options, lambda _: None, CancelToken())) as engine:
            assert one.tokens == engine.tokenize(TEXT)
            assert one.n_vocab == engine.loaded.n_vocab
        assert one.path == str(path)


def test_a_tokenizer_that_cannot_be_read_does_not_keep_the_others_from_it(tmp_path: Path) -> None:
    folder = tmp_path / "half"
    shutil.copytree(
        FOLDER, folder, ignore=shutil.ignore_patterns("tokenizer.json", "*.safetensors")
    )
    told = list(cut_texts(CutText((str(folder), str(FILE)), TEXT), CancelToken()))
    assert isinstance(told[0], NotRead)
    assert "tokenizer.json is missing" in told[0].message
    assert isinstance(told[1], Cut)
    with pytest.raises(CorruptCheckpointError, match=r"tokenizer\.json is missing"):
        build_tokens(BuildTokens(str(folder), (1,)), CancelToken())


@pytest.mark.parametrize("content", ["[]", '{"model": {"type": "BPE", "merges": 5}}'])
def test_a_tokenizer_that_nobody_foresaw_is_a_sentence_and_the_others_are_told(
    tmp_path: Path, content: str
) -> None:
    folder = tmp_path / "odd"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("*.safetensors"))
    (folder / "tokenizer.json").write_text(content)
    told = list(cut_texts(CutText((str(folder), str(FILE)), TEXT), CancelToken()))
    assert isinstance(told[0], NotRead)
    assert isinstance(told[1], Cut)
    with pytest.raises(CorruptCheckpointError, match="tokenizer"):
        build_tokens(BuildTokens(str(folder), (1,)), CancelToken())


def test_special_tokens_in_the_text_are_read_as_such_where_that_is_asked_for() -> None:
    order = CutText((str(FILE), str(FOLDER)), "<|im_end|> tea", special=True)
    for one, open_engine, path in zip(
        cut_texts(order, CancelToken()), (open_gguf, open_native), (FILE, FOLDER), strict=True
    ):
        assert isinstance(one, Cut)
        kind = "native" if path.is_dir() else "gguf"
        options = LoadOptions(str(path), kind)  # type: ignore[arg-type]
        with closing(open_engine(options, lambda _: None, CancelToken())) as engine:
            assert one.tokens == engine.tokenize(order.text, parse_special=True)
        assert one.tokens[0].special


@pytest.mark.parametrize("path", [FILE, FOLDER])
def test_the_steps_of_a_token_are_the_same_from_both_forms(path: Path) -> None:
    (cut,) = cut_texts(CutText((str(path),), " rainbow"), CancelToken())
    assert isinstance(cut, Cut)
    found = build_tokens(BuildTokens(str(path), tuple(p.id for p in cut.tokens)), CancelToken())
    assert found.method == "Byte-level BPE"
    assert found.n_merges > 1_000
    assert "".join(one.part.text for one in found.tokens) == " rainbow"
    other = build_tokens(
        BuildTokens(str(FILE if path is FOLDER else FOLDER), tuple(p.id for p in cut.tokens)),
        CancelToken(),
    )
    assert found.tokens == other.tokens


def test_being_given_up_ends_it() -> None:
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(InferenceError, match="stopped"):
        list(cut_texts(CutText((str(FILE),), TEXT), cancel))


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone.gguf")
    told = list(cut_texts(CutText((gone, str(FILE)), TEXT), CancelToken()))
    assert isinstance(told[0], NotRead)
    assert "not there any longer" in told[0].message
    assert isinstance(told[1], Cut)
    with pytest.raises(ModelNotFoundError, match=r"gone\.gguf"):
        build_tokens(BuildTokens(gone, (1,)), CancelToken())
