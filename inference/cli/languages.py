"""What ``glasshouse tokens --languages`` says: what each language of a text costs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.tokenizing.job import tell_languages
from inference.tokenizing.orders import TellLanguages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.tokenizing.orders import LanguageCost
    from inference.types import TokenPiece


def languages_of(
    tokens: Sequence[TokenPiece], said: tuple[str, ...], cancel: CancelToken
) -> tuple[LanguageCost, ...]:
    """Return what each language costs; ``said`` is what a chat holds beside its template."""
    return tell_languages(TellLanguages(tuple(tokens), said), cancel).costs


def languages_json(costs: Sequence[LanguageCost]) -> list[Json]:
    """Return the same as values; what is in no language that is told has none."""
    return [
        {
            "language": cost.language or None,
            "name": cost.name,
            "words": cost.words,
            "characters": cost.characters,
            "bytes": cost.n_bytes,
            "tokens": cost.tokens,
        }
        for cost in costs
    ]


def print_languages(costs: Sequence[LanguageCost]) -> None:
    """Print what each language costs, and how it was told."""
    heads = ("language", "words", "characters", "bytes", "tokens", "a word", "bytes a token")
    rows = [heads]
    for cost in costs:
        words = "-" if cost.words is None else f"{cost.words:,}"
        counts = (f"{cost.characters:,}", f"{cost.n_bytes:,}", f"{cost.tokens:,}")
        each = f"{cost.tokens / cost.words:.2f}" if cost.words else "-"
        rows.append((cost.name, words, *counts, each, f"{cost.n_bytes / cost.tokens:.2f}"))
    console.line()
    console.table(rows, right=(1, 2, 3, 4, 5, 6))
    console.line(
        "Guessed sentence by sentence from the letters, by py3langid. A sentence that is too short "
        "takes the language of the text around it, or counts as not told."
    )
    unspaced = [cost.name for cost in costs if cost.language and cost.words is None]
    if unspaced:
        console.line(f"{', '.join(unspaced)}: written without spaces, so no words are counted.")
