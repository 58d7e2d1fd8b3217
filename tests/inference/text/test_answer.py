from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from inference.events import TokenEvent
from inference.text.answer import AnswerStream
from inference.text.stops import StopMatcher
from inference.types import Candidate


def _run(pieces: list[bytes], stops: list[str]) -> tuple[list[TokenEvent], bool]:
    stream = AnswerStream("r", stops)
    events: list[TokenEvent] = []
    for token_id, piece in enumerate(pieces):
        more, stopped = stream.push(token_id, piece)
        events += more
        if stopped:
            break
    return events + stream.finish(), stream.stopped


def _texts(events: list[TokenEvent]) -> list[str]:
    return [event.text for event in events]


_PIECES = st.lists(
    st.one_of(st.text(alphabet="ab<|é😀", max_size=3).map(str.encode), st.binary(max_size=3)),
    max_size=10,
)
_STOPS = st.lists(st.text(alphabet="ab<|é😀\ufffd", max_size=3), max_size=3)


@given(_PIECES, _STOPS)
def test_joined_texts_are_the_full_text_cut_at_the_first_stop(
    pieces: list[bytes], stops: list[str]
) -> None:
    full = b"".join(pieces).decode(errors="replace")
    matcher = StopMatcher(stops)
    matcher.feed(full)
    events, stopped = _run(pieces, stops)
    assert "".join(_texts(events)) == full[: matcher.found]
    assert stopped == (matcher.found is not None)


@given(_PIECES, _STOPS)
def test_events_come_in_order_one_per_token(pieces: list[bytes], stops: list[str]) -> None:
    events, stopped = _run(pieces, stops)
    assert [event.index for event in events] == list(range(len(events)))
    assert [event.token_id for event in events] == list(range(len(events)))
    if not stopped:
        assert len(events) == len(pieces)


def test_without_stops_each_complete_token_comes_at_once() -> None:
    stream = AnswerStream("r")
    top = (Candidate(7, "Hi", logprob=-0.1),)
    events, stopped = stream.push(7, b"Hi", -0.1, top)
    assert events == [TokenEvent("r", 0, 7, "Hi", -0.1, top)]
    assert not stopped


def test_tokens_of_a_split_emoji_wait_for_its_last_byte() -> None:
    stream = AnswerStream("r")
    emoji = "😀".encode()
    assert stream.push(1, emoji[:2]) == ([], False)
    assert stream.push(2, emoji[2:3]) == ([], False)
    events, _ = stream.push(3, emoji[3:] + b"!")
    assert _texts(events) == ["", "", "😀!"]


def test_an_unfinished_character_becomes_one_replacement_in_the_last_event() -> None:
    stream = AnswerStream("r")
    events, _ = stream.push(1, b"a" + "😀".encode()[:3])
    assert events == []
    assert _texts(stream.finish()) == ["a\ufffd"]
    assert stream.finish() == []


def test_a_token_is_held_only_while_its_own_text_could_become_a_stop() -> None:
    stream = AnswerStream("r", ["<|end|>"])
    assert _texts(stream.push(1, b"Hello ")[0]) == ["Hello "]
    assert stream.push(2, b"<|") == ([], False)
    assert stream.push(3, b"en") == ([], False)
    assert _texts(stream.push(4, b"ter")[0]) == ["<|", "en", "ter"]


def test_text_from_the_stop_on_is_dropped_and_earlier_text_of_its_token_kept() -> None:
    stream = AnswerStream("r", ["<|end|>"])
    assert stream.push(1, b"bye<|") == ([], False)
    events, stopped = stream.push(2, b"end|> and more")
    assert stopped
    assert _texts(events) == ["bye"]
    assert stream.push(3, b"x") == ([], True)
    assert stream.finish() == []


def test_an_event_held_at_the_end_of_the_answer_is_released() -> None:
    stream = AnswerStream("r", ["###"])
    assert stream.push(1, b"##") == ([], False)
    assert _texts(stream.finish()) == ["##"]
    assert not stream.stopped


def test_a_token_without_bytes_keeps_its_event_only_before_the_stop() -> None:
    events, stopped = _run([b"#", b"", b"x"], ["#x!", "x"])
    assert (_texts(events), stopped) == (["#", ""], True)
    events, stopped = _run([b"a#", b"", b"#"], ["##"])
    assert (_texts(events), stopped) == (["a"], True)
