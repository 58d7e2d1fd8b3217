"""Pieces of a message: finished ones are left alone, places and copies are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PySide6.QtGui import QImage, QPainter

from desktop.widgets.markdown.blocks import BlockStream, PlainStream
from desktop.widgets.transcript.code_piece import FOLD_LINES, CodePiece
from desktop.widgets.transcript.flow import Flow
from desktop.widgets.transcript.table_piece import TablePiece

if TYPE_CHECKING:
    from PySide6.QtCore import QRectF

    from desktop.widgets.theme import Theme

TEXT = """# Title

Some **bold** words, `code` and 😀 more.

```python
x = 1
y = 2
```

| a | b |
|---|--:|
| 1 | 22 |

- one
  1. two

> said
"""


def flow_of(text: str, theme: Theme, measure: float = 640, widest: float = 760) -> Flow:
    stream = BlockStream()
    flow = Flow(stream, theme)
    flow.set_width(measure, widest)
    stream.append(text)
    flow.refresh()
    return flow


def closed(flow: Flow) -> Flow:
    flow.stream.close()
    flow.refresh()
    return flow


def test_a_finished_piece_is_never_made_or_laid_out_again(theme: Theme) -> None:
    stream = BlockStream()
    flow = Flow(stream, theme)
    flow.set_width(640, 760)
    laid: list[int] = []
    for start in range(0, len(TEXT), 7):
        before = flow.pieces[: flow.settled]
        for piece in before:
            piece.lay_out = lambda *_: laid.append(1)  # type: ignore[method-assign]  # a spy
        stream.append(TEXT[start : start + 7])
        flow.refresh()
        assert all(old is new for old, new in zip(before, flow.pieces, strict=False))
    assert flow.settled >= 5
    assert not laid


def test_the_whole_message_is_copied_as_text(theme: Theme) -> None:
    flow = closed(flow_of(TEXT, theme))
    assert flow.cut((0, 0), flow.end()) == (
        "Title\n\nSome bold words, code and 😀 more.\n\nx = 1\ny = 2\n\na\tb\n1\t22\n\n"
        "- one\n  1. two\n\n> said"
    )


def test_a_part_is_copied_from_the_middle_of_one_block_to_the_middle_of_another(
    theme: Theme,
) -> None:
    flow = closed(flow_of("First words here.\n\nSecond 😀 words.", theme))
    assert flow.cut((0, 6), (1, 9)) == "words here.\n\nSecond 😀"


def test_points_lead_to_the_characters_painted_there(theme: Theme) -> None:
    flow = closed(flow_of(TEXT, theme))
    for index, piece in enumerate(flow.pieces):
        top, x = flow.tops[index], flow.x_of(index)
        first, last = flow.place_at(x, top + 2), flow.place_at(x + 2_000, top + piece.height - 1)
        assert first == (index, 0)
        assert last == (index, piece.length)


def test_code_and_tables_grow_beyond_the_measure_and_words_do_not(theme: Theme) -> None:
    flow = closed(flow_of("word " * 60 + "\n\n```\n" + "c" * 200 + "\n```\n", theme))
    words, code = flow.pieces
    assert words.width == 640
    assert code.width == 760
    assert isinstance(code, CodePiece)
    assert code.hidden_width > 0
    assert flow.x_of(1) < flow.x_of(0)


def test_code_over_the_limit_is_folded_when_it_is_complete(theme: Theme) -> None:
    flow = flow_of("```\n" + "line\n" * (FOLD_LINES + 1), theme)
    piece = flow.pieces[0]
    assert isinstance(piece, CodePiece)
    assert not piece.is_folded
    open_height = piece.height
    closed(flow)
    assert flow.pieces[0] is piece
    assert piece.is_folded
    assert piece.height < open_height / 4
    assert piece.cut(0, piece.length).count("\n") == FOLD_LINES


@pytest.mark.parametrize("width", [120, 300, 640])
def test_everything_fits_its_width_and_paints_at_any_width(theme: Theme, width: int) -> None:
    words = "\u0645\u0631\u062d\u0628\u0627"  # Arabic
    text = TEXT + "\n\n" + "Averylongword" * 30 + f"\n\n{words}\n\n```\n" + "c" * 9_000 + "\n```"
    flow = closed(flow_of(text, theme, width, width))
    image = QImage(width, 400, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    for index, piece in enumerate(flow.pieces):
        assert piece.width <= width + 0.5, piece.block.kind
        clip: QRectF = image.rect().toRectF()
        piece.draw(painter, clip, theme, (0, piece.length))
        piece.draw_caret(painter, theme)
        piece.link_at(5, 5)
        assert flow.tops[index] >= 0
    painter.end()


def test_words_from_the_right_stand_at_the_right(theme: Theme) -> None:
    flow = closed(flow_of("مرحبا", theme))
    image = QImage(640, 26, QImage.Format.Format_ARGB32)
    image.fill(theme.page)
    painter = QPainter(image)
    flow.pieces[0].draw(painter, image.rect().toRectF(), theme, None)
    painter.end()
    inked = {x for x in range(640) for y in range(26) if image.pixelColor(x, y).lightness() < 128}
    assert min(inked) > 400


def test_a_link_is_found_under_its_words_only(theme: Theme) -> None:
    flow = closed(flow_of("Go [there](https://example.org/x) now", theme))
    assert flow.link_at(flow.left + 40, 10) == "https://example.org/x"
    assert flow.link_at(flow.left + 2, 10) == ""
    assert flow.link_at(40, 500) == ""


def test_a_growing_table_keeps_its_cells(theme: Theme) -> None:
    flow = flow_of("| a | b |\n|---|---|\n| 1 | 2 |\n", theme)
    table = flow.pieces[0]
    assert isinstance(table, TablePiece)
    head = table._cells[0][0]
    flow.stream.append("| 3 | 4 |\n| 5 |")
    flow.refresh()
    assert flow.pieces[0] is table
    assert table._cells[0][0] is head
    assert table.raw().split("\n") == ["a", "b", "1", "2", "3", "4", "5", ""]


def test_plain_text_keeps_marks_and_blank_lines(theme: Theme) -> None:
    flow = Flow(PlainStream("*not* `markup`\n\n  # at all"), theme)
    flow.set_width(400, 400)
    flow.refresh()
    closed(flow)
    assert flow.cut((0, 0), flow.end()) == "*not* `markup`\n\n  # at all"


def test_another_reading_size_makes_everything_larger(theme: Theme) -> None:
    from desktop.widgets.theme import Theme as Look

    flow = closed(flow_of("word " * 100, theme))
    before = flow.height
    flow.set_theme(Look.load("dark", reading_px=22))
    assert flow.height > before * 1.2
    height = flow.height
    flow.set_theme(Look.load("light", reading_px=22))
    assert flow.height == height
