"""Where heads look: one head, all of them, all layers in one, and what a look is made of."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from inference.cli import console
from inference.cli.figures.shared import ids_of, place_of
from inference.errors import UnsupportedRequestError
from inference.inside.products import AskProducts, Products
from inference.inside.questions import Array, AskAttention, AskRollout
from inference.library.anatomy import anatomy

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece

_FIRST_TOLD = 2  # every token has the first one before it, and the second only two to look at


def attention(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return the weights of a head, or of a layer."""
    question = AskAttention(ids_of(pieces), arguments.layer, head_of(arguments))
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Array)  # noqa: S101  as above
    return {
        "origin": "measured" if isinstance(head_of(arguments), int) else "derived",
        "layers": session.loaded.n_layers,
        "heads": anatomy(session.info).n_heads,
        "layer": arguments.layer,
        "head": head_of(arguments),
        "weights": found.numbers().tolist(),
    }


def print_attention(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print where the last token looks."""
    console.line(
        f"Layer {figure['layer']} of 0 to {figure['layers'] - 1}, head {figure['head']}: where the "
        "last token looks. --json gives every row. Attention is not an explanation."
    )
    _print_shares(figure["weights"][-1], pieces)


def head_of(arguments: argparse.Namespace) -> int | Literal["mean", "max"]:
    """Return the head, or how those of the layer become one."""
    head: int | Literal["mean", "max"] = "mean" if arguments.head is None else arguments.head
    return head


def rollout(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return attention roll-out (Abnar & Zuidema 2020): how the layers pass each start on."""
    found = session.client.inspect(AskRollout(ids_of(pieces)), cancel)
    assert isinstance(found, Array)  # noqa: S101  what this question is answered with
    return {"origin": found.origin, "weights": found.numbers().tolist()}


def print_rollout(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print what reaches the last token."""
    console.line(
        "How much of each token's start reaches the last one, all layers in one (attention "
        "roll-out, derived). --json gives every row."
    )
    _print_shares(figure["weights"][-1], pieces)


def heads(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return for each layer and head where it looks, as means over the tokens from the third on."""
    ids = ids_of(pieces)
    rows: list[Json] = []
    for layer in range(session.loaded.n_layers):
        found = session.client.inspect(AskAttention(ids, layer, "all"), cancel)
        assert isinstance(found, Array)  # noqa: S101  as above
        rows += [
            {"layer": layer, "head": head, **_habits(weights)}
            for head, weights in enumerate(found.numbers())
        ]
    return {"origin": "derived", "heads": rows}


def _habits(weights: npt.NDArray[np.float32]) -> dict[str, Json]:
    """Return mean shares and the mean entropy of rows, (T, T); None where the text is too short."""
    from inference.inside.attention import habits  # noqa: PLC0415  the help is shown without numpy

    if len(weights) < _FIRST_TOLD + 1:
        return {"itself": None, "previous": None, "first": None, "entropy_bits": None}
    itself, previous, first = map(float, habits(weights))
    rows = weights[_FIRST_TOLD:].astype(float)
    entropies = [-sum(share * math.log2(share) for share in row if share > 0) for row in rows]
    entropy = math.fsum(entropies) / len(entropies)
    return {"itself": itself, "previous": previous, "first": first, "entropy_bits": entropy}


def print_heads(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print a line for each head."""
    console.line("Where heads look, mean over the tokens from the third on (derived):")
    rows = [
        (
            str(one["layer"]),
            str(one["head"]),
            *(_percent(one[name]) for name in ("itself", "previous", "first")),
            "-" if one["entropy_bits"] is None else f"{one['entropy_bits']:.2f}",
        )
        for one in figure["heads"]
    ]
    titles = ("layer", "head", "itself", "previous", "first", "entropy (bits)")
    console.table([titles, *rows], right=range(6))


def scores(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return what the looks of one token in one head are made of: query, keys, scores, shares."""
    head, place = arguments.head or 0, place_of(arguments, pieces)
    if place < 0:
        raise UnsupportedRequestError("The text is empty.", "Give a text of one token at least.")
    question = AskProducts(ids_of(pieces), arguments.layer, head, place)
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Products)  # noqa: S101  as above
    return {
        "origin": found.origin,
        "layer": arguments.layer,
        "head": head,
        "place": place,
        "scale": found.scale,
        "cap": found.cap,
        "query": found.looking().tolist(),
        "keys": found.looked_at().tolist(),
        "scores": found.scores().tolist(),
        "weights": found.taken().tolist(),
    }


def print_scores(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print score and share of each token that is looked at."""
    console.line(
        f"Layer {figure['layer']}, head {figure['head']}: what "
        f"{console.quoted(pieces[figure['place']].text)} (token {figure['place']}) looks at. The "
        f"score is query times key times {figure['scale']:.4f}; the share its softmax."
    )
    told = zip(figure["scores"], figure["weights"], pieces, strict=False)
    rows = [
        (f"{score:.3f}", _percent(share), console.quoted(piece.text))
        for score, share, piece in told
    ]
    console.table([("score", "share", "token"), *rows], right=(0, 1))


def _print_shares(shares: Sequence[float], pieces: Sequence[TokenPiece]) -> None:
    told = zip(shares, pieces, strict=True)
    console.table([(_percent(share), console.quoted(one.text)) for share, one in told], right=(0,))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
