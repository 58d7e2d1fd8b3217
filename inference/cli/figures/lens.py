"""What each layer would say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.figures.shared import LENS_TOP, ids_of, share_text, token_text, top_of
from inference.inside.questions import AskLens, Lens

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
    """Return what each layer would say after the text."""
    question = AskLens(ids_of(pieces), top_of(arguments, LENS_TOP))
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Lens)  # noqa: S101  as above
    layers: list[Json] = [
        {
            "layer": layer,
            "top": [{"id": one.id, "text": one.text, "logprob": one.logprob} for one in top],
        }
        for layer, top in enumerate(found.layers)
    ]
    return {"origin": found.origin, "layers": layers}


def print_lens(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print a line for each layer."""
    console.line("What each layer would say next (derived: last norm and output head applied):")
    rows = [
        (
            str(layer["layer"]),
            *(f"{token_text(one)} {share_text(one['logprob'])}" for one in layer["top"]),
        )
        for layer in figure["layers"]
    ]
    console.table(rows, right=(0,))
