"""What a change does: a run as the model is, and one with parts off or a token exchanged."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Final, Literal, cast

from inference.cli import console
from inference.cli.figures.shared import ids_of, share_text, token_text, top_of
from inference.cli.options import number, whole
from inference.errors import UnsupportedRequestError
from inference.inside.questions import AskChanged, BlockOff, ChangedRun, EdgeOff, HeadOff

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.inside.questions import Change, NextTokens, WrittenStep
    from inference.types import TokenPiece

_LENGTH: Final = 12
_PAIR: Final = re.compile(r"(head|edge):(\d+):(\d+)")
_LONE: Final = re.compile(r"(block|attention|forward):(\d+)")


def add_change_options(parser: argparse.ArgumentParser) -> None:
    """Add what is changed, and how both runs go on."""
    group = parser.add_argument_group("--what changed")
    group.add_argument(
        "--off",
        metavar="PART",
        type=_part,
        action="append",
        help="head:LAYER:HEAD, block:LAYER, attention:LAYER, forward:LAYER, or edge:PLACE:TARGET "
        "(the token at PLACE cannot look at the one at TARGET); all from 0; may be repeated",
    )
    group.add_argument(
        "--exchange",
        nargs=2,
        metavar=("N", "TOKEN"),
        help="put other text in the place of token N",
    )
    group.add_argument(
        "--temperature",
        type=number(0, 5),
        metavar="F",
        help="of the changed run, whose tokens are then drawn; without it the likeliest are taken",
    )
    group = parser.add_argument_group("--what changed, --what decoding")
    group.add_argument("--seed", type=whole(0, 2**32 - 1), metavar="N", help="of what is drawn (0)")
    group.add_argument(
        "--length",
        type=whole(0, 64),
        metavar="N",
        help="tokens that are written (changed: 12, decoding: 24)",
    )


def changed(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return both runs, the unchanged one first."""
    question = AskChanged(
        ids_of(pieces),
        tuple(arguments.off or ()),
        _exchanged(session, arguments, pieces),
        _LENGTH if arguments.length is None else arguments.length,
        temperatures=() if arguments.temperature is None else (arguments.temperature,),
        seed=arguments.seed or 0,
    )
    found = session.client.inspect(question, cancel)
    assert isinstance(found, ChangedRun)  # noqa: S101  what this question is answered with
    top = top_of(arguments)
    return {
        "origin": found.origin,
        "shift_bits": found.shift_bits,
        "before": _run(found.before, found.before_steps, found.before_text, top),
        "after": _run(found.after, found.after_steps, found.after_text, top),
    }


def print_changed(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print the chances of the next token side by side, and both texts."""
    before, after = figure["before"], figure["after"]
    chances = {one["id"]: one["logprob"] for one in after["top"]}
    rows = [("token", "as it is", "changed")]
    for one in before["top"]:
        other = chances.get(one["id"])
        told = "below the list" if other is None else share_text(other)
        rows.append((token_text(one), share_text(one["logprob"]), told))
    console.table(rows, right=(1, 2))
    shift = f"{figure['shift_bits']:.3f}"
    console.line(f"The change moves the chances of the next token by {shift} bits.")
    console.line(f"as it is:  {console.quoted(before['text'])}")
    console.line(f"changed:   {console.quoted(after['text'])}")


def _part(text: str) -> Change:
    if pair := _PAIR.fullmatch(text):
        kind = HeadOff if pair[1] == "head" else EdgeOff
        return kind(int(pair[2]), int(pair[3]))
    if lone := _LONE.fullmatch(text):
        part = cast('Literal["block", "attention", "forward"]', lone[1])
        return BlockOff(int(lone[2]), part)
    raise argparse.ArgumentTypeError(
        f"{text!r:.40} is none of head:LAYER:HEAD, block:LAYER, attention:LAYER, "
        "forward:LAYER, edge:PLACE:TARGET"
    )


def _exchanged(
    session: Session, arguments: argparse.Namespace, pieces: Sequence[TokenPiece]
) -> tuple[int, ...]:
    """Return the text with another token in it, or nothing where none is exchanged."""
    if arguments.exchange is None:
        return ()
    place, text = arguments.exchange
    if not place.isdecimal() or int(place) >= len(pieces):
        raise UnsupportedRequestError(
            f"The text has no token {place}: its {len(pieces)} tokens count from 0.",
            f"Give `--exchange` a number from 0 to {max(len(pieces) - 1, 0)}.",
        )
    new = ids_of(session.client.tokenize(text, add_bos=False))
    ids = ids_of(pieces)
    return (*ids[: int(place)], *new, *ids[int(place) + 1 :])


def _run(
    following: NextTokens, steps: Sequence[WrittenStep], text: str, top: int
) -> dict[str, Json]:
    return {
        "top": [
            {"id": one.id, "text": one.text, "logprob": one.logprob} for one in following.top[:top]
        ],
        "entropy_bits": following.entropy_bits,
        "text": text,
        "tokens": [{"id": step.id, "text": step.text} for step in steps],
    }
