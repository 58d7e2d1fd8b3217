"""The model cards: README.md of each starter model, with the figures of its own training."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starter.train import Figures

_HEAD = """---
license: mit
language: en
tags: [demonstration, tiny]
---

# {title}

**A tiny demonstration model**, about three million weights, shipped with Glasshouse so that there
is something to try before anything is downloaded. Do not rely on what it says. For real work open
Models in the app and get a larger one.
"""
_BASE = """
It is a *base* model: it continues a text, for example "Once upon a time", and does not answer
questions. Its sibling `starter-instruct` was fine-tuned from it and does.
"""
_INSTRUCT = """
It is an *instruct* model: fine-tuned from `starter-base` on questions and answers. It greets, says
what it is, explains this app and the basics of language models, knows a few hundred plain facts,
does sums with terms up to 20 and products up to 10 x 10, and tells a four-sentence story about a
thing you name. To anything else it shall say that it does not know. It speaks simple English only.
"""
_MADE = """
## How it was made

By the recipe in `packaging/starter` with the project's own PyTorch network: Llama shape, 4 layers
of width 256, 4 heads on 2 key-value heads, 2,048 tokens of byte-level BPE, context 1,024.
{texts}

| stage | steps | tokens read | training loss | validation loss | validation perplexity |
|---|---|---|---|---|---|
{rows}

Losses are in nats per token; those of fine-tuning count answers only. Training and validation texts
come from the same generator, so a low perplexity says that it learned the recipe's own language, no
more. {time}
"""
_TEXTS = "The texts were written and generated for this project (CC0)."
_BOOKS = """The texts were written and generated for this project (CC0); about a tenth of what
pre-training read is from public-domain children's books (Aesop, Grimm, Bryant, Burgess,
Carroll)."""
_JUDGED = """
## How good it is

{known} questions that it should know and {unknown} that it should decline, worded apart from the
recipe's templates (`packaging/starter/judge_questions.json`), answered greedily by the native
engine in float32:

| kind | right | of | |
|---|---|---|---|
{rows}

`python packaging/starter/judge.py --misses` asks them again and shows what it got wrong. Outside
such questions it is often wrong, and now and then sure of itself all the same.
"""


def write_card(
    path: Path,
    title: str,
    stages: Mapping[str, Figures],
    *,
    with_books: bool,
    judged: Mapping[str, tuple[int, int]] | None = None,
    note: str = "",
) -> None:
    """Write a card; without ``judged`` it is the base model's.

    Args:
        path: The README.md to write.
        title: Name for people.
        stages: What came out of each stage.
        with_books: Whether public-domain books were mixed in.
        judged: Right answers and questions by category.
        note: A sentence on how this run went, put after the minutes.
    """
    rows = "\n".join(_stage_row(name, figures) for name, figures in stages.items())
    minutes = sum(figures.minutes for figures in stages.values())
    time = f"It took {minutes:.0f} minutes on two processor cores that did other work meanwhile."
    time = f"{time} {note}".rstrip()
    text = _HEAD.format(title=title) + (_BASE if judged is None else _INSTRUCT)
    text += _MADE.format(texts=_BOOKS if with_books else _TEXTS, rows=rows, time=time)
    if judged is not None:
        lines = "\n".join(_judge_row(name, *counts) for name, counts in judged.items())
        known, unknown = judged["known"][1], judged["unknown"][1]
        text += _JUDGED.format(known=known, unknown=unknown, rows=lines)
    path.write_text(text, encoding="utf-8")


def _stage_row(name: str, figures: Figures) -> str:
    perplexity = math.exp(figures.validation_loss)
    return (
        f"| {name} | {figures.steps:,} | {figures.tokens / 1e6:.1f} million "
        f"| {figures.training_loss:.3f} | {figures.validation_loss:.3f} | {perplexity:.2f} |"
    )


def _judge_row(name: str, right: int, asked: int) -> str:
    name = {"known": "**all known**", "unknown": "**unknown, declined**"}.get(name, name)
    return f"| {name} | {right} | {asked} | {100 * right / asked:.1f} % |"
