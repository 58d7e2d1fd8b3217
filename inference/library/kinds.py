"""What kind of model a checkpoint is, told from its names, its template and its metadata.

The words are those that authors use in names and tags; a person can correct the result
(``notes``). *Thinking* means that a model always thinks first; one with a switch for it is an
instruct model, here as in the catalogue.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.types import ModelKind

BASE = frozenset({"base", "pretrained", "pt"})
INSTRUCT = frozenset({"instruct", "chat", "it", "assistant", "sft", "dpo", "instruction"})
THINKING = frozenset({"thinking", "think", "reasoning", "reasoner", "r1"})
EMBEDDING = frozenset({"embed", "embedding", "embeddings"})
_NAMED: tuple[tuple[ModelKind, frozenset[str]], ...] = (
    ("thinking", THINKING),
    ("instruct", INSTRUCT),
    ("base", BASE),
)
ENCODERS = frozenset(
    {
        "bert", "nomic-bert", "nomic-bert-moe", "jina-bert-v2", "jina-bert-v3", "modern-bert",
        "neo-bert", "eurobert", "gemma-embedding", "t5encoder", "distilbert", "roberta",
        "xlm-roberta", "mpnet", "modernbert", "nomic_bert", "deberta-v2",
    }
)  # fmt: skip
"""Architectures that read texts and write none, as GGUF files and config.json name them."""

_WORDS = (re.compile(r"[a-z]+"), re.compile(r"[a-z]+\d"))  # "it" of "it2", and "r1"
_SWITCHES = ("enable_thinking", "thinking_budget", "if thinking", "/no_think")
_THOUGHTS = ("<think>", "</think>", "<|channel|>analysis", "[THINK]", "<seed:think>")


def words_of(names: Iterable[str]) -> frozenset[str]:
    """Return the words that names are made of, in lower case."""
    return frozenset(
        word for name in names for pattern in _WORDS for word in pattern.findall(name.lower())
    )


def kind_of_model(
    names: Iterable[str], template: str, architecture: str = "", *, pools: bool = False
) -> ModelKind:
    """Tell the kind of an installed model.

    Args:
        names: Its name, its file's or folder's, its tags.
        template: Its chat template; empty when it has none.
        architecture: As the files name it.
        pools: Whether the files say that its outputs are pooled to one vector for a text.
    """
    words = words_of(names)
    if pools or architecture in ENCODERS or words & EMBEDDING:
        return "embedding"
    if not template:
        return "base"  # without a template a model can only continue a text
    for kind, marks in _NAMED:  # many base models bring a template too
        if words & marks:
            return kind
    if any(mark in template for mark in _SWITCHES):
        return "instruct"
    return "thinking" if any(mark in template for mark in _THOUGHTS) else "unknown"
