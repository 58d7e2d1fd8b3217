"""``glasshouse tokens``: how a model cuts a text, or the exact prompt that a chat becomes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.cli import console, tokenizers
from inference.cli.languages import languages_json, languages_of, print_languages
from inference.cli.options import add_json, add_load_options, add_model, clean_path
from inference.cli.session import INTERRUPTED, Interrupted, find_model, interruptible, opened
from inference.tokenizing.orders import CutText
from inference.types import Message, RenderedPrompt

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cli.console import Json
    from inference.cli.session import Session
    from inference.tokenizing.orders import Built, LanguageCost
    from inference.types import ModelInfo


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``tokens``."""
    parser = commands.add_parser(
        "tokens",
        help="show ids and pieces of a text",
        description="Show the tokens of a text as the model reads it, with the token that begins "
        "a text (BOS) where the model wants one. Without TEXT, standard input is read.",
    )
    add_model(parser)
    parser.add_argument("text", metavar="TEXT", nargs="?")
    parser.add_argument("--render", action="store_true", help="show the prompt a chat becomes")
    parser.add_argument("--system", metavar="TEXT", help="system message of that chat")
    parser.add_argument("--no-bos", action="store_true", help="only the text itself")
    parser.add_argument(
        "--special", action="store_true", help="read special tokens written in TEXT as such"
    )
    parser.add_argument(
        "--merges", action="store_true", help="show the merges by which each token is built"
    )
    parser.add_argument(
        "--languages",
        action="store_true",
        help="show what each language of the text costs, guessed from its letters",
    )
    parser.add_argument(
        "--against",
        metavar="MODEL",
        type=clean_path,
        action="append",
        default=[],
        help="count the tokens of another model for the same text; repeatable",
    )
    add_load_options(parser)
    add_json(parser)
    parser.set_defaults(handler=tokens, parser=parser)


def tokens(arguments: argparse.Namespace) -> int:
    """Print the tokens; return the exit status."""
    if arguments.render and (arguments.special or arguments.no_bos):
        arguments.parser.error("--render shows a chat: --special and --no-bos are for plain text")
    if arguments.system is not None and not arguments.render:
        arguments.parser.error("--system goes with --render")
    text = console.read_input() if arguments.text is None else console.clean(arguments.text)
    others = [find_model(name) for name in arguments.against]
    cancel = CancelToken()
    try:
        with interruptible(cancel), opened(arguments, cancel) as session:
            prompt = _prompt(session, arguments, text)
            info = session.info
            found = tokenizers.how_built(info, prompt.tokens, cancel) if arguments.merges else None
            said = _said(arguments, text)
            told = languages_of(prompt.tokens, said, cancel) if arguments.languages else None
            cuts = _cuts(arguments, (info, *others), prompt.text, said, cancel)
            if arguments.json:
                _print_json(session, prompt, found, told, cuts)
            else:
                _print(prompt, rendered=arguments.render)
                if found is not None:
                    tokenizers.print_built(found)
                if told is not None:
                    print_languages(told)
                if cuts:
                    tokenizers.print_cuts(cuts, prompt.text)
    except Interrupted:
        return INTERRUPTED
    return 0


def _said(arguments: argparse.Namespace, text: str) -> tuple[str, ...]:
    """Return what a chat holds beside the marks of its template; nothing for a plain text."""
    return (console.clean(arguments.system or ""), text) if arguments.render else ()


def _cuts(
    arguments: argparse.Namespace,
    models: Sequence[ModelInfo],
    text: str,
    said: tuple[str, ...],
    cancel: CancelToken,
) -> list[dict[str, Json]]:
    """Return how each model cuts what is shown: of a chat its whole prompt."""
    if not arguments.against:
        return []
    paths = tuple(model.path for model in models)
    special = arguments.render or arguments.special
    order = CutText(paths, text, languages=arguments.languages, special=special, said=said)
    return tokenizers.other_cuts(models, order, cancel)


def _prompt(session: Session, arguments: argparse.Namespace, text: str) -> RenderedPrompt:
    client = session.client
    if arguments.render:
        system = arguments.system
        before = () if system is None else (Message("system", console.clean(system)),)
        return client.render((*before, Message("user", text)))
    with_bos = session.loaded.adds_bos and not arguments.no_bos
    pieces = client.tokenize(text, add_bos=with_bos, parse_special=arguments.special)
    return RenderedPrompt(text, pieces)


def _print_json(
    session: Session,
    prompt: RenderedPrompt,
    found: Built | None,
    told: Sequence[LanguageCost] | None,
    cuts: list[dict[str, Json]],
) -> None:
    value: dict[str, Json] = {
        "model": session.info.id,
        "engine": session.info.engine,
        "text": prompt.text,
        "count": len(prompt.tokens),
        "tokens": [
            {"id": piece.id, "text": piece.text, "special": piece.special}
            for piece in prompt.tokens
        ],
    }
    if found is not None:
        value["merges"] = tokenizers.built_json(found)
    if told is not None:
        value["languages"] = languages_json(told)
    if cuts:
        value["models"] = cuts
    console.json_line(value)


def _print(prompt: RenderedPrompt, *, rendered: bool) -> None:
    if rendered:
        console.line(prompt.text)
        console.line()
    rows = [
        (str(piece.id), console.quoted(piece.text), "special" if piece.special else "")
        for piece in prompt.tokens
    ]
    if rows:
        console.table(rows, right=(0,))
    console.line(f"{len(rows)} tokens")
