"""The splitter gives what markdown-it gives, however the text arrives."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from time import process_time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from desktop.widgets.markdown.blocks import BlockStream, PlainStream
from desktop.widgets.markdown.inline import LINE_BREAK, Run, parse_inline
from desktop.widgets.markdown.parse import Block, Container, parse_blocks

LINES = [
    "", "", "word and word", "two words", "- item", "- other", "  - nested", "* star", "+", "-",
    "1. one", "2. two", "7) seven", "   more of the item", "    four spaces", "> quote", "> - in",
    ">", "# Title", "### Small #", "===", "---", "***", "```python", "```", "x = 1", "~~~", "~~~~",
    "| a | b |", "|---|:-:|", "| 1 | 2 |", "a | b", "--|--", "1 | 2 | 3", "**bold** and `code`",
    "*open and", "closed* now", "<b>html</b>", "<div>", "[a]: http://b.c", "[link](http://x.y)",
    "\tindented", "ends with two spaces  ", "back\\", "- ", "10. ten", " - shifted", "  ```",
    "中文。字",
    "_under_", "> ```", "> ---", "-  ", "1.", "2.", "| x", "|-", "no |", "\u00a0x", "- a",
    "  b", "     c",
]  # fmt: skip
DOCUMENTS = st.lists(st.sampled_from(LINES), max_size=14).map("\n".join)
CUTS = st.lists(st.integers(0, 400), max_size=12)


def fed(text: str, cuts: list[int], cut_chars: int = 2_000) -> BlockStream:
    """Return a stream that got the text in pieces."""
    stream = BlockStream(cut_chars)
    places = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    for start, end in pairwise(places):
        stream.append(text[start:end])
        assert stream.open is not None
    return stream


def blocks(text: str, cuts: list[int], cut_chars: int = 2_000) -> list[Block]:
    stream = fed(text, cuts, cut_chars)
    stream.close()
    assert stream.open == ()
    return stream.finished


@given(DOCUMENTS, CUTS)
@settings(max_examples=600, deadline=None)
@example("a|b\n-|-\n1|2\n- x", [5])
@example("- a\n- b\n\n\tc", [3, 9])
@example("```\na\n\n", [4])
def test_any_split_gives_the_blocks_of_the_whole(text: str, cuts: list[int]) -> None:
    assert blocks(text, cuts) == parse_blocks(text)


@given(st.text("ab *_`->#|\n1.~:\\", max_size=80), CUTS)
@settings(max_examples=600, deadline=None)
def test_any_split_of_loose_characters_gives_the_blocks_of_the_whole(
    text: str, cuts: list[int]
) -> None:
    assert blocks(text, cuts) == parse_blocks(text)


@given(DOCUMENTS, CUTS, st.integers(12, 60))
@settings(max_examples=400, deadline=None)
def test_cuts_of_long_paragraphs_do_not_depend_on_how_the_text_arrived(
    text: str, cuts: list[int], limit: int
) -> None:
    assert blocks(text, cuts, limit) == blocks(text, [], limit)


@given(
    st.lists(
        st.sampled_from(["word", "**bold**", "`code b`", "end.", "*it*", "- dash", "1. x", "a|b"]),
        min_size=1,
        max_size=60,
    ).map(" ".join),
    CUTS,
)
@settings(max_examples=300, deadline=None)
def test_a_paragraph_cut_in_pieces_keeps_its_words_and_their_style(
    text: str, cuts: list[int]
) -> None:
    text = "Start " + text
    found = blocks(text, cuts, 60)
    pieces = [block for block in found if block.text]
    assert {block.kind for block in pieces} == {"paragraph"}
    assert [block.joined for block in pieces] == [False] + [True] * (len(pieces) - 1)
    whole = [(run.text.strip(), replace(run, text="")) for run in parse_inline(text)]
    styled = [pair for pair in whole if pair[1] != Run("")]
    cut = [
        (run.text.strip(), replace(run, text=""))
        for block in pieces
        for run in parse_inline(block.text)
    ]
    assert [pair for pair in cut if pair[1] != Run("")] == styled
    assert " ".join(block.text for block in pieces).split() == text.split()


@given(st.lists(st.sampled_from(["a", "\r", "\n", "\r\n", "- b"])).map("".join), CUTS)
@settings(max_examples=200, deadline=None)
def test_line_ends_of_other_systems_may_be_split(text: str, cuts: list[int]) -> None:
    assert blocks(text, cuts) == parse_blocks(text)


def test_finished_blocks_stay_and_only_the_last_is_open() -> None:
    stream = BlockStream()
    stream.append("# Title\n\nFirst words.\n\nSecond")
    first = list(stream.finished)
    assert [block.text for block in first] == ["Title", "First words."]
    assert [block.text for block in stream.open] == ["Second"]
    stream.append(" part\n\n- item")
    assert all(old is new for old, new in zip(first, stream.finished, strict=False))
    assert stream.open[0].containers == (Container("bullet", first=True),)


def test_items_of_an_open_list_finish_one_by_one_and_keep_counting() -> None:
    stream = BlockStream()
    stream.append("3. three\n4. four\n5. fi")
    assert [block.text for block in stream.finished] == ["three"]
    stream.append("ve\n9. six\n")
    stream.close()
    assert [block.containers[0].number for block in stream.finished] == [3, 4, 5, 6]


def test_a_marker_is_not_shown_before_it_is_clear_what_it_is() -> None:
    stream = BlockStream()
    stream.append("Some words\n-")
    assert [(block.kind, block.text) for block in stream.open] == [("paragraph", "Some words")]
    stream.append(" item")
    assert [block.text for block in stream.open] == ["Some words", "item"]
    stream = BlockStream()
    stream.append("```\ncode\n``")
    assert [block.text for block in stream.open] == ["code"]


@pytest.mark.parametrize(
    "piece",
    [
        pytest.param("word ", id="paragraph"),
        pytest.param("Word, then one more. ", id="sentences"),
        pytest.param("- item of a list\n", id="list"),
        pytest.param("x = call(1)\n", id="code"),
        pytest.param("| 1 | 22 |\n", id="table"),
        pytest.param("> said\n>\n", id="quote"),
    ],
)
def test_a_long_open_block_does_not_make_appends_dearer(piece: str) -> None:
    head = {"x": "```py\n", "|": "| a | b |\n|---|---|\n"}.get(piece[0], "")
    stream = BlockStream()
    stream.append(head)

    def seconds(count: int) -> float:
        begin = process_time()
        for _ in range(count):
            stream.append(piece)
            assert stream.open is not None
        return process_time() - begin

    early = seconds(300)
    seconds(4_000)
    assert seconds(300) < 8 * early + 0.05


def test_text_of_a_base_model_goes_on_where_the_person_stopped() -> None:
    stream = PlainStream("Once upon\na time")
    stream.append(", there\n\n*was*")
    stream.close()
    assert [(block.text, block.lead) for block in stream.finished] == [
        ("Once upon", 9),
        ("a time, there", 6),
        ("", 0),
        ("*was*", 0),
    ]


def test_links_are_web_and_mail_only_and_pictures_are_words() -> None:
    runs = parse_inline("[a](https://b.c) [x](file:///etc) ![cat](http://c.d/e.png) http://f.g/h.")
    assert [run.text for run in runs if run.href] == ["a", "http://f.g/h"]
    text = "".join(run.text for run in runs)
    assert "cat (http://c.d/e.png)" in text
    assert "file:///etc" in text
    assert not any(run.href.startswith("file") for run in runs)


def test_html_is_text_and_lines_stay_lines() -> None:
    assert parse_inline("<b>x</b>") == (Run("<b>x</b>"),)
    assert parse_inline("a\nb") == (Run(f"a{LINE_BREAK}b"),)
    assert [block.text for block in parse_blocks("<div onclick=x>\nhi")] == ["<div onclick=x>\nhi"]


@given(
    pieces=st.lists(st.sampled_from(["a", "b c", "\r", "\n", "\r\n"]), max_size=9),
    lead=st.sampled_from(["", "It was\r", "One\r\nTwo"]),
)
def test_line_ends_of_any_system_end_a_line_of_plain_text_however_they_arrive(
    pieces: list[str], lead: str
) -> None:
    stream = PlainStream(lead)
    for piece in pieces:
        stream.append(piece)
    stream.close()
    whole = (lead + "".join(pieces)).replace("\r\n", "\n").replace("\r", "\n")
    lines = whole.split("\n")
    assert [block.text for block in stream.finished] == (lines if lines[-1] else lines[:-1])
