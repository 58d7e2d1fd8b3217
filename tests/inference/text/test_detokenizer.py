from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from inference.text.detokenizer import Utf8Stream


@st.composite
def _split(draw: st.DrawFn, data: st.SearchStrategy[bytes]) -> tuple[bytes, list[bytes]]:
    whole = draw(data)
    cuts = sorted(draw(st.lists(st.integers(0, len(whole)), max_size=12)))
    edges = [0, *cuts, len(whole)]
    return whole, [whole[a:b] for a, b in itertools.pairwise(edges)]


def _join(pieces: list[bytes]) -> str:
    stream = Utf8Stream()
    return "".join([stream.push(piece) for piece in pieces]) + stream.finish()


@given(_split(st.text().map(str.encode)))
def test_any_split_of_any_text_gives_the_whole(case: tuple[bytes, list[bytes]]) -> None:
    whole, pieces = case
    assert _join(pieces) == whole.decode()


@given(_split(st.binary()))
def test_any_split_of_any_bytes_replaces_the_same_bad_ones(case: tuple[bytes, list[bytes]]) -> None:
    whole, pieces = case
    assert _join(pieces) == whole.decode(errors="replace")


def test_an_emoji_appears_only_when_complete() -> None:
    stream = Utf8Stream()
    texts = [stream.push(bytes([byte])) for byte in "😀".encode()]
    assert texts == ["", "", "", "😀"]
    assert stream.finish() == ""


def test_a_truly_bad_byte_is_replaced_at_once() -> None:
    assert Utf8Stream().push(b"a\xffb") == "a\ufffdb"


def test_an_unfinished_character_at_the_end_is_replaced_once() -> None:
    stream = Utf8Stream()
    assert stream.push("漢".encode()[:2]) == ""
    assert stream.pending_bytes == 2
    assert stream.finish() == "\ufffd"
    assert stream.pending_bytes == 0


def test_a_byte_order_mark_is_kept() -> None:
    assert _join([b"\xef\xbb", b"\xbfa"]) == "\ufeffa"
