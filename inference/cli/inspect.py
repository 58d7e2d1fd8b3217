"""``glasshouse inspect``: figures from inside a model, measured by a real pass."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.figures.changed import add_change_options
from inference.cli.figures.kinds import KINDS, OWN_OPTIONS
from inference.cli.inspect_text import add_text_options, given_text
from inference.cli.options import add_json, add_load_options, add_model, whole
from inference.cli.session import INTERRUPTED, Interrupted, interruptible, opened
from inference.types import Message

if TYPE_CHECKING:
    import argparse

    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece


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
        choices=tuple(KINDS),
        default="next",
        help="the next token, where heads look, neighbours of the last token, what each layer "
        "would say, the parts of the model, how expected each token was, attention of all layers "
        "in one (roll-out), where each head looks on average, the scores one token gives, what "
        "each block adds and makes likelier (updates), what is nearest to a sum of words (analogy: "
        "TEXT is 'king - man + woman'), a map of the words in TEXT, how its context turns a token, "
        "what becomes of the answer when something is changed, or every way of decoding side by "
        "side",
    )
    parser.add_argument("--chat", action="store_true", help="read TEXT as a message of a chat")
    parser.add_argument(
        "--layer", type=whole(0), metavar="N", default=0, help="from 0; attention and scores"
    )
    parser.add_argument(
        "--head",
        type=_head,
        metavar="N|mean|max",
        help="from 0, or all heads of the layer in one (attention: mean; scores: a number, or 0)",
    )
    parser.add_argument(
        "--place",
        type=whole(0),
        metavar="N",
        help="token that is asked about, from 0 (scores, updates, context; the last)",
    )
    parser.add_argument(
        "--along", action="store_true", default=None, help="after each token of TEXT (lens)"
    )
    parser.add_argument(
        "--projection",
        choices=("pca", "tsne"),
        help="how many directions become two (map): the widest two, or t-SNE, which keeps "
        "neighbours (pca)",
    )
    parser.add_argument(
        "--frequent",
        type=whole(0, 2000),
        metavar="N",
        help="so many frequent words beside those of TEXT (map)",
    )
    parser.add_argument(
        "--top",
        type=whole(0, 1000),
        metavar="N",
        help="entries of a list (20; lens, updates, decoding: 5)",
    )
    add_change_options(parser)
    add_load_options(parser)
    add_json(parser)
    parser.set_defaults(handler=inspect, parser=parser)


def inspect(arguments: argparse.Namespace) -> int:
    """Print one figure; return the exit status."""
    arguments.text = given_text(arguments)
    kind = KINDS[arguments.what]
    if arguments.what == "scores" and isinstance(arguments.head, str):
        arguments.parser.error("--what scores shows one head: give --head a number")
    if arguments.what == "decoding" and arguments.length == 0:
        arguments.parser.error("--what decoding writes: give --length 1 or more")
    for option in OWN_OPTIONS:
        if getattr(arguments, option) is not None and option not in kind.options:
            fitting = (name for name, one in KINDS.items() if option in one.options)
            arguments.parser.error(f"--{option} goes with --what {' or '.join(fitting)}")
    cancel = CancelToken()
    try:
        with interruptible(cancel), opened(arguments, cancel) as session:
            pieces = _read(session, arguments.text, as_chat=arguments.chat)
            figure = kind.make(session, arguments, pieces, cancel)
            if arguments.json:
                tokens = [{"id": piece.id, "text": piece.text} for piece in pieces]
                head: Figure = {"what": arguments.what, "model": session.info.id}
                head |= {"engine": session.info.engine, "tokens": tokens}
                console.json_line(head | figure)
            else:
                kind.show(figure, pieces)
    except Interrupted:
        return INTERRUPTED
    return 0


def _head(text: str) -> int | str:
    return text if text in {"mean", "max"} else whole(0)(text)


def _read(session: Session, text: str, *, as_chat: bool) -> tuple[TokenPiece, ...]:
    if as_chat:
        return session.client.render((Message("user", text),)).tokens
    return session.client.tokenize(text, add_bos=session.loaded.adds_bos)
