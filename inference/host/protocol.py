"""What travels between the client and the engine process: length-prefixed msgpack frames.

A frame is four bytes of length (big endian) and one msgpack map with a ``type``. Commands go to the
engine process, replies come back; a stream of ``inference.events`` travels as it is. Every command
that expects a reply carries an ``id`` (a request's id for ``Generate``), which the reply repeats.
Knows neither processes nor threads.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TypeAlias

import msgspec

from inference.events import Failed, Finished, PromptProgress, Started, TokenEvent
from inference.inside.questions import Finding, Question
from inference.types import (
    BeamTree,
    Candidate,
    GenerationRequest,
    LoadedModel,
    LoadOptions,
    LoadStep,
    Message,
    RenderedPrompt,
    TokenPiece,
)

MAX_FRAME_BYTES = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")

ReadBytes: TypeAlias = Callable[[int], bytes]
"""Like ``os.read`` on one file: at least one and at most that many bytes, none at the end."""


class FrameError(Exception):
    """The other side sent something that is not a frame of this protocol."""


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Open a model; answered by ``LoadProgress`` and one ``Loaded`` or ``Refused``."""

    id: str
    options: LoadOptions


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Answer one request; answered by a stream of events with the request's id.

    ``cancelled``: a stop was asked for before the request was sent; a frame of its own could come
    after a short answer.
    """

    request: GenerationRequest
    cancelled: bool = False


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Stop the command with this id, running or waiting; an unknown id is ignored."""

    id: str


class Tokenize(msgspec.Struct, frozen=True, tag="tokenize"):
    """Answered by ``Tokens``."""

    id: str
    text: str
    add_bos: bool = False
    parse_special: bool = False


class Render(msgspec.Struct, frozen=True, tag="render"):
    """Answered by ``Prompt``."""

    id: str
    messages: tuple[Message, ...]
    template_variables: dict[str, bool | int | str] = {}


class Score(msgspec.Struct, frozen=True, tag="score"):
    """Answered by ``Scores``."""

    id: str
    token_ids: tuple[int, ...]
    top_n: int


class ShowBeams(msgspec.Struct, frozen=True, tag="show_beams"):
    """Answered by ``Beams``: what the search for an answer looked at."""

    id: str
    request_id: str


class Forget(msgspec.Struct, frozen=True, tag="forget"):
    """Drop kept work of one chat, or of all (``None``); answered by ``Done``."""

    id: str
    cache_key: str | None


class Rest(msgspec.Struct, frozen=True, tag="rest"):
    """Write kept work to the disk; answered by ``Done``. An idle engine does it by itself."""

    id: str


class Inspect(msgspec.Struct, frozen=True, tag="inspect"):
    """Answered by ``Inspected``."""

    id: str
    question: Question


class Memory(msgspec.Struct, frozen=True, tag="memory"):
    """Answered by ``MemoryUse`` at once, also in the middle of an answer."""

    id: str


class Shutdown(msgspec.Struct, frozen=True, tag="shutdown"):
    """Cancel everything, free the model and end; nothing answers."""


class LoadProgress(msgspec.Struct, frozen=True, tag="load_progress"):
    """How far one step of loading is, 0 to 1."""

    id: str
    fraction: float
    step: LoadStep = "reading"


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The model is in memory."""

    id: str
    model: LoadedModel


class Tokens(msgspec.Struct, frozen=True, tag="tokens"):
    """The pieces of a text."""

    id: str
    pieces: tuple[TokenPiece, ...]


class Prompt(msgspec.Struct, frozen=True, tag="prompt"):
    """A conversation as the model reads it."""

    id: str
    prompt: RenderedPrompt


class Scores(msgspec.Struct, frozen=True, tag="scores"):
    """The likeliest next tokens after each position."""

    id: str
    rows: tuple[tuple[Candidate, ...], ...]


class Beams(msgspec.Struct, frozen=True, tag="beams"):
    """All that beam search looked at for one answer."""

    id: str
    tree: BeamTree


class Done(msgspec.Struct, frozen=True, tag="done"):
    """It has been done."""

    id: str


class Inspected(msgspec.Struct, frozen=True, tag="inspected"):
    """What was found inside the model."""

    id: str
    finding: Finding


class MemoryUse(msgspec.Struct, frozen=True, tag="memory_use"):
    """Resident memory of the engine process now and at its highest, in bytes."""

    id: str
    resident_bytes: int
    peak_bytes: int


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """A command (not ``Generate``) ended with an error; ``error`` is its wire name."""

    id: str
    error: str
    message: str
    hint: str = ""
    detail: str = ""


Command: TypeAlias = (
    Load
    | Generate
    | Cancel
    | Tokenize
    | Render
    | Score
    | ShowBeams
    | Inspect
    | Forget
    | Rest
    | Memory
    | Shutdown
)
Event: TypeAlias = Started | PromptProgress | TokenEvent | Finished | Failed
Reply: TypeAlias = (
    LoadProgress
    | Loaded
    | Tokens
    | Prompt
    | Scores
    | Beams
    | Inspected
    | Done
    | MemoryUse
    | Refused
    | Event
)

_encoder = msgspec.msgpack.Encoder()
_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_replies: msgspec.msgpack.Decoder[Reply] = msgspec.msgpack.Decoder(Reply)


def encode(value: Command | Reply) -> bytes:
    """Return one frame.

    Raises:
        FrameError: It would be larger than ``MAX_FRAME_BYTES``, or a text in it is not Unicode.
    """
    try:
        body = _encoder.encode(value)
    except UnicodeEncodeError as exc:  # a lone surrogate, e.g. from undecodable arguments
        raise FrameError(f"a text holds half a character: {exc}") from exc
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {len(body):,} bytes is over the limit")
    return _LENGTH.pack(len(body)) + body


def decode_command(body: bytes) -> Command:
    """Read one command; raises ``FrameError`` when it is none."""
    try:
        return _commands.decode(body)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise FrameError(f"not a command: {exc}") from exc


def decode_reply(body: bytes) -> Reply:
    """Read one reply; raises ``FrameError`` when it is none."""
    try:
        return _replies.decode(body)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise FrameError(f"not a reply: {exc}") from exc


def reply_id(reply: Reply) -> str:
    """Return the id of the command that a reply belongs to."""
    if isinstance(reply, Started | PromptProgress | TokenEvent | Finished | Failed):
        return reply.request_id
    return reply.id


class FrameReader:
    """Cuts a stream of bytes into frame bodies.

    Args:
        read: Where the bytes come from.
        max_bytes: Longer frames are refused before any of their bytes are kept.
    """

    __slots__ = ("_buffer", "_max_bytes", "_read")

    def __init__(self, read: ReadBytes, max_bytes: int = MAX_FRAME_BYTES) -> None:
        self._read = read
        self._max_bytes = max_bytes
        self._buffer = bytearray()

    def next_body(self) -> bytes | None:
        """Wait for the next frame; ``None`` when the stream ended between two frames.

        Raises:
            FrameError: A length over the limit, or the stream ended inside a frame.
        """
        if not self._fill(_LENGTH.size):
            return None
        (length,) = _LENGTH.unpack_from(self._buffer)
        if length > self._max_bytes:
            raise FrameError(f"a frame of {length:,} bytes is announced, over the limit")
        end = _LENGTH.size + length
        if not self._fill(end):
            return None
        body = bytes(self._buffer[_LENGTH.size : end])
        del self._buffer[:end]
        return body

    def _fill(self, size: int) -> bool:
        while len(self._buffer) < size:
            chunk = self._read(max(65536, min(size - len(self._buffer), 1 << 20)))
            if not chunk:
                if self._buffer:
                    raise FrameError(f"the stream ended {len(self._buffer):,} bytes into a frame")
                return False
            self._buffer += chunk
        return True
