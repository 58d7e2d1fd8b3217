"""What ``glasshouse tokens`` says beside the tokens: how they were built, and how others cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.languages import languages_json
from inference.tokenizing.job import build_tokens, cut_texts
from inference.tokenizing.orders import BuildTokens, Cut

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.tokenizing.merges import BuiltToken
    from inference.tokenizing.orders import Built, CutText
    from inference.types import ModelInfo, TokenPiece

_HOW = {
    "single": "one symbol of the vocabulary",
    "byte": "one byte, of a character that the vocabulary lacks",
    "added": "cut out of the text before anything is merged",
    "whole": "taken whole from the vocabulary",
    "no merges": "this kind of tokenizer does not merge",
}


def how_built(info: ModelInfo, tokens: Sequence[TokenPiece], cancel: CancelToken) -> Built:
    """Return how each token came about."""
    ids = tuple(piece.id for piece in tokens)
    return build_tokens(BuildTokens(info.path, ids), cancel)


def print_built(found: Built) -> None:
    """Print the steps of each token, each token once."""
    console.line()
    merges = f", {found.n_merges:,} merges" if found.n_merges else ""
    console.line(f"{found.method}{merges}")
    for token in dict.fromkeys(found.tokens):
        name = console.quoted(_shown(token.part.text, token.part.data))
        console.line(f"{token.token_id}  {name}: {_told(token, found.method)}")
        for step in token.steps:
            order = f"merge {step.rank:,}" if step.rank else f"score {step.score:g}"
            parts = " ".join(console.quoted(_shown(part.text, part.data)) for part in step.parts)
            console.line(f"    {parts}  ({order})")


def built_json(found: Built) -> list[dict[str, Json]]:
    """Return the same as values."""
    return [
        {
            "id": token.token_id,
            "how": token.how,
            "steps": [
                {
                    "parts": [part.text for part in step.parts],
                    **({"merge": step.rank} if step.rank else {"score": step.score}),
                }
                for step in token.steps
            ],
        }
        for token in found.tokens
    ]


def other_cuts(
    models: Sequence[ModelInfo], order: CutText, cancel: CancelToken
) -> list[dict[str, Json]]:
    """Return how other models cut the same text; what cannot be read says why.

    Args:
        models: In the order of the order's paths.
        order: What they are asked.
        cancel: Gives it up.
    """
    told = cut_texts(order, cancel)
    rows: list[dict[str, Json]] = []
    for model, one in zip(models, told, strict=True):
        if isinstance(one, Cut):
            ids: list[Json] = [{"id": piece.id, "text": piece.text} for piece in one.tokens]
            row: dict[str, Json] = {"model": model.id, "count": len(one.tokens), "tokens": ids}
            if order.languages:
                row["languages"] = languages_json(one.languages)
            rows.append(row)
        else:
            rows.append({"model": model.id, "problem": getattr(one, "message", "")})
    return rows


def print_cuts(rows: Sequence[Mapping[str, Json]], text: str) -> None:
    """Print the counts of each model."""
    console.line()
    words, characters = max(1, len(text.split())), len(text)
    table = [("model", "tokens", "a word", "characters a token")]
    for row in rows:
        count = row.get("count")
        if isinstance(count, int):
            each = f"{characters / count:.2f}" if count else "-"
            table.append((str(row["model"]), f"{count:,}", f"{count / words:.2f}", each))
        else:
            table.append((str(row["model"]), "-", "-", str(row["problem"])))
    console.table(table, right=(1, 2))


def _told(token: BuiltToken, method: str) -> str:
    if token.how != "merged":
        scored = method == "Unigram" and token.score is not None
        return _HOW[token.how] + (f"; its score is {token.score:g}" if scored else "")
    return " ".join(console.quoted(_shown(part.text, part.data)) for part in token.start)


def _shown(text: str, data: bytes) -> str:
    """Return half a character as its bytes in hexadecimal."""
    return f"<{data.hex(' ').upper()}>" if "\ufffd" in text else text
