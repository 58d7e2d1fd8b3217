from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.events import Failed, Finished, Started, TokenEvent
from inference.host.protocol import (
    MAX_FRAME_BYTES,
    Beams,
    Cancel,
    FrameError,
    FrameReader,
    Generate,
    Inspect,
    Inspected,
    Load,
    Refused,
    Render,
    Score,
    Scores,
    ShowBeams,
    Tokens,
    decode_command,
    decode_reply,
    encode,
    reply_id,
)
from inference.inside.questions import Array, AskAttention, AskNeighbours, Lens
from inference.types import (
    BeamEnd,
    BeamNode,
    BeamTree,
    Candidate,
    GenerationRequest,
    LoadOptions,
    Message,
    SamplingParams,
    Timings,
    TokenPiece,
    Usage,
)

if TYPE_CHECKING:
    from inference.host.protocol import Command, Reply

COMMANDS = (
    Load("1", LoadOptions("/models/ä.gguf", "gguf", n_ctx=512, threads=2)),
    Generate(
        GenerationRequest(
            "r",
            messages=(Message("user", "Grüß 👋"),),
            sampling=SamplingParams(seed=7, stop=("a", "b")),
            template_variables={"enable_thinking": False, "n": 3, "s": "x"},
        )
    ),
    Generate(GenerationRequest("r", token_ids=(1, 2, 3))),
    Cancel("r"),
    Render("2", (Message("system", ""),), {"a": 1}),
    Score("3", (5, 6), 20),
    ShowBeams("4", "r"),
    Inspect("5", AskAttention((1, 2), 3, "max")),
    Inspect("6", AskNeighbours((1,), (2,), 5)),
    Generate(
        GenerationRequest(
            "r",
            text="a",
            sampling=SamplingParams(strategy="beam", early_stop="never", logit_bias=((5, -1.5),)),
        )
    ),
)
NODE = BeamNode(5, "</s>", special=True, parent=-1, logprob=-0.5, score=-0.5, state="finished")
REPLIES = (
    Started("r", 4096, 10, 3, 42),
    TokenEvent("r", 0, 5, "é", -0.5, (Candidate(5, "é", logprob=-0.5),), "thinking"),
    Finished("r", "cancelled", Usage(1, 2, 3), Timings(tokens_per_s=9.5)),
    Failed("r", "OutOfMemory", "m", "h", "d"),
    Refused("r", "CorruptCheckpoint", "m"),
    Tokens("r", (TokenPiece(1, "<s>", special=True),)),
    Scores("r", ((Candidate(1, "a", logprob=-1.0),), ())),
    Inspected("r", Array((1, 2), b"12345678", "derived")),
    Inspected("r", Lens(((Candidate(1, "a", logprob=-1.0),), ()))),
    Beams("r", BeamTree("q", (NODE,), 0, (BeamEnd(0, -0.5),))),
)


def body_of(frame: bytes) -> bytes:
    body = FrameReader(io.BytesIO(frame).read1).next_body()
    assert body is not None
    return body


@pytest.mark.parametrize("command", COMMANDS, ids=lambda value: type(value).__name__)
def test_a_command_arrives_as_it_was_sent(command: Command) -> None:
    assert decode_command(body_of(encode(command))) == command


@pytest.mark.parametrize("reply", REPLIES, ids=lambda value: type(value).__name__)
def test_a_reply_arrives_as_it_was_sent_and_names_its_command(reply: Reply) -> None:
    assert decode_reply(body_of(encode(reply))) == reply
    assert reply_id(reply) == "r"


@given(st.lists(st.integers(1, 40), min_size=1))
def test_frames_survive_every_cutting_of_the_stream(sizes: list[int]) -> None:
    stream = b"".join(encode(command) for command in COMMANDS)
    cuts = itertools.cycle(sizes)
    position = 0

    def read(limit: int) -> bytes:
        nonlocal position
        chunk = stream[position : position + min(limit, next(cuts))]
        position += len(chunk)
        return chunk

    reader = FrameReader(read)
    assert [decode_command(reader.next_body() or b"") for _ in COMMANDS] == list(COMMANDS)
    assert reader.next_body() is None


def test_a_length_over_the_limit_is_refused_before_its_bytes_are_read() -> None:
    asked = io.BytesIO((MAX_FRAME_BYTES + 1).to_bytes(4, "big") + b"x" * 10)
    with pytest.raises(FrameError, match="over the limit"):
        FrameReader(asked.read1).next_body()


def test_a_stream_that_ends_inside_a_frame_is_an_error_and_between_frames_is_the_end() -> None:
    frame = encode(Cancel("r"))
    with pytest.raises(FrameError, match="ended 5 bytes into a frame"):
        FrameReader(io.BytesIO(frame[:5]).read1).next_body()
    assert FrameReader(io.BytesIO(b"").read1).next_body() is None


@pytest.mark.parametrize(
    "body",
    [b"", b"\xc1", b"hello", b"\x80", b"\x81\xa4type\xa4fire", encode(REPLIES[0])[4:]],
    ids=["empty", "reserved byte", "text", "no type", "unknown type", "a reply"],
)
def test_what_is_no_command_is_refused_with_a_reason(body: bytes) -> None:
    with pytest.raises(FrameError, match="not a command"):
        decode_command(body)


def test_half_a_character_is_refused_instead_of_breaking_the_sender() -> None:
    with pytest.raises(FrameError, match="half a character"):
        encode(Cancel("\udcff"))
