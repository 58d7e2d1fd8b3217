"""The ids of the new file are those of the folder's tokenizer, plain text and chats alike."""

from __future__ import annotations

import json
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inference.convert import check
from inference.convert.samples import SAMPLES
from inference.convert.vocabulary import read_vocabulary
from inference.convert.write import Labels, convert
from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError
from inference.types import Message
from tests.helpers.assets import REPO, asset
from tests.helpers.checkpoints import CHAT_TEMPLATE, tiny_gpt2, tiny_llama
from tests.helpers.converting import converted

if TYPE_CHECKING:
    from pathlib import Path

    from inference.engine import Engine
    from tests.inference.convert.conftest import Open

_CONVERSATION = (
    Message("system", "You are brief."),
    Message("user", "What is a token?\nSay <|im_end|> or [INST]. 12345  "),
    Message("assistant", " A piece of text. "),
    Message("user", "Übergröße 我能吞 🙂"),
)


def _change(folder: Path, name: str, **changes: Any) -> None:
    described = json.loads((folder / name).read_text(encoding="utf-8"))
    (folder / name).write_text(json.dumps(described | changes), encoding="utf-8")


def _with_tokenizer(folder: Path, name: str) -> Path:
    """Make a narrow checkpoint of random weights with a published tokenizer."""
    source = asset("tokenizers") / name
    described = json.loads((source / "tokenizer.json").read_text(encoding="utf-8"))
    ids = [*described["model"]["vocab"].values(), *(t["id"] for t in described["added_tokens"])]
    tiny_llama(folder, vocab_size=max(ids) + 1 + 7, width=16, head_width=4, n_layers=1)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(source / file, folder / file)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    del config["eos_token_id"]
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def _books() -> list[str]:
    texts: list[str] = []
    for book in sorted(asset("corpus").glob("*.txt")):
        text = book.read_text(encoding="utf-8")
        texts += [text[start : start + 2_000] for start in range(0, len(text), 2_000)]
    return random.Random(1).sample(texts, 150)


def _same_ids(ours: Engine, theirs: Engine, texts: list[str]) -> None:
    begins = ours.loaded.adds_bos
    assert theirs.loaded.adds_bos == begins
    for text in texts:
        expected = [piece.id for piece in ours.tokenize(text, add_bos=begins)]
        assert [piece.id for piece in theirs.tokenize(text, add_bos=begins)] == expected, text


@pytest.mark.parametrize("name", ["gpt2", "qwen3", "falcon"])
def test_published_tokenizers_give_the_same_ids(name: str, tmp_path: Path, opened: Open) -> None:
    folder = _with_tokenizer(tmp_path / "model", name)
    ours, theirs = opened(folder), opened(converted(folder))
    _same_ids(ours, theirs, [*SAMPLES, *_books()])
    assert set(ours.loaded.eos_ids) <= set(theirs.loaded.eos_ids)
    if ours.loaded.has_chat_template:
        assert ours.render(_CONVERSATION).tokens == theirs.render(_CONVERSATION).tokens


def test_a_sentencepiece_vocabulary_gives_the_same_ids(tmp_path: Path, opened: Open) -> None:
    shutil.copytree(asset("stories260K-hf"), tmp_path / "stories")
    (tmp_path / "stories").chmod(0o755)
    folder = tmp_path / "stories"
    _same_ids(opened(folder), opened(converted(folder)), [*SAMPLES, *_books()])


_SPACES: dict[str, Any] = {
    "always": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always"},
    "first": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first"},
    "never": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "never"},
}
_PLAIN_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "[INST] {{ message['content'] }} [/INST]{{ eos_token }}{% endfor %}"
)


@pytest.mark.parametrize("chats", [False, True])
@pytest.mark.parametrize("scheme", _SPACES)
def test_a_space_before_text_stands_where_the_folder_s_tokenizer_puts_it(
    scheme: str, chats: bool, tmp_path: Path, opened: Open
) -> None:
    folder = tmp_path / "stories"
    shutil.copytree(asset("stories260K-hf"), folder, copy_function=shutil.copyfile)
    folder.chmod(0o755)
    step = _SPACES[scheme] | {"split": False}
    _change(folder, "tokenizer.json", normalizer=None, pre_tokenizer=step)
    if chats:
        _change(folder, "tokenizer_config.json", chat_template=_PLAIN_TEMPLATE)
    path = tmp_path / "model.gguf"
    notes = convert(folder, path, "F32", Labels("x"), lambda _done, _total: None)
    ours, theirs = opened(folder), opened(path)
    if chats:
        assert ours.render(_CONVERSATION) == theirs.render(_CONVERSATION)
    else:
        begins = (" ", "\u2581") if scheme != "never" else ()
        _same_ids(ours, theirs, [text for text in SAMPLES if not text.startswith(begins)])
    words = {("first", True): "without the space", ("never", True): "", ("never", False): ""}
    assert words.get((scheme, chats), "gets another one") in " ".join(notes)
    assert len(notes) == (scheme != "never")


@pytest.mark.parametrize("name", ["starter-instruct", "starter-base"])
def test_the_starter_models_give_the_same_ids(name: str, tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "starter.gguf"
    folder = REPO / "resources" / "starter" / name
    convert(folder, path, "F16", Labels(name), lambda _done, _total: None)
    ours, theirs = opened(folder), opened(path)
    _same_ids(ours, theirs, list(SAMPLES))
    if name == "starter-instruct":
        assert ours.render(_CONVERSATION) == theirs.render(_CONVERSATION)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tiny_gpt2(tmp_path_factory.mktemp("tiny") / "model")
    return folder, converted(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=60))
def test_any_text_gives_the_same_ids(tiny: tuple[Path, Path], text: str) -> None:
    folder, path = tiny
    vocabulary = read_vocabulary(folder, {}, 320)
    clean = text.encode("utf-8", "replace").decode()
    with check.opened_vocabulary(path, adds_space=False) as written:
        assert written.tokenize(clean) == vocabulary.tokenizer.encode(clean)


@pytest.mark.parametrize("add_bos", [False, True])
@pytest.mark.parametrize("template", [CHAT_TEMPLATE, "{{ bos_token }}" + CHAT_TEMPLATE, None])
def test_chats_become_the_same_prompt(
    template: str | None, add_bos: bool, tmp_path: Path, opened: Open
) -> None:
    folder = tiny_llama(tmp_path / "model", chat_template=template, add_bos=add_bos)
    ours, theirs = opened(folder), opened(converted(folder))
    assert ours.loaded.has_chat_template == theirs.loaded.has_chat_template
    if template is not None:
        assert ours.render(_CONVERSATION) == theirs.render(_CONVERSATION)


def _with_ends(folder: Path, count: int) -> Path:
    """Make a model whose answers end with ``<|im_end|>`` and with tokens of its own."""
    tiny_llama(folder, vocab_size=330)
    added = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))["added_tokens"]
    ends = [added[-1] | {"id": 320 + i, "content": f"<stop {i}>"} for i in range(count)]
    _change(folder, "tokenizer.json", added_tokens=added + ends)
    _change(folder, "config.json", eos_token_id=[2, *(end["id"] for end in ends)])
    return folder


def test_every_token_that_ends_an_answer_is_named(tmp_path: Path, opened: Open) -> None:
    folder = _with_ends(tmp_path / "model", 1)
    ours, theirs = opened(folder), opened(converted(folder))
    assert {2, 320} <= set(ours.loaded.eos_ids) <= set(theirs.loaded.eos_ids)


def test_more_ends_than_a_file_can_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitectureError, match="end its answers") as caught:
        converted(_with_ends(tmp_path / "model", 4))
    assert "323" in caught.value.detail


def test_a_vocabulary_that_comes_out_otherwise_is_refused(tmp_path: Path) -> None:
    """Merges in another order: the file is sound, and its ids are others."""
    folder = tiny_llama(tmp_path / "model")
    path = converted(folder)
    described = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    described["model"]["merges"].reverse()
    (folder / "tokenizer.json").write_text(json.dumps(described), encoding="utf-8")
    with pytest.raises(UnsupportedArchitectureError, match="cut its texts into other tokens"):
        check.check_vocabulary(path, read_vocabulary(folder, {}, 320))


def test_a_tokenizer_without_a_counterpart_is_refused_by_its_kind(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "model")
    model = {"type": "Unigram", "unk_id": 0, "vocab": [["a", -1.0], ["b", -2.0]]}
    _change(folder, "tokenizer.json", model=model, added_tokens=[])
    with pytest.raises(UnsupportedArchitectureError, match="the kind 'Unigram', not BPE"):
        converted(folder)


def test_a_tokenizer_that_cuts_in_its_own_way_is_refused(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "model")
    _change(folder, "tokenizer.json", pre_tokenizer={"type": "WhitespaceSplit"})
    with pytest.raises(UnsupportedArchitectureError, match="cuts text in a way"):
        converted(folder)


_PHI_TEMPLATE = (
    "{% for m in messages %}{{ '<|' + m['role'] + '|>\n' + m['content'] + '<|end|>\n' }}"
    "{% endfor %}{{ '<|assistant|>\n' }}"
)


def _like_phi3(folder: Path) -> Path:
    """Make a model whose special tokens swallow the white space after them."""
    tiny_llama(folder, vocab_size=330, chat_template=_PHI_TEMPLATE)
    described = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    added = [token | {"rstrip": token["id"] != 0} for token in described["added_tokens"]]
    plain = ("<unk>", "<s>")
    swallowing = ("</s>", "<|user|>", "<|assistant|>", "<|system|>", "<|end|>")
    added += [
        added[-1] | {"id": 320 + place, "content": text, "rstrip": text not in plain}
        for place, text in enumerate((*plain, *swallowing))
    ]
    _change(folder, "tokenizer.json", added_tokens=added)
    return folder


@pytest.mark.parametrize(("name", "same"), [("Phi-3 Tale", True), ("A Tale", False)])
def test_white_space_after_phi3_s_tokens_is_swallowed_where_llama_cpp_knows_its_name(
    name: str, same: bool, tmp_path: Path, opened: Open
) -> None:
    folder, path = _like_phi3(tmp_path / "model"), tmp_path / "model.gguf"
    notes = convert(folder, path, "F32", Labels(name), lambda _done, _total: None)
    ours, theirs = opened(folder).render(_CONVERSATION), opened(path).render(_CONVERSATION)
    assert (ours.tokens == theirs.tokens) == same
    assert len(notes) == (not same)
    assert same or "beside <|im_start|>, <|im_end|>, </s>, <|user|> otherwise" in notes[0]


def test_a_name_that_llama_cpp_takes_for_phi3_s_is_refused_without_its_tokens(
    tmp_path: Path,
) -> None:
    folder = tiny_llama(tmp_path / "model")
    with pytest.raises(UnsupportedArchitectureError, match="does not read such a vocabulary"):
        convert(folder, tmp_path / "m.gguf", "F32", Labels("phi-3"), lambda _done, _total: None)


def test_more_tokens_than_the_network_has_are_refused(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "model", vocab_size=300)
    with pytest.raises(CorruptCheckpointError, match=r"up to id 319, .* knows 300"):
        converted(folder)


def test_ids_without_a_token_are_filled_and_never_come_out_of_text(
    tmp_path: Path, opened: Open
) -> None:
    folder = tiny_llama(tmp_path / "model", vocab_size=330)
    theirs = opened(converted(folder))
    assert theirs.loaded.n_vocab == 330
    assert max(piece.id for text in SAMPLES for piece in theirs.tokenize(text)) < 320
