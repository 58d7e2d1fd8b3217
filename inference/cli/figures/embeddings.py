"""Tokens whose input vectors point the same way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.figures.shared import ids_of, token_text, top_of
from inference.inside.questions import AskNeighbours, Neighbours

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece


def embeddings(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return the neighbours of the last token."""
    question = AskNeighbours(ids_of(pieces)[-1:], top_n=top_of(arguments))
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Neighbours)  # noqa: S101  as above
    rows = [{"id": one.id, "text": one.text, "cosine": one.cosine} for one in found.found]
    return {"origin": found.origin, "neighbours": rows}


def print_embeddings(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print them, nearest first."""
    console.line(f"Nearest to {console.quoted(pieces[-1].text)} in the model's input table:")
    rows = [(f"{one['cosine']:.3f}", token_text(one)) for one in figure["neighbours"]]
    console.table([("cosine", "token"), *rows], right=(0,))
