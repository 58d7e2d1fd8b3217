"""Installed models as rows: what is in memory first, the rest after it; filtered by words."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, TypeAlias

from PySide6.QtCore import (
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
    QTimer,
)

from desktop.itemmodels.model_sieve import ModelSieve, is_favourite, stays
from desktop.values import IN_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop.itemmodels.model_sieve import Order
    from desktop.values import InstalledModel, Models

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_A_SLICE = 1_000
"""Rows that are made ready for a search in one turn of the event loop: less than a millisecond."""

_TITLE = -1
_MANY = 16


class ModelRole(IntEnum):
    """What a delegate asks beyond the name."""

    MODEL = Qt.ItemDataRole.UserRole + 1  # InstalledModel, or None on a group
    GROUP = Qt.ItemDataRole.UserRole + 2  # the group's words, or empty on a model


class InstalledModelsList(QStringListModel):
    """Rows of the model picker and of the Models page.

    Rows are counted by Qt's own list of (empty) strings: a view asks for their number once for
    each row whenever it lays them out, and 10,000 answers in Python take 20 ms.

    Args:
        parent: Qt parent.
        grouped: Whether rows stand under the name of their group. Without names all rows are of
            one height, which a view of thousands needs.
    """

    def __init__(self, parent: QObject | None = None, *, grouped: bool = True) -> None:
        super().__init__(parent)
        self._grouped = grouped
        self._sieve = ModelSieve()
        self._rows: list[InstalledModel | str] = []
        self._shown: list[int] = []  # places in the sieve, row by row
        self._soon = QTimer(self)
        self._soon.timeout.connect(self._prepare)

    def set_models(self, models: Models) -> None:
        """Show these models; rows that stay only change their content."""
        if self._replaced(self._sieve.rows, models.rows):
            return
        self._sieve.set_rows(models.rows)
        self._refresh(came=True)
        self._soon.start(0)

    def set_words(self, words: str) -> None:
        """Show only models whose facts contain every word."""
        self._sieve.set_words(words)
        self._refresh()

    def set_filter(self, kinds: Iterable[str], engines: Iterable[str]) -> None:
        """Show only models of these kinds and engines; none = all."""
        self._sieve.set_filter(kinds, engines)
        self._refresh()

    def set_order(self, order: Order) -> None:
        """Sort the rows; models in memory stay above the others."""
        self._sieve.set_order(order)
        self._refresh()

    def model_at(self, index: Index) -> InstalledModel | None:
        """Return the model of a row; ``None`` on a group or outside."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return None if isinstance(row, str) else row

    def model(self, model_id: str) -> InstalledModel | None:
        """Return a model by its id, whether it is shown or not."""
        place = self._sieve.place_of(model_id)
        return self._sieve.rows[place] if place >= 0 else None

    def row_of(self, model_id: str) -> int:
        """Return the row of a model, -1 where it is not shown."""
        return self._row_at(self._sieve.place_of(model_id))

    def first_row(self) -> int:
        """Return the first row that is a model, -1 where there is none."""
        return next((n for n, place in enumerate(self._shown) if place != _TITLE), -1)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a view asks of one row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if role == ModelRole.GROUP:  # asked for every row when a list is laid out
            return row if isinstance(row, str) else ""
        if role == ModelRole.MODEL:
            return None if isinstance(row, str) else row
        if role == Qt.ItemDataRole.DisplayRole:
            return row if isinstance(row, str) else row.info.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return row if isinstance(row, str) else _spoken(row)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return what can be done with a row."""
        if self.model_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemNeverHasChildren

    def _row_at(self, place: int) -> int:
        if place < 0:
            return -1
        try:
            return self._shown.index(place)
        except ValueError:
            return -1

    def _replaced(
        self, before: tuple[InstalledModel, ...], after: tuple[InstalledModel, ...]
    ) -> bool:
        """Exchange the rows that are other objects now, where all of them keep their places."""
        if len(before) != len(after):
            return False
        pairs = zip(before, after, strict=True)
        changed = [place for place, (old, new) in enumerate(pairs) if old is not new]
        if not all(stays(before[place], after[place]) for place in changed):
            return False
        self._sieve.replace_rows(after)
        numbers: list[int] = []
        for place in changed:
            number = self._row_at(place)
            if number >= 0:
                self._rows[number] = after[place]
                numbers.append(number)
        self._tell_changed(numbers)
        return True

    def _tell_changed(self, numbers: list[int]) -> None:
        """Have rows painted anew: each for itself, or many in one go."""
        if len(numbers) > _MANY:
            numbers = [min(numbers), max(numbers)]
            self.dataChanged.emit(self.index(numbers[0]), self.index(numbers[1]))
            return
        for number in numbers:
            self.dataChanged.emit(self.index(number), self.index(number))

    def _refresh(self, *, came: bool = False) -> None:
        """Show what passes now; ``came``: the rows behind the places are other ones."""
        rows: list[InstalledModel | str] = []
        shown: list[int] = []
        titles = (_tr("In memory"), _tr("Favourites"), _tr("Installed"))
        for title, group in zip(titles, self._sieve.groups(), strict=True):
            if group and self._grouped:
                rows.append(title)
                shown.append(_TITLE)
            rows.extend(map(self._sieve.rows.__getitem__, group))
            shown += group
        before, self._rows = self._rows, rows
        is_same, self._shown = shown == self._shown, shown
        if came and len(before) == len(rows):
            is_same = all(map(_is_same, before, rows))
        if not is_same:
            self.setStringList([""] * len(rows))
        elif came:  # laying thousands of rows out again takes a while
            self._tell_changed([n for n, row in enumerate(rows) if row != before[n]])

    def _prepare(self) -> None:
        if self._sieve.prepare(_A_SLICE):
            self._soon.stop()


def _is_same(one: InstalledModel | str, other: InstalledModel | str) -> bool:
    """Whether two rows are the same model, or the same title."""
    if isinstance(one, str) or isinstance(other, str):
        return one is other or one == other
    return one is other or one.info.id == other.info.id


def _spoken(row: InstalledModel) -> str:
    info = row.info
    words = [info.name, info.kind, info.quantization, _tr("{0} engine").format(info.engine)]
    if is_favourite(row):
        words.append(_tr("favourite"))
    words.append(_tr("in memory") if row.status in IN_MEMORY else _tr("on disk"))
    if info.problem:
        words.append(info.problem)
    return ", ".join(word for word in words if word)


def _tr(text: str) -> str:
    return QCoreApplication.translate("InstalledModelsList", text)
