"""A plain table writes its numbers for people and exports them for programs."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from desktop.widgets import formatting
from desktop.widgets.charts.plain_table import PlainTable, whole

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme


def test_numbers_are_shown_grouped_and_exported_as_they_are(qtbot: QtBot, theme: Theme) -> None:
    heads = ("kind", "tokens", "share")
    table = PlainTable(theme, "table", "Table", heads, (whole, formatting.chance))
    qtbot.addWidget(table)
    table.set_rows((("Latin", (12_345, 0.863)), ("other", (3, None))))
    assert table.rows() == (
        ("Latin", formatting.count(12_345), formatting.chance(0.863)),
        ("other", "3", "-"),
    )
    assert table.table() == (heads, ("Latin", "12345", "0.863"), ("other", "3", ""))
    assert formatting.count(12_345) in table.sentence()
    np.testing.assert_array_equal(
        np.load(io.BytesIO(table.npy_bytes())), [[np.nan, 12_345, 0.863], [np.nan, 3, np.nan]]
    )


def test_other_columns_begin_without_rows(qtbot: QtBot, theme: Theme) -> None:
    table = PlainTable(theme, "table", "Table", ("kind", "tokens"), (whole,))
    qtbot.addWidget(table)
    table.set_rows((("Latin", (1,)),))
    table.set_heads(("kind", "a word", "a letter"), (whole, formatting.chance))
    assert table.rows() == ()
    table.set_rows((("Latin", (1, 0.5)),))
    assert table.table()[0] == ("kind", "a word", "a letter")
    assert table.rows() == (("Latin", "1", formatting.chance(0.5)),)
