"""``glasshouse run``: stream one answer to standard output, or talk in the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.answer import Answer, JsonAnswer, TextAnswer, TextSamples
from inference.cli.decoding import add_sampling, sampling_params
from inference.cli.options import add_json, add_load_options, add_model
from inference.cli.session import INTERRUPTED, Interrupted, interruptible, opened
from inference.errors import InferenceError, UnsupportedRequestError
from inference.types import GenerationRequest, Message

if TYPE_CHECKING:
    import argparse

    from inference.cli.session import Session
    from inference.types import SamplingParams

_REQUEST_ID = "cli"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``run``."""
    parser = commands.add_parser(
        "run",
        help="stream an answer",
        description="Stream an answer to standard output. Without PROMPT the prompt is read from "
        "standard input; on a terminal a chat begins. A base model continues the text.",
    )
    add_model(parser)
    parser.add_argument("prompt", metavar="PROMPT", nargs="?")
    parser.add_argument("--system", metavar="TEXT", help="what the model is told beforehand")
    parser.add_argument("--raw", action="store_true", help="continue the text, no chat template")
    parser.add_argument(
        "--messages", metavar="FILE.json", type=Path, help="a conversation to answer"
    )
    add_sampling(parser)
    add_load_options(parser)
    add_json(parser)
    parser.set_defaults(handler=run, parser=parser)


def run(arguments: argparse.Namespace) -> int:
    """Answer once, or chat; return the exit status."""
    if arguments.raw and (arguments.system is not None or arguments.messages is not None):
        arguments.parser.error(
            "--raw takes plain text: it goes with neither --system nor --messages"
        )
    sampling = sampling_params(arguments)
    messages = _read_messages(arguments.messages) if arguments.messages else ()
    prompt = arguments.prompt
    if prompt is None and not messages:
        if sys.stdin.isatty() and not arguments.json:
            if sampling.samples > 1:
                arguments.parser.error("a chat goes on from one answer: --samples needs PROMPT")
            from inference.cli.chat import chat  # noqa: PLC0415  only for a person at a terminal

            return chat(arguments, sampling)
        prompt = console.read_input()
        if not prompt.strip():
            arguments.parser.error("there is no prompt: give PROMPT, or text on standard input")
    cancel = CancelToken()
    try:
        with interruptible(cancel), opened(arguments, cancel) as session:
            request = _request(session, arguments, sampling, messages, prompt)
            return answer(_view(session, arguments, sampling), request, cancel)
    except Interrupted:
        return INTERRUPTED


def answer(view: Answer, request: GenerationRequest, cancel: CancelToken) -> int:
    """Print one answer as it comes.

    Raises:
        InferenceError: The engine gave up; what came before is printed.
    """
    for event in view.session.client.generate(request, cancel):
        view.take(event)
    view.raise_failure()
    return INTERRUPTED if view.reason == "cancelled" else 0


def _view(session: Session, arguments: argparse.Namespace, sampling: SamplingParams) -> Answer:
    several = sampling.samples > 1
    if arguments.json:
        speculates = sampling.speculate != "off"
        return JsonAnswer(session, arguments.top, several=several, speculates=speculates)
    return TextSamples(session) if several else TextAnswer(session)


def _request(
    session: Session,
    arguments: argparse.Namespace,
    sampling: SamplingParams,
    messages: tuple[Message, ...],
    prompt: str | None,
) -> GenerationRequest:
    text = None if prompt is None else console.clean(prompt)
    # An object per token always tells its chance, which an engine works out with alternatives only.
    top_n = max(arguments.top, 1) if arguments.json else arguments.top
    if arguments.raw or (session.completes and not messages):
        if arguments.system is not None:
            raise UnsupportedRequestError(
                f"{session.info.id} continues text and has no place for `--system`.",
                "Put the words into the text itself, or choose an instruct model.",
            )
        if not arguments.raw:
            console.note(
                f"{session.info.id} is a base model: it continues your text instead of "
                "answering it."
            )
        return GenerationRequest(_REQUEST_ID, text=text, sampling=sampling, top_n=top_n)
    system = arguments.system
    before = () if system is None else (Message("system", console.clean(system)),)
    after = () if text is None else (Message("user", text),)
    return GenerationRequest(
        _REQUEST_ID, messages=(*before, *messages, *after), sampling=sampling, top_n=top_n
    )


def _read_messages(path: Path) -> tuple[Message, ...]:
    form = 'It holds a list like [{"role": "user", "content": "Hello"}].'
    try:
        messages = msgspec.json.decode(path.read_bytes(), type=tuple[Message, ...])
    except OSError as exc:
        raise InferenceError(
            f"The file {path} cannot be read: {exc.strerror}.", "Check its name.", str(exc)
        ) from exc
    except (msgspec.DecodeError, UnicodeError) as exc:
        raise InferenceError(f"The file {path} is not a conversation: {exc}.", form) from exc
    if not messages:
        raise InferenceError(f"The conversation in {path} is empty.", form)
    return messages
