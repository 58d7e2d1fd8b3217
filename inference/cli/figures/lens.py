"""What each layer would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.figures.shared import LENS_TOP, ids_of, share_text, token_text, top_of
from inference.inside.questions import AskLens, AskLensAlong, Lens

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece


def lens(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return what each layer would say after the text; with --along, after each of its tokens."""
    if arguments.along:
        return _along(session, pieces, cancel)
    question = AskLens(ids_of(pieces), top_of(arguments, LENS_TOP))
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Lens)  # noqa: S101  what this question is answered with
    layers: list[Json] = [
        {
            "layer": layer,
            "top": [{"id": one.id, "text": one.text, "logprob": one.logprob} for one in top],
        }
        for layer, top in enumerate(found.layers)
    ]
    return {"origin": found.origin, "layers": layers}


def _along(session: Session, pieces: Sequence[TokenPiece], cancel: CancelToken) -> Figure:
    places = tuple(range(len(pieces)))
    found = session.client.inspect(AskLensAlong(ids_of(pieces), places), cancel)
    assert isinstance(found, Lens)  # noqa: S101  as above
    layers: list[Json] = [
        {
            "layer": layer,
            "after": [
                {"id": one.id, "text": one.text, "logprob": one.logprob} for one in likeliest
            ],
        }
        for layer, likeliest in enumerate(found.layers)
    ]
    return {"origin": found.origin, "layers": layers}


def print_lens(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print a line for each layer; along a text, one for each of its tokens."""
    if any("after" in layer for layer in figure["layers"]):
        _print_along(figure, pieces)
        return
    console.line("What each layer would say next (derived: last norm and output head applied):")
    rows = [
        (
            str(layer["layer"]),
            *(f"{token_text(one)} {share_text(one['logprob'])}" for one in layer["top"]),
        )
        for layer in figure["layers"]
    ]
    console.table(rows, right=(0,))


def _print_along(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    console.line("What each layer would say after each token (derived, likeliest only):")
    rows = [("after", *(str(layer["layer"]) for layer in figure["layers"]))]
    for place, piece in enumerate(pieces):
        said = (token_text(layer["after"][place]) for layer in figure["layers"])
        rows.append((console.token_text(piece.id, piece.text), *said))
    console.table(rows)
