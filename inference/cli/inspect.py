"""``glasshouse inspect``: figures from inside a model, measured by a real pass."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.inspect_text import add_text_options, given_text, perplexity, print_perplexity
from inference.cli.options import add_json, add_load_options, add_model, whole
from inference.cli.session import INTERRUPTED, Interrupted, interruptible, opened
from inference.inside.questions import (
    Array,
    AskAttention,
    AskLens,
    AskNeighbours,
    AskNext,
    Lens,
    Neighbours,
    NextTokens,
)
from inference.library.anatomy import anatomy, kv_bytes_per_token
from inference.types import Message

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from inference.cli.console import Json
    from inference.cli.session import Session
    from inference.types import TokenPiece

    Figure: TypeAlias = dict[str, Any]  # JSON of our own making

_DEFAULT_TOP = 20
_LENS_TOP = 5


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``inspect``."""
    parser = commands.add_parser(
        "inspect",
        help="figures from inside a model",
        description="Show what happens inside a model while it reads TEXT, which is taken as it "
        "is, without a chat template. Without TEXT, standard input is read.",
    )
    add_model(parser)
    add_text_options(parser)
    parser.add_argument(
        "--what",
        choices=tuple(_FIGURES),
        default="next",
        help="the next token, where heads look, neighbours of the last token, what each layer "
        "would say, the parts of the model, or how expected each token was",
    )
    parser.add_argument("--chat", action="store_true", help="read TEXT as a message of a chat")
    parser.add_argument("--layer", type=whole(0), metavar="N", default=0, help="from 0; attention")
    parser.add_argument(
        "--head",
        type=_head,
        metavar="N|mean|max",
        default="mean",
        help="from 0, or all heads of the layer in one; attention",
    )
    parser.add_argument(
        "--top", type=whole(0, 1000), metavar="N", help="entries of a list (20; lens: 5)"
    )
    add_load_options(parser)
    add_json(parser)
    parser.set_defaults(handler=inspect, parser=parser)


def inspect(arguments: argparse.Namespace) -> int:
    """Print one figure; return the exit status."""
    arguments.text = given_text(arguments)
    cancel = CancelToken()
    try:
        with interruptible(cancel), opened(arguments, cancel) as session:
            pieces = _read(session, arguments.text, as_chat=arguments.chat)
            figure = _FIGURES[arguments.what](session, arguments, pieces, cancel)
            if arguments.json:
                tokens = [{"id": piece.id, "text": piece.text} for piece in pieces]
                head: Figure = {"what": arguments.what, "model": session.info.id}
                head |= {"engine": session.info.engine, "tokens": tokens}
                console.json_line(head | figure)
            else:
                _PRINTERS[arguments.what](figure, pieces)
    except Interrupted:
        return INTERRUPTED
    return 0


def _head(text: str) -> int | str:
    return text if text in {"mean", "max"} else whole(0)(text)


def _read(session: Session, text: str, *, as_chat: bool) -> tuple[TokenPiece, ...]:
    if as_chat:
        return session.client.render((Message("user", text),)).tokens
    return session.client.tokenize(text, add_bos=session.loaded.adds_bos)


# --- figures -------------------------------------------------------------------------------------


def _next(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    found = session.client.inspect(AskNext(_ids(pieces), _top(arguments)), cancel)
    assert isinstance(found, NextTokens)  # noqa: S101  what this question is answered with
    top = [
        {"id": one.id, "text": one.text, "logit": one.logit, "logprob": one.logprob}
        for one in found.top
    ]
    return {"origin": found.origin, "top": top, "entropy_bits": found.entropy_bits}


def _attention(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    question = AskAttention(_ids(pieces), arguments.layer, arguments.head)
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Array)  # noqa: S101  as above
    return {
        "origin": "measured" if isinstance(arguments.head, int) else "derived",
        "layers": session.loaded.n_layers,
        "heads": anatomy(session.info).n_heads,
        "layer": arguments.layer,
        "head": arguments.head,
        "weights": found.numbers().tolist(),
    }


def _embeddings(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    question = AskNeighbours(_ids(pieces)[-1:], top_n=_top(arguments))
    found = session.client.inspect(question, cancel)
    assert isinstance(found, Neighbours)  # noqa: S101  as above
    rows = [{"id": one.id, "text": one.text, "cosine": one.cosine} for one in found.found]
    return {"origin": found.origin, "neighbours": rows}


def _lens(
    session: Session,
    arguments: argparse.Namespace,
    pieces: Sequence[TokenPiece],
    cancel: CancelToken,
) -> Figure:
    question = AskLens(_ids(pieces), _top(arguments, _LENS_TOP))
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


def _layers(
    session: Session,
    _arguments: argparse.Namespace,
    _pieces: Sequence[TokenPiece],
    _cancel: CancelToken,
) -> Figure:
    parts = anatomy(session.info)
    blocks: list[Json] = [
        {
            "name": block.name,
            "tensors": [
                {
                    "name": tensor.name,
                    "shape": list(tensor.shape),
                    "type": tensor.type_name,
                    "parameters": tensor.parameters,
                }
                for tensor in block.tensors
            ],
        }
        for block in parts.blocks
    ]
    return {
        "origin": "measured",
        "blocks": blocks,
        "parameters": parts.parameters,
        "kv_bytes_per_token": round(kv_bytes_per_token(parts, session.loaded)),
    }


def _ids(pieces: Sequence[TokenPiece]) -> tuple[int, ...]:
    return tuple(piece.id for piece in pieces)


def _top(arguments: argparse.Namespace, default: int = _DEFAULT_TOP) -> int:
    return default if arguments.top is None else int(arguments.top)


# --- for people ----------------------------------------------------------------------------------


def _print_next(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    rows = [(_share(one["logprob"]), f"{one['logit']:.3f}", _token(one)) for one in figure["top"]]
    console.table([("chance", "score", "token"), *rows], right=(0, 1))
    console.line(f"Entropy of the whole distribution: {figure['entropy_bits']:.2f} bits")


def _print_attention(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    console.line(
        f"Layer {figure['layer']} of 0 to {figure['layers'] - 1}, head {figure['head']}: where the "
        "last token looks. --json gives every row. Attention is not an explanation."
    )
    looks = zip(figure["weights"][-1], pieces, strict=True)
    rows = [(f"{100 * weight:.1f} %", console.quoted(piece.text)) for weight, piece in looks]
    console.table(rows, right=(0,))


def _print_embeddings(figure: Figure, pieces: Sequence[TokenPiece]) -> None:
    console.line(f"Nearest to {console.quoted(pieces[-1].text)} in the model's input table:")
    rows = [(f"{one['cosine']:.3f}", _token(one)) for one in figure["neighbours"]]
    console.table([("cosine", "token"), *rows], right=(0,))


def _print_lens(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    console.line("What each layer would say next (derived: last norm and output head applied):")
    rows = [
        (
            str(layer["layer"]),
            *(f"{_token(one)} {_share(one['logprob'])}" for one in layer["top"]),
        )
        for layer in figure["layers"]
    ]
    console.table(rows, right=(0,))


def _print_layers(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    for block in figure["blocks"]:
        total = sum(tensor["parameters"] for tensor in block["tensors"])
        console.line(f"{block['name']}: {total:,} weights")
        rows = [
            ("  " + tensor["name"], " x ".join(map(str, tensor["shape"])), tensor["type"])
            for tensor in block["tensors"]
        ]
        console.table(rows)
    console.line(f"{figure['parameters']:,} weights in all")
    console.line(f"{figure['kv_bytes_per_token']:,} bytes of KV cache per token")


def _token(one: Figure) -> str:
    return console.token_text(one["id"], one["text"])


def _share(logprob: float) -> str:
    return f"{100 * math.exp(logprob):.2f} %"


_PRINTERS: dict[str, Callable[[Figure, Sequence[TokenPiece]], None]] = {
    "next": _print_next,
    "attention": _print_attention,
    "embeddings": _print_embeddings,
    "lens": _print_lens,
    "layers": _print_layers,
    "perplexity": print_perplexity,
}

_FIGURES: dict[
    str,
    Callable[[Session, argparse.Namespace, Sequence[TokenPiece], CancelToken], Figure],
] = {
    "next": _next,
    "attention": _attention,
    "embeddings": _embeddings,
    "lens": _lens,
    "layers": _layers,
    "perplexity": perplexity,
}
