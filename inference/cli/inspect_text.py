"""What ``glasshouse inspect`` says of a whole text, which may be long: how expected it was."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from inference.cli import console
from inference.cli.meter import Meter
from inference.cli.options import clean_path, whole
from inference.inside.perplexity import METHODS, Reading, measure, stride_of, window_for
from inference.inside.words import scored_bytes
from inference.text.files import read_text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.session import Session
    from inference.types import TokenPiece

    Figure: TypeAlias = dict[str, Any]  # JSON of our own making


def add_text_options(parser: argparse.ArgumentParser) -> None:
    """Add TEXT, where else it may come from, and how a long one is read."""
    parser.add_argument("text", metavar="TEXT", nargs="?")
    parser.add_argument(
        "--file", metavar="FILE", type=clean_path, help="take the text from a file, however long"
    )
    add_reading_options(
        parser,
        "tokens read at once for perplexity (the whole context; with --method llama.cpp 512)",
    )


def add_reading_options(parser: argparse.ArgumentParser, window_help: str) -> None:
    """Add how a long text is read for its perplexity."""
    parser.add_argument(
        "--method",
        choices=METHODS,
        default="overlap",
        help="how perplexity reads a long text: in windows that overlap by half, each token scored "
        "once, or as the perplexity program of llama.cpp does: windows side by side, of each the "
        "second half scored",
    )
    parser.add_argument(
        "--window",
        type=whole(4),
        metavar="N",
        help=window_help,
    )


def given_text(arguments: argparse.Namespace) -> str:
    """Return the text to look at: TEXT, --file, or standard input.

    Raises:
        InferenceError: The file cannot be read, or is no text.
    """
    if arguments.file is not None:
        if arguments.text is not None:
            arguments.parser.error("give either TEXT or --file")
        return read_text(Path(arguments.file).expanduser())
    return console.read_input() if arguments.text is None else console.clean(arguments.text)


def perplexity(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    """Score a text of any length, ``arguments.text``; a terminal is told how far it is.

    Raises:
        InferenceError: One of its children.
    """
    loaded = session.loaded
    window = window_for(loaded.n_ctx, arguments.method, arguments.window)
    has_bos = loaded.adds_bos and bool(pieces) and pieces[0].special
    ids = tuple(piece.id for piece in pieces)
    reading = Reading(ids, window, has_bos=has_bos, method=arguments.method)
    meter = Meter(as_json=False)
    try:
        score = measure(
            reading,
            lambda question: session.client.inspect(question, cancel),
            lambda done: meter.tell(f"Reading: {done:.0%} of {len(ids):,} tokens", None),
        )
    finally:
        meter.clear()
    tokens: list[Json] = [
        {"id": piece.id, "text": piece.text, "logprob": logprob}
        for piece, logprob in zip(pieces, score.logprobs, strict=True)
    ]
    n_bytes = scored_bytes(_text_of(arguments, pieces), pieces, score.logprobs)
    figure: Figure = {
        "origin": "measured",
        "perplexity": score.perplexity,
        "bits_per_byte": score.bits_per_byte(n_bytes) if n_bytes else None,
        "tokens": tokens,
    }
    if arguments.method != "overlap":
        figure["method"] = arguments.method
    if score.n_windows > 1:
        figure |= {"windows": score.n_windows, "window": window}
    return figure


def _text_of(arguments: argparse.Namespace, pieces: Sequence[TokenPiece]) -> str:
    """Return the text that was read; of a chat what its template wrote too, but special tokens."""
    if not arguments.chat:
        return str(arguments.text)
    said = b"".join(piece.data for piece in pieces if not piece.special)
    return said.decode("utf-8", "replace")


def print_perplexity(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    """Print the surprise of each token, and what follows from all of them."""
    bits = [
        None if one["logprob"] is None else -one["logprob"] / math.log(2)
        for one in figure["tokens"]
    ]
    rows = [
        ("" if surprise is None else f"{surprise:.2f}", console.quoted(piece.text))
        for surprise, piece in zip(bits, pieces, strict=True)
    ]
    console.table([("bits", "token"), *rows], right=(0,))
    console.line(f"Perplexity: {console.perplexity_text(figure['perplexity'])}")
    told = [surprise for surprise in bits if surprise is not None]
    console.line(f"{len(told):,} tokens scored, {math.fsum(told) / len(told):.3f} bits each")
    if figure["bits_per_byte"] is not None:
        console.line(f"{figure['bits_per_byte']:.3f} bits per byte of text")
    if "windows" not in figure:
        return
    windows = f"Read in {figure['windows']:,} windows of {figure['window']:,} tokens"
    if "method" in figure:
        console.line(f"{windows}, as llama.cpp does: of each the second half is scored.")
        return
    stride = stride_of(figure["window"], "overlap")
    console.line(f"{windows} that overlap by {stride:,}; each token is scored once.")
