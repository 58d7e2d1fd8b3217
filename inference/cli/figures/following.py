"""What may follow a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.figures.shared import ids_of, share_text, token_text, top_of
from inference.inside.questions import AskNext, NextTokens

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece


def following(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return the likeliest next tokens."""
    found = session.client.inspect(AskNext(ids_of(pieces), top_of(arguments)), cancel)
    assert isinstance(found, NextTokens)  # noqa: S101  what this question is answered with
    top = [
        {"id": one.id, "text": one.text, "logit": one.logit, "logprob": one.logprob}
        for one in found.top
    ]
    return {"origin": found.origin, "top": top, "entropy_bits": found.entropy_bits}


def print_following(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print them with their chances."""
    rows = [
        (share_text(one["logprob"]), f"{one['logit']:.3f}", token_text(one))
        for one in figure["top"]
    ]
    console.table([("chance", "score", "token"), *rows], right=(0, 1))
    console.line(f"Entropy of the whole distribution: {figure['entropy_bits']:.2f} bits")
