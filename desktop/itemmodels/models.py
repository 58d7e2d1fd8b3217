"""Installed models as rows: what is in memory first, the rest after it; filtered by words."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from PySide6.QtCore import (
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from desktop.values import InstalledModel, Models

Index: TypeAlias = QModelIndex | QPersistentModelIndex
Order: TypeAlias = Literal["favourites", "name", "used", "size"]
IN_MEMORY: Final = frozenset({"loading", "ready", "answering", "stopping"})


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
        self._all: tuple[InstalledModel, ...] = ()
        self._words = ""
        self._kinds: frozenset[str] = frozenset()
        self._engines: frozenset[str] = frozenset()
        self._order: Order = "favourites"
        self._rows: tuple[InstalledModel | str, ...] = ()
        self._places: dict[str, int] = {}
        self._texts: list[str] | None = None  # what words are looked for in, row by row of _all

    def set_models(self, models: Models) -> None:
        """Show these models; rows that stay only change their content."""
        before, self._all = self._all, models.rows
        if not self._replaced(before, models.rows):
            self._texts = None
            self._refresh()

    def set_words(self, words: str) -> None:
        """Show only models whose facts contain every word."""
        self._words = words
        self._refresh()

    def set_filter(self, kinds: Iterable[str], engines: Iterable[str]) -> None:
        """Show only models of these kinds and engines; none = all."""
        self._kinds, self._engines = frozenset(kinds), frozenset(engines)
        self._refresh()

    def set_order(self, order: Order) -> None:
        """Sort the rows; models in memory stay above the others."""
        self._order = order
        self._refresh()

    def model_at(self, index: Index) -> InstalledModel | None:
        """Return the model of a row; ``None`` on a group or outside."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return None if isinstance(row, str) else row

    def row_of(self, model_id: str) -> int:
        """Return the row of a model, -1 where it is not shown."""
        return self._places.get(model_id, -1)

    def first_row(self) -> int:
        """Return the first row that is a model, -1 where there is none."""
        for n, row in enumerate(self._rows):
            if not isinstance(row, str):
                return n
        return -1

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

    def _replaced(
        self, before: tuple[InstalledModel, ...], after: tuple[InstalledModel, ...]
    ) -> bool:
        """Exchange the rows that are other objects now, where all of them keep their places."""
        if len(before) != len(after):
            return False
        changed = [(a, b) for a, b in zip(before, after, strict=True) if a is not b]
        if not all(_stays(old, new) for old, new in changed):
            return False
        rows = list(self._rows)
        for _, new in changed:
            place = self._places.get(new.info.id, -1)
            if place >= 0:
                rows[place] = new
        self._rows = tuple(rows)
        for _, new in changed:
            place = self._places.get(new.info.id, -1)
            if place >= 0:
                self.dataChanged.emit(self.index(place), self.index(place))
        return True

    def _wanted(self) -> list[InstalledModel]:
        rows: Iterable[InstalledModel] = self._all
        words = self._words.casefold().split()
        if words:
            if self._texts is None:
                self._texts = [_facts(row) for row in self._all]
            pairs = list(zip(self._texts, self._all, strict=True))
            for word in words:
                pairs = [pair for pair in pairs if word in pair[0]]
            rows = [row for _, row in pairs]
        kinds, engines = self._kinds, self._engines
        return [
            row
            for row in rows
            if (not kinds or row.info.kind in kinds) and (not engines or row.info.engine in engines)
        ]

    def _refresh(self) -> None:
        shown = self._wanted()
        held = [row for row in shown if row.status in IN_MEMORY]
        rest = _sorted([row for row in shown if row.status not in IN_MEMORY], self._order)
        loved: list[InstalledModel] = []
        others = rest
        if self._order == "favourites":
            loved = [row for row in rest if _is_favourite(row)]
            others = [row for row in rest if not _is_favourite(row)]
        rows: list[InstalledModel | str] = []
        for title, group in (
            (_tr("In memory"), held),
            (_tr("Favourites"), loved),
            (_tr("Installed"), others),
        ):
            if group and self._grouped:
                rows.append(title)
            rows.extend(group)
        if [_key(row) for row in rows] == [_key(row) for row in self._rows]:
            differing = [n for n, row in enumerate(rows) if row != self._rows[n]]
            self._rows = tuple(rows)
            if differing:  # laying thousands of rows out again takes a while
                self.dataChanged.emit(self.index(differing[0]), self.index(differing[-1]))
            return
        self._rows = tuple(rows)
        self._places = {row.info.id: n for n, row in enumerate(rows) if not isinstance(row, str)}
        self.setStringList([""] * len(rows))


def _stays(old: InstalledModel, new: InstalledModel) -> bool:
    """Whether a row keeps its place, whatever the order and the words looked for."""
    notes = (old.note.favourite, old.note.last_used) if old.note is not None else None
    noted = (new.note.favourite, new.note.last_used) if new.note is not None else None
    held = (old.status in IN_MEMORY) == (new.status in IN_MEMORY)
    return old.info == new.info and notes == noted and held


def _sorted(rows: list[InstalledModel], order: Order) -> list[InstalledModel]:
    if order == "name":
        return sorted(rows, key=lambda row: row.info.name.casefold())
    if order == "size":
        return sorted(rows, key=lambda row: -row.info.size_bytes)
    if order == "used":
        return sorted(rows, key=lambda row: -(row.note.last_used if row.note else 0.0))
    return rows


def _is_favourite(row: InstalledModel) -> bool:
    return row.note is not None and row.note.favourite


def _key(row: InstalledModel | str) -> str:
    return f"group {row}" if isinstance(row, str) else row.info.id


def _facts(row: InstalledModel) -> str:
    info = row.info
    facts = f"{info.name} {info.engine} {info.kind} {info.quantization} {info.architecture}"
    return facts.casefold()


def _spoken(row: InstalledModel) -> str:
    info = row.info
    words = [info.name, info.kind, info.quantization, _tr("{0} engine").format(info.engine)]
    if _is_favourite(row):
        words.append(_tr("favourite"))
    words.append(_tr("in memory") if row.status in IN_MEMORY else _tr("on disk"))
    if info.problem:
        words.append(info.problem)
    return ", ".join(word for word in words if word)


def _tr(text: str) -> str:
    return QCoreApplication.translate("InstalledModelsList", text)
