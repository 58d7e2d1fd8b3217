"""What each block adds to the stream, and the tokens that this makes likelier or less likely."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.figures.shared import ids_of, place_of, token_text
from inference.inside.pushes import AskPushes, Pushes

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.inside.pushes import Push
    from inference.types import TokenPiece

_TOP = 5


def updates(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return the length of what each part adds, and what it does to the tokens' scores."""
    place = place_of(arguments, pieces)
    top = _TOP if arguments.top is None else int(arguments.top)
    question = AskPushes(ids_of(pieces), top_n=top, position=place)
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Pushes)  # noqa: S101  what this question is answered with
    parts: list[Json] = [
        {
            "part": part.kind,
            "layer": part.layer if part.layer >= 0 else None,
            "norm": part.length,
            "mean": part.mean,
            "promoted": _tokens(part.promoted),
            "suppressed": _tokens(part.suppressed),
        }
        for part in found.parts
    ]
    return {"origin": found.origin, "place": place, "parts": parts}


def print_updates(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print a line for each part, likelier tokens before less likely ones."""
    piece = pieces[figure["place"]]
    console.line(
        f"What each part adds after {console.token_text(piece.id, piece.text)}, put through the "
        "last norm and the output head (derived; rises against the mean of all tokens):"
    )
    rows: list[tuple[str, ...]] = [("part", "norm", "likelier", "less likely")]
    for part in figure["parts"]:
        layer = "" if part["layer"] is None else f"{part['layer']} "
        told = [
            ", ".join(f"{token_text(one)} {one['rise'] - part['mean']:+.2f}" for one in part[side])
            for side in ("promoted", "suppressed")
        ]
        rows.append((f"{layer}{part['part']}", f"{part['norm']:.2f}", *told))
    console.table(rows, right=(1,))


def _tokens(pushes: Sequence[Push]) -> list[Json]:
    return [{"id": one.id, "text": one.text, "rise": one.rise} for one in pushes]
