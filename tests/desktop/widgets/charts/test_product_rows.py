"""Scores, shares and the products they are made of, as rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtTest import QTest

from desktop.widgets.charts.product_rows import ProductRows
from inference.inside.products import Products

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop.widgets.theme import Theme

QUERY = np.array([2.0, -1.0, 0.0, 1.0], np.float32)
KEYS = np.array([[1, 0, 0, 0], [0, 2, 5, 0], [1, -1, 0, 1]], np.float32)


def _found(query: np.ndarray = QUERY, keys: np.ndarray = KEYS) -> Products:
    scores = (keys * query * 0.5).sum(axis=1)
    shares = (np.exp(scores) / np.exp(scores).sum()).astype(np.float32)
    return Products(query.tobytes(), keys.tobytes(), shares.tobytes(), 0.5)


def _rows(qtbot: QtBot, theme: Theme, found: Products, texts: tuple[str, ...]) -> ProductRows:
    rows = ProductRows(theme, "rows", "Rows")
    qtbot.addWidget(rows)
    rows.set_products(texts, found)
    return rows


def test_tokens_stand_in_the_order_of_their_shares_and_tell_what_makes_their_score(
    qtbot: QtBot, theme: Theme
) -> None:
    rows = _rows(qtbot, theme, _found(), ("The", " red", " kite"))
    assert rows.place_count() == 4  # the query, and three tokens
    told = [rows.place_words(place) for place in range(4)]
    assert told[0] == "The query of \u201ckite\u201d: 4 numbers."
    assert "kite\u201d: score 2.00" in told[1]
    assert "+1.00 from number 1" in told[1]
    assert "The\u201d: score 1.00" in told[2]
    assert "red\u201d: score -1.00" in told[3]
    assert "-1.00 from number 2" in told[3]
    assert "kite" in rows.sentence()
    heads, *lines = rows.table()
    assert heads == ("token", "score", "share", *(f"product {n}" for n in range(1, 5)))
    assert [line[0] for line in lines] == ["The", " red", " kite"]  # as in the text
    for line in lines:
        assert float(line[1]) == sum(float(cell) for cell in line[3:])
    assert np.isclose(sum(float(line[2]) for line in lines), 1)


def test_the_strongest_twelve_are_shown_and_the_rest_is_counted(qtbot: QtBot, theme: Theme) -> None:
    random = np.random.default_rng(4)
    keys = random.normal(size=(40, 4)).astype(np.float32)
    texts = tuple(f"t{n}" for n in range(40))
    rows = _rows(qtbot, theme, _found(keys=keys), texts)
    assert rows.place_count() == 13
    assert len(rows.table()) == 41
    rows.resize(600, rows.sizeHint().height())
    assert rows.place_at(QPoint(40, 5)) == -1  # the heads
    assert rows.place_at(QPoint(40, 30)) == 0
    assert rows.place_at(QPoint(40, 30 + 12 * 32)) == 12
    assert rows.place_at(QPoint(40, 30 + 13 * 32)) == -1
    rows.setFocus()
    QTest.keyClick(rows, Qt.Key.Key_End)
    assert "score" in rows.accessibleDescription()


def test_the_sign_of_a_product_is_its_colour(qtbot: QtBot, theme: Theme) -> None:
    rows = _rows(qtbot, theme, _found(), ("The", " red", " kite"))
    size = QSize(500, rows.sizeHint().height())
    image = QImage(size, QImage.Format.Format_RGB32)
    image.fill(theme.page)
    painter = QPainter(image)
    rows.draw(painter, size)
    painter.end()
    cell = (500 - 104 - 60 - 62 - 8) / 4
    last = 26 + 3 * 32 + 4 + 12 + 6  # the products of the third token, "red"
    negative = image.pixelColor(round(104 + 1.5 * cell), last)
    nothing = image.pixelColor(round(104 + 0.5 * cell), last)
    first = image.pixelColor(round(104 + 0.5 * cell), 26 + 32 + 4 + 12 + 6)  # of "kite": +1
    assert negative == theme.diverging[0]
    assert nothing == theme.diverging[len(theme.diverging) // 2]
    assert first == theme.diverging[-1]


def test_nothing_found_yet_is_said(qtbot: QtBot, theme: Theme) -> None:
    rows = ProductRows(theme, "rows", "Rows")
    qtbot.addWidget(rows)
    assert rows.place_count() == 0
    assert rows.sentence() == "Nothing to show yet."
    assert not rows.grab().isNull()
