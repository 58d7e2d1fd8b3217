"""Words in the model's own table: sums of them, maps of them, and how a context turns one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.cli.figures.shared import ids_of, place_of, token_text, top_of
from inference.errors import UnsupportedRequestError
from inference.inside.questions import (
    Array,
    AskContext,
    AskMap,
    AskSum,
    Neighbours,
    Term,
    WordMap,
)
from inference.inside.word_forms import better, both_forms, terms, words

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.inside.questions import MapMethod
    from inference.types import TokenPiece


def analogy(
    session: Session,
    arguments: argparse.Namespace,
    _pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return the tokens nearest to a sum of words: TEXT is "king - man + woman"."""
    parts = terms(arguments.text)
    ids = _forms(session, [word for _sign, word in parts])
    question = AskSum(
        tuple(Term(found, sign) for (sign, _word), found in zip(parts, ids, strict=True)),
        top_of(arguments),
    )
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Neighbours)  # noqa: S101  what this question is answered with
    rows = [{"id": one.id, "text": one.text, "cosine": one.cosine} for one in found.found]
    own = [{"id": one.id, "text": one.text, "cosine": one.cosine} for one in found.left_out]
    sums = [
        {"sign": sign, "word": word, "ids": list(part)}
        for (sign, word), part in zip(parts, ids, strict=True)
    ]
    return {"origin": found.origin, "terms": sums, "neighbours": rows, "left_out": own}


def print_analogy(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print the nearest tokens, and those of the words themselves apart."""
    console.line("Nearest to the sum in the model's input table:")
    rows = [(f"{one['cosine']:.3f}", token_text(one)) for one in figure["neighbours"]]
    console.table([("cosine", "token"), *rows], right=(0,))
    console.line("Left out, since they are in the sum:")
    own = [(f"{one['cosine']:.3f}", token_text(one)) for one in figure["left_out"]]
    console.table(own, right=(0,))


def word_map(
    session: Session,
    arguments: argparse.Namespace,
    _pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return a map of the words of TEXT, and of frequent ones beside them."""
    wanted = _forms(session, words(arguments.text))
    frequent = int(arguments.frequent or 0)
    method: MapMethod = arguments.projection or "pca"
    found = session.client.inspect(AskMap(wanted, frequent, method), cancel)
    assert isinstance(found, WordMap)  # noqa: S101  as above
    spots = found.spots.numbers().tolist()
    rows = [{"text": name, "x": x, "y": y} for name, (x, y) in zip(found.names, spots, strict=True)]
    return {
        "origin": found.origin,
        "projection": method,
        "words": rows,
        "explained_variance": list(found.spread),
        "neighbours_looked_at": found.n_near,
        "neighbours_kept": found.kept,
        "kept_by_chance": found.by_chance,
        "trustworthiness": found.trust,
    }


def print_map(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print where each word stands, and how far the map can be trusted."""
    rows = [(f"{one['x']:.3f}", f"{one['y']:.3f}", one["text"].strip()) for one in figure["words"]]
    console.table([("x", "y", "word"), *rows], right=(0, 1))
    if shares := figure["explained_variance"]:
        told = " and ".join(f"{100 * share:.1f} %" for share in shares)
        console.line(f"The two directions hold {told} of how the words differ.")
    console.line(
        f"Of the {figure['neighbours_looked_at']} nearest words {figure['neighbours_kept']:.0%} "
        f"are near on the map too (by chance {figure['kept_by_chance']:.0%}); "
        f"trustworthiness {figure['trustworthiness']:.2f} of 1."
    )


def context(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Return how far each block has turned a token from its start, as cosines."""
    place = place_of(arguments, pieces)
    found = session.client.inspect(AskContext(ids_of(pieces), place), cancel)
    assert isinstance(found, Array)  # noqa: S101  as above
    rows = found.numbers().tolist()
    return {"origin": "derived", "place": place, "with_start": rows[0], "any_two": rows[-1]}


def print_context(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print a line for each block."""
    piece = pieces[figure["place"]]
    console.line(f"How the context turns {console.token_text(piece.id, piece.text)}, as cosines:")
    rows = [("after block", "with its start", "any two tokens")]
    pairs = zip(figure["with_start"], figure["any_two"], strict=True)
    for layer, (own, others) in enumerate(pairs):
        rows.append((str(layer - 1) if layer else "start", f"{own:.3f}", f"{others:.3f}"))
    console.table(rows, right=(0, 1, 2))


def _forms(session: Session, wanted: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Return the ids of each word, in the form that the model cuts up less.

    Raises:
        UnsupportedRequestError: There is no word.
    """
    if not wanted:
        raise UnsupportedRequestError(
            "There is no word in the text.", "Write words, such as `king - man + woman`."
        )
    found = [session.client.tokenize(form, add_bos=False) for form in both_forms(wanted)]
    return tuple(ids_of(pieces) for pieces in better(found))
