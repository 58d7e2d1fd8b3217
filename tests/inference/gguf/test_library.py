from __future__ import annotations

from inference.gguf.library import LogRing

_DEBUG, _INFO, _WARN, _ERROR, _CONTINUED = 1, 2, 3, 4, 5


def test_pieces_become_whole_lines_and_debug_is_left_out() -> None:
    ring = LogRing()
    ring.write(_INFO, "one\ntw")
    ring.write(_CONTINUED, "o\n")
    ring.write(_DEBUG, "chatter\n")
    ring.write(_CONTINUED, "more chatter\n")
    ring.write(_INFO, "...\n")
    ring.write(_INFO, "three\n")
    assert tuple(ring) == ("one", "two", "three")


def test_a_mark_separates_what_was_said_before() -> None:
    ring = LogRing()
    ring.write(_INFO, "before\n")
    mark = ring.mark()
    ring.write(_INFO, "note\n")
    ring.write(_ERROR, "trouble\n")
    ring.write(_WARN, "doubt\n")
    assert ring.since(mark) == ("note", "trouble", "doubt")
    assert ring.troubles(mark) == ("trouble", "doubt")
    assert ring.since(ring.mark()) == ()


def test_only_the_last_lines_are_kept() -> None:
    ring = LogRing(kept_lines=3)
    mark = ring.mark()
    for number in range(10):
        ring.write(_INFO, f"line {number}\n")
    assert ring.since(mark) == ("line 7", "line 8", "line 9")
    assert ring.since(mark + 8) == ("line 8", "line 9")
