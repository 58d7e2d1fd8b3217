from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from inference.errors import CorruptCheckpointError
from inference.native.tokenizer import CheckpointTokenizer
from inference.prompt.segments import Segment, split_specials
from tests.helpers.assets import asset
from tests.helpers.checkpoints import CHAT_TEMPLATE, IM_END, SPECIALS, tiny_tokenizer

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = (
    "Once upon a time, there was a girl.",
    "  two spaces, a\ttab and a\r\nline break  ",
    "é 你好世界 🙂👩‍👩‍👧 ½ \u0000",
    "def f(x):\n    return {'a': [1, 22, 333]}",
    "<|im_start|>user <0x0A> ▁ </s>",
)


def opened(folder: Path) -> CheckpointTokenizer:
    return CheckpointTokenizer(folder, {})


@functools.cache
def shared(name: str) -> CheckpointTokenizer:
    """Open one of the real vocabularies; they take a second each."""
    return opened(asset(name))


@functools.cache
def _library(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def edit(file: Path, change: dict[str, Any]) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | change))


def joined(tokenizer: CheckpointTokenizer, ids: list[int]) -> str:
    return b"".join(tokenizer.piece(token) for token in ids).decode()


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> CheckpointTokenizer:
    folder = tmp_path_factory.mktemp("tokenizer")
    tiny_tokenizer(folder, add_bos=True)
    return opened(folder)


@pytest.mark.parametrize("name", ["gpt2", "falcon", "qwen3"])
@pytest.mark.parametrize("text", TEXTS)
def test_pieces_of_a_real_vocabulary_join_to_the_text(name: str, text: str) -> None:
    tokenizer = shared(f"tokenizers/{name}")
    assert joined(tokenizer, tokenizer.encode(text)) == text


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_of_sentencepiece_join_to_a_space_and_the_text(text: str) -> None:
    tokenizer = shared("stories260K-hf")
    wanted = text.replace("▁", " ")  # the vocabulary writes both the same way
    assert joined(tokenizer, tokenizer.encode(text)) == " " + wanted


@given(text=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_survives_the_way_to_ids_and_back(tiny: CheckpointTokenizer, text: str) -> None:
    ids = tiny.encode(text)
    assert joined(tiny, ids) == text.encode("utf-8", "replace").decode()
    assert not any(tiny.is_special(token) for token in ids)


@pytest.mark.parametrize("name", ["gpt2", "falcon", "qwen3"])
@pytest.mark.parametrize("text", TEXTS[:4])
def test_ids_equal_those_of_the_tokenizers_library(name: str, text: str) -> None:
    folder = asset(f"tokenizers/{name}")
    plain = _library(folder)
    assert (
        shared(f"tokenizers/{name}").encode(text)
        == plain.encode(text, add_special_tokens=False).ids
    )


def test_ids_equal_the_published_ones_of_gpt2() -> None:
    texts = asset("gguf-vocab/ggml-vocab-gpt-2.gguf.inp").read_text(encoding="utf-8")
    expected = asset("gguf-vocab/ggml-vocab-gpt-2.gguf.out").read_text().splitlines()
    tokenizer = shared("tokenizers/gpt2")
    cases = texts.split("\n__ggml_vocab_test__\n")
    pairs = list(zip(cases, expected, strict=False))
    assert len(pairs) > 40
    for text, ids in pairs:
        assert tokenizer.encode(text) == [int(token) for token in ids.split()], repr(text)


def test_typed_special_tokens_stay_text(tiny: CheckpointTokenizer) -> None:
    for special in SPECIALS:
        ids = tiny.encode(f"a{special}b {special}")
        assert not set(ids) & {0, 1, 2}
        assert joined(tiny, ids) == f"a{special}b {special}"


@pytest.mark.parametrize("name", ["gpt2", "falcon", "qwen3"])
def test_typed_special_tokens_of_real_vocabularies_stay_text(name: str) -> None:
    tokenizer = shared(f"tokenizers/{name}")
    assert tokenizer.specials
    for special, token in tokenizer.specials.items():
        ids = tokenizer.encode(f"say {special} now")
        assert token not in ids
        assert joined(tokenizer, ids) == f"say {special} now"


def test_markers_of_turns_count_as_special_even_if_the_file_forgets(tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path)
    described = json.loads((tmp_path / "tokenizer.json").read_text())
    for entry in described["added_tokens"]:
        entry["special"] = False
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    tokenizer = opened(tmp_path)
    assert 2 not in tokenizer.encode(f"a {IM_END}")
    assert tokenizer.specials[IM_END] == 2
    assert tokenizer.piece(2) == IM_END.encode()


def test_special_tokens_of_a_template_become_their_ids(tiny: CheckpointTokenizer) -> None:
    ids = tiny.encode_segments(
        (
            Segment("<|im_start|>", True),
            Segment("user\nhi <|im_end|>", False),
            Segment(IM_END, True),
        )
    )
    assert (ids[0], ids[-1]) == (1, 2)
    assert ids.count(2) == 1


def test_special_tokens_have_a_text_for_tables_and_none_in_answers(
    tiny: CheckpointTokenizer,
) -> None:
    assert tiny.piece(2) == b""
    assert tiny.text(2) == IM_END
    assert tiny.is_special(2)
    assert not tiny.is_special(5)


def test_an_id_without_a_token_has_no_bytes(tiny: CheckpointTokenizer) -> None:
    assert tiny.piece(100_000) == b""


def test_half_a_character_shows_as_a_replacement(tiny: CheckpointTokenizer) -> None:
    ids = tiny.encode("🙂")
    assert len(ids) > 1
    assert tiny.text(ids[0]) == "\ufffd"
    assert joined(tiny, ids) == "🙂"


def test_sentencepiece_bytes_and_spaces_are_read() -> None:
    tokenizer = shared("stories260K-hf")
    assert tokenizer.piece(13) == b"\n"
    assert tokenizer.piece(403) == b" Once"
    assert tokenizer.bos_id == 1
    assert tokenizer.adds_bos
    assert tokenizer.eos_ids == (2,)


def test_a_space_goes_before_sentencepiece_text_only_where_it_begins() -> None:
    tokenizer = shared("stories260K-hf")
    assert tokenizer.drops_space_after([1])
    assert not tokenizer.drops_space_after([1, 403])


def _with_metaspace(folder: Path, scheme: str) -> CheckpointTokenizer:
    vocab = {"<unk>": 0, "<s>": 1, "\u2581": 2, "h": 3, "i": 4, "\u2581h": 5}
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme}
    special = {"single_word": False, "normalized": False, "special": True}
    strips = {"lstrip": False, "rstrip": scheme == "never"}
    described = {
        "version": "1.0",
        "added_tokens": [{"id": 1, "content": "<s>"} | special | strips],
        "pre_tokenizer": metaspace | {"split": False},
        "decoder": metaspace | {"split": False},
        "model": {"type": "BPE", "unk_token": "<unk>", "vocab": vocab, "merges": ["\u2581 h"]},
    }
    (folder / "tokenizer.json").write_text(json.dumps(described))
    return opened(folder)


@pytest.mark.parametrize(
    ("scheme", "ids"),
    [("always", [5, 4, 1, 5, 4]), ("first", [5, 4, 1, 3, 4]), ("never", [3, 4, 1, 3, 4])],
)
def test_segments_get_their_first_space_as_the_file_says(
    scheme: str, ids: list[int], tmp_path: Path
) -> None:
    tokenizer = _with_metaspace(tmp_path, scheme)
    assert tokenizer.encode_segments(split_specials("hi<s>hi", {"<s>"})) == ids
    whole = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert whole.encode("hi<s>hi").ids == ids
    assert tokenizer.drops_space_after([1]) == (scheme != "never")
    assert tokenizer.drops_space_after([5, 1]) == (scheme == "always")


def test_a_special_token_swallows_white_space_as_the_file_says(tmp_path: Path) -> None:
    tokenizer = _with_metaspace(tmp_path, "never")
    text = "hi<s>  hi"
    ids = tokenizer.encode_segments(split_specials(text, {"<s>"}))
    assert ids == Tokenizer.from_file(str(tmp_path / "tokenizer.json")).encode(text).ids


def test_the_ends_of_an_answer_are_gathered_from_every_file(tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path)
    (tmp_path / "generation_config.json").write_text('{"eos_token_id": [7, 1]}')
    tokenizer = CheckpointTokenizer(tmp_path, {"eos_token_id": 9})
    assert tokenizer.eos_ids == (7, 1, 9, 2, 0)
    assert tokenizer.eos_token == IM_END


@pytest.mark.parametrize("bad", [None, "two", True, -1, [None, "x"], {"a": 1}, 2**40])
def test_an_end_that_is_no_id_is_left_out(bad: object, tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path)
    tokenizer = CheckpointTokenizer(tmp_path, {"eos_token_id": bad, "bos_token_id": bad})
    assert tokenizer.eos_ids == (2, 0)
    assert tokenizer.bos_id is None


def test_bos_is_wanted_where_the_post_processor_puts_it(tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path)
    edit(tmp_path / "tokenizer_config.json", {"bos_token": {"content": "<|endoftext|>"}})
    file = tmp_path / "tokenizer_config.json"
    config = json.loads(file.read_text())
    del config["add_bos_token"]
    file.write_text(json.dumps(config))
    assert not opened(tmp_path).adds_bos
    template: dict[str, Any] = {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<|endoftext|>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {
            "<|endoftext|>": {"id": "<|endoftext|>", "ids": [0], "tokens": ["<|endoftext|>"]}
        },
    }
    edit(tmp_path / "tokenizer.json", {"post_processor": template})
    tokenizer = opened(tmp_path)
    assert tokenizer.adds_bos
    assert tokenizer.bos_id == 0
    assert 0 not in tokenizer.encode("hi")


def test_the_template_is_found_in_each_of_its_places(tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path)
    assert opened(tmp_path).chat_template == CHAT_TEMPLATE
    named = [{"name": "tool_use", "template": "T"}, {"name": "default", "template": "D"}]
    edit(tmp_path / "tokenizer_config.json", {"chat_template": named})
    assert opened(tmp_path).chat_template == "D"
    (tmp_path / "chat_template.jinja").write_text("own file")
    assert opened(tmp_path).chat_template == "own file"


def test_a_base_model_has_no_template(tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path, chat_template=None)
    assert opened(tmp_path).chat_template is None


@pytest.mark.parametrize("bad", [7, [], [{"name": "default"}], {"a": "b"}])
def test_a_template_that_is_no_text_is_refused(bad: object, tmp_path: Path) -> None:
    tiny_tokenizer(tmp_path)
    edit(tmp_path / "tokenizer_config.json", {"chat_template": bad})
    with pytest.raises(CorruptCheckpointError, match="chat_template"):
        opened(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": "1.0", "model": {"type": "Unheard"}}',
        '{"added_tokens": 7}',
        '{"added_tokens": [{"id": "x"}]}',
        "[" * 100_000,
    ],
)
def test_a_damaged_tokenizer_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(CorruptCheckpointError) as caught:
        opened(tmp_path)
    assert "tokenizer" in caught.value.message
    assert caught.value.hint


def test_a_missing_tokenizer_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorruptCheckpointError, match=r"tokenizer\.json is missing"):
        opened(tmp_path)
