"""A chat in the terminal: type, read, Ctrl+C stops an answer, /help tells the rest."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

from inference.cancel import CancelToken
from inference.cli import console
from inference.cli.answer import TextAnswer
from inference.cli.session import INTERRUPTED, Interrupted, find_model, interruptible, opened
from inference.errors import InferenceError, UnsupportedRequestError
from inference.types import GenerationRequest, Message

if TYPE_CHECKING:
    import argparse

    from inference.cli.session import Session
    from inference.types import SamplingParams

_HELP = """/new          begin a new conversation
/model NAME   go on with another model; without NAME, tell which one this is
/quit         leave (or Ctrl+D)
/help         this list
Ctrl+C stops an answer; the conversation goes on with what has been written."""


def chat(arguments: argparse.Namespace, sampling: SamplingParams) -> int:
    """Talk until the person leaves; return the exit status."""
    with suppress(ImportError):
        import readline  # noqa: F401, PLC0415  arrow keys and history in input()
    while True:
        cancel = CancelToken()
        try:
            with ExitStack() as stack:
                with interruptible(cancel):
                    session = stack.enter_context(opened(arguments, cancel))
                other = Chat(session, arguments, sampling).talk()
        except Interrupted:
            return INTERRUPTED
        if other is None:
            return 0
        arguments.model = other


class Chat:
    """One conversation with one loaded model."""

    def __init__(
        self, session: Session, arguments: argparse.Namespace, sampling: SamplingParams
    ) -> None:
        self._session = session
        self._arguments = arguments
        self._sampling = sampling
        self._messages: list[Message] = []
        self._turn = 0
        self._plain = arguments.raw or session.completes

    def talk(self) -> str | None:
        """Read and answer until the end; return the next model's name, ``None`` to leave."""
        if self._plain and self._arguments.system is not None:
            raise UnsupportedRequestError(
                f"{self._session.info.id} continues text and has no place for `--system`.",
                "Leave the option out, or choose an instruct model.",
            )
        self._greet()
        self._begin()
        while True:
            try:
                typed = console.clean(input("\n> "))
            except EOFError:
                console.line()
                return None
            except KeyboardInterrupt:
                console.line("\nCtrl+D or /quit leaves.")
                continue
            if not typed.strip():
                continue
            if not typed.startswith("/"):
                self._answer(typed)
                continue
            command, _, rest = typed.strip().partition(" ")
            if command in {"/quit", "/exit"}:
                return None
            if (other := self._command(command, rest.strip())) is not None:
                return other

    def _greet(self) -> None:
        info, loaded = self._session.info, self._session.loaded
        console.line(f"{info.name} ({info.engine} engine, {loaded.device}). /help tells more.")
        if self._plain:
            console.line("It continues your text instead of answering it.")

    def _begin(self) -> None:
        system = self._arguments.system
        self._messages = [] if system is None else [Message("system", console.clean(system))]

    def _command(self, command: str, rest: str) -> str | None:
        if command == "/new":
            self._begin()
            console.line("A new conversation.")
        elif command == "/model" and rest:
            return self._other_model(rest)
        elif command == "/model":
            console.line(f"{self._session.info.id}: {self._session.info.path}")
        elif command == "/help":
            console.line(_HELP)
        else:
            console.line(f"There is no command {command}. /help lists them.")
        return None

    def _other_model(self, name: str) -> str | None:
        """Return the name if there is such a model: the one in memory stays where there is not."""
        try:
            find_model(name, self._arguments.engine)
        except InferenceError as exc:
            _tell(exc)
            return None
        return name

    def _answer(self, typed: str) -> None:
        self._turn += 1
        request_id = f"turn-{self._turn}"
        asked = Message("user", typed)
        if self._plain:
            request = GenerationRequest(request_id, text=typed, sampling=self._sampling)
        else:
            messages = (*self._messages, asked)
            request = GenerationRequest(request_id, messages=messages, sampling=self._sampling)
        cancel = CancelToken()
        view = TextAnswer(self._session)
        try:
            with interruptible(cancel):
                for event in self._session.client.generate(request, cancel):
                    view.take(event)
            view.raise_failure()
        except InferenceError as exc:
            _tell(exc)
            self._restart_if_gone()
        if view.text:
            self._messages += [asked, Message("assistant", view.text)]
        if view.reason == "cancelled":
            console.line("(stopped)")

    def _restart_if_gone(self) -> None:
        if self._session.client.pid is None:
            console.line("The model is loaded anew.")
            self._session.load(CancelToken())


def _tell(error: InferenceError) -> None:
    print(f"{error.message} {error.hint}".strip(), file=sys.stderr, flush=True)
