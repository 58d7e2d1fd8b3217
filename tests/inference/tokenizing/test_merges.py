"""Merge steps end in the tokenizer's own ids: for thousands of random texts, and by hand."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from tokenizers import Tokenizer

from inference.gguf.vocabulary_file import opened_vocabulary
from inference.tokenizing.merges import MergeRules, built, joined, joins
from inference.tokenizing.rules import read_rules
from tests.helpers.assets import asset

if TYPE_CHECKING:
    from collections.abc import Iterator

STARTER: Final = Path(__file__).parents[3] / "resources" / "starter" / "starter-base"
N_TEXTS: Final = 10_000
ALPHABETS: Final = (
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " \t\n\r  ",
    ".,;:!?'\"()[]{}<>|/\\@#$%^&*-_=+`~", "\u00e4\u00f6\u00fc\u00df\u00e9\u00e8\u00f1\u0161",
    "\u0431\u0434\u0436\u044f\u043b", "\u65e5\u672c\u8a9e\u6c34\u706b", "\u0627\u0628\u062c",
    "\U0001f600\U0001f375\u200d\ufe0f\U0001f469", "\x00\x01\x7f\u00ad\ufeff\u2581",
)  # fmt: skip
WORDS: Final = (
    "the ",
    " and",
    "ing",
    "<|im_end|>",
    "<s>",
    "don't",
    "2026",
    "</s>",
    " hello",
    "def ",
)


def texts(seed: int, count: int) -> Iterator[str]:
    """Yield random texts of many scripts, with common words and marks typed by hand."""
    draw = random.Random(seed)
    for _ in range(count):
        made = ""
        for _ in range(draw.randint(1, 5)):
            if draw.random() < 0.35:
                made += draw.choice(WORDS)
            else:
                letters = draw.choice(ALPHABETS)
                made += "".join(draw.choice(letters) for _ in range(draw.randint(1, 6)))
        yield made


def hf_tokenizer(folder: Path) -> Tokenizer:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.encode_special_tokens = True
    return tokenizer


def cut_words(tokenizer: Tokenizer, text: str) -> list[str]:
    """Cut a text into the words that merges never cross."""
    if tokenizer.normalizer is not None:
        text = tokenizer.normalizer.normalize_str(text)
    if tokenizer.pre_tokenizer is None:
        return [text]
    return [word for word, _place in tokenizer.pre_tokenizer.pre_tokenize_str(text)]


def ids_of_word(word: str, rules: MergeRules) -> list[int]:
    """Return the ids that joining ends in, with single bytes where a character is missing."""
    if rules.whole_first and word in rules.ids:
        return [rules.ids[word]]
    symbols: list[str] = []
    for char in word:
        if char in rules.ids:
            symbols.append(char)
        else:
            symbols += [f"<0x{byte:02X}>" for byte in char.encode()]
    return [rules.ids[symbol] for symbol in joined(symbols, rules)]


FOLDERS: Final = ("starter", "gpt2", "qwen3", "falcon", "stories260K-hf")


def folder_of(name: str) -> Path:
    if name == "starter":
        return STARTER
    return asset(name if name.startswith("stories") else f"tokenizers/{name}")


@pytest.mark.parametrize("name", FOLDERS)
def test_joining_ends_in_the_tokenizers_own_ids(name: str) -> None:
    folder = folder_of(name)
    tokenizer, rules = hf_tokenizer(folder), read_rules(folder)
    assert rules.kind == "bpe"
    for text in texts(1, N_TEXTS):
        expected = tokenizer.encode(text, add_special_tokens=False).ids
        if rules.added & set(expected):
            continue  # runs of spaces and the like are cut out before any joining
        found = [one for word in cut_words(tokenizer, text) for one in ids_of_word(word, rules)]
        assert found == expected, repr(text)


@pytest.mark.parametrize("name", FOLDERS)
def test_every_token_of_a_text_is_built_alone_as_in_its_text(name: str) -> None:
    folder = folder_of(name)
    tokenizer, rules = hf_tokenizer(folder), read_rules(folder)
    seen: set[int] = set()
    for text in texts(2, 2_000):
        seen |= set(tokenizer.encode(text, add_special_tokens=False).ids)
    hows = set()
    for token_id in seen:
        found = built(token_id, rules)
        hows.add(found.how)
        if found.how == "merged":
            assert found.steps[-1].parts == (found.part,)
            assert len(found.steps) == len(found.start) - 1
            assert b"".join(part.data for part in found.start) == found.part.data
    assert "merged" in hows
    assert hows <= {"merged", "single", "byte", "added"}


VOCABULARIES: Final = {"gpt2": "gpt-2", "coder": "deepseek-coder", "spm": "llama-spm"}


def vocabulary_of(name: str) -> Path:
    if name == "starter":
        return STARTER.parent / "starter-base-Q8_0.gguf"
    if name == "stories":
        return asset("stories260K/stories260K.gguf")
    return asset(f"gguf-vocab/ggml-vocab-{VOCABULARIES[name]}.gguf")


def ids_of_whole_text(text: str, rules: MergeRules) -> list[int]:
    """Join a whole text at once, as SentencePiece does, a space before it.

    What the vocabulary lacks becomes bytes.
    """
    found: list[int] = []
    for symbol in joined(f" {text}".replace(" ", "\u2581"), rules):
        missing = [f"<0x{byte:02X}>" for byte in symbol.encode()]
        found += [rules.ids[one] for one in ([symbol] if symbol in rules.ids else missing)]
    return found


@pytest.mark.parametrize("name", ["starter", "stories", *VOCABULARIES])
def test_tokens_of_gguf_files_are_built_as_llama_cpp_cuts_them(name: str) -> None:
    path = vocabulary_of(name)
    rules = read_rules(path)
    assert rules.kind == ("scores" if name in {"stories", "spm"} else "bpe")
    with opened_vocabulary(path, adds_space=True) as vocabulary:
        seen: set[int] = set()
        for text in texts(3, N_TEXTS):
            ids = vocabulary.tokenize(text)
            if rules.kind == "scores" and not rules.added & set(ids):
                assert ids_of_whole_text(text, rules) == ids, repr(text)
            seen |= set(ids)
        for token_id in seen:
            found = built(token_id, rules)
            assert found.how in {"merged", "single", "byte", "added"}, found
            if found.how == "merged":
                assert found.steps[-1].parts == (found.part,)
            if found.how != "added":
                assert found.part.data == vocabulary.piece(token_id)


@pytest.mark.parametrize(("name", "folder"), [("starter", "starter"), ("gpt2", "gpt2")])
def test_merges_of_gguf_files_end_in_llama_cpps_own_ids(name: str, folder: str) -> None:
    """Words are cut by the same model's tokenizer.json: a GGUF file names the rule only."""
    tokenizer, path = hf_tokenizer(folder_of(folder)), vocabulary_of(name)
    rules, compared = read_rules(path), 0
    with opened_vocabulary(path, adds_space=False) as vocabulary:
        for text in texts(4, N_TEXTS):
            expected = vocabulary.tokenize(text)
            if rules.added & set(expected):
                continue
            found = [one for word in cut_words(tokenizer, text) for one in ids_of_word(word, rules)]
            assert found == expected, repr(text)
            compared += 1
    assert compared > N_TEXTS // 2


@pytest.mark.parametrize("name", ["starter", "gpt2", "coder"])
def test_what_one_word_of_a_gguf_file_is_cut_into_is_what_merging_leaves(name: str) -> None:
    """Letters alone are one word to every byte-level tokenizer, however it cuts texts."""
    path, draw = vocabulary_of(name), random.Random(5)
    rules = read_rules(path)
    with opened_vocabulary(path, adds_space=False) as vocabulary:
        for _ in range(N_TEXTS):
            word = "".join(draw.choice(ALPHABETS[0]) for _ in range(draw.randint(1, 14)))
            assert ids_of_word(word, rules) == vocabulary.tokenize(word), word


def test_steps_follow_the_list_of_merges_from_the_left() -> None:
    texts = ("a", "b", "c", "ab", "bc", "abc", "abab")
    ids = {text: place for place, text in enumerate(texts)}
    ranks = {("b", "c"): 0, ("a", "b"): 1, ("ab", "ab"): 2, ("a", "bc"): 3}
    rules = MergeRules("bpe", "BPE", dict(enumerate(texts)), ids, ranks)
    assert [after for after, _at in joins("abab", rules)] == [
        ("ab", "a", "b"),
        ("ab", "ab"),
        ("abab",),
    ]
    steps = built(ids["abc"], rules).steps
    assert [(step.rank, step.at, "|".join(part.text for part in step.parts)) for step in steps] == [
        (1, 1, "a|bc"),
        (4, 0, "abc"),
    ]


def test_a_token_that_no_merge_makes_is_told_to_be_whole() -> None:
    rules = MergeRules("bpe", "BPE", {0: "a", 1: "ab"}, {"a": 0, "ab": 1})
    assert built(1, rules).how == "whole"
    assert built(0, rules).how == "single"
    assert built(7, rules).how == "added"
