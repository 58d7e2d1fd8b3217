"""Models to be found as rows: curated ones, then what a hub said; all rows are equally high."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from PySide6.QtCore import (
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QStringListModel,
    Qt,
)

from desktop.discover_values import HubState

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop.discover_values import FoundModel
    from inference.library.fit import Fit

Index: TypeAlias = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Note:
    """A row that says something: what begins here, or how the search stands.

    Attributes:
        kind: ``section`` or ``tail``.
        title: First line.
        sentence: Second line.
        action: What Enter does, in words; empty where it does nothing.
    """

    kind: str
    title: str
    sentence: str
    action: str = ""
    key: ClassVar[str] = "none of a model"


class FoundRole(IntEnum):
    """What a delegate asks beyond the name."""

    MODEL = Qt.ItemDataRole.UserRole + 1  # FoundModel, or None on a note
    NOTE = Qt.ItemDataRole.UserRole + 2  # Note, or None on a model
    FIT = Qt.ItemDataRole.UserRole + 3  # Fit, or None
    INSTALLED = Qt.ItemDataRole.UserRole + 4  # whether a form of it is on this computer
    STARRED = Qt.ItemDataRole.UserRole + 5  # whether the person gave it a star


class FoundModelsList(QStringListModel):
    """Rows of the Discover tab.

    A view asks for the number of rows once for each row whenever it lays them out; that answer
    comes from Qt's own list of (empty) strings, as 5,000 answers in Python take 10 ms.

    Args:
        fit: How a row fits; asked for rows that are shown only.
        installed: Whether a row's model is here; asked likewise.
        starred: Whether the model of a key has a star; asked likewise.
        parent: Qt parent.
    """

    def __init__(
        self,
        fit: Callable[[FoundModel], Fit | None],
        installed: Callable[[FoundModel], bool],
        starred: Callable[[str], bool] = lambda _key: False,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._fit = fit
        self._installed = installed
        self._starred = starred
        self._curated: tuple[FoundModel, ...] = ()
        self._hub: tuple[FoundModel, ...] = ()
        self._state = HubState()
        self._rows: list[FoundModel | Note] = []
        self._came: tuple[FoundModel, ...] = ()
        self.rowsInserted.connect(self._take_came)  # before any view's own slot

    def set_found(
        self, curated: tuple[FoundModel, ...], hub: tuple[FoundModel, ...], state: HubState
    ) -> None:
        """Show these; a further page is added behind what is there."""
        grows = (
            curated == self._curated
            and self._state.status != "idle"
            and state.status != "idle"
            and hub[: len(self._hub)] == self._hub
        )
        came = hub[len(self._hub) :]
        self._curated, self._hub, self._state = curated, hub, state
        if grows:
            self._grow(came)
            return
        self._rows = [*curated]
        if state.status != "idle":
            self._rows += [self._section(), *hub, self._tail()]
        self.setStringList([""] * len(self._rows))

    def judge_again(self) -> None:
        """Say that fits or what is installed may have changed."""
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def found_at(self, index: Index) -> FoundModel | None:
        """Return the model of a row; ``None`` on a note or outside."""
        row = self._row(index)
        return None if row is None or isinstance(row, Note) else row

    def note_at(self, index: Index) -> Note | None:
        """Return the note of a row; ``None`` on a model or outside."""
        row = self._row(index)
        return row if isinstance(row, Note) else None

    def row_of(self, key: str) -> int:
        """Return the row of a model, -1 where it is not shown."""
        for place, row in enumerate(self._rows):
            if row.key == key:
                return place
        return -1

    def section_of(self, row: int) -> tuple[str, int]:
        """Return the words over a row, and how many models there are under them."""
        if row < len(self._curated) or self._state.status == "idle":
            return _tr("Curated, available offline"), len(self._curated)
        return _tr("On the hub"), len(self._hub)

    def is_near_end(self, row: int) -> bool:
        """Whether a row is so close to the last one that the next page should come."""
        return self._state.status == "more" and row >= len(self._rows) - 12

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a view asks of one row."""
        row = self._row(index)
        if row is None:
            return None
        if isinstance(row, Note):
            return self._note_data(row, role)
        answers: dict[int, Callable[[], object]] = {
            Qt.ItemDataRole.DisplayRole: lambda: row.name,
            Qt.ItemDataRole.AccessibleTextRole: lambda: self._spoken(row),
            Qt.ItemDataRole.ToolTipRole: lambda: row.problem or None,
            FoundRole.MODEL: lambda: row,
            FoundRole.FIT: lambda: self._fit(row),
            FoundRole.INSTALLED: lambda: self._installed(row),
            FoundRole.STARRED: lambda: self._starred(row.key),
        }
        answer = answers.get(role)
        return answer() if answer is not None else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return what can be done with a row."""
        row = self._row(index)
        if row is None or (isinstance(row, Note) and not row.action):
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemNeverHasChildren

    def _row(self, index: Index) -> FoundModel | Note | None:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        return self._rows[index.row()]

    def _grow(self, came: tuple[FoundModel, ...]) -> None:
        section, tail = len(self._curated), len(self._rows) - 1
        if came:
            self._came = came
            self.insertRows(tail, len(came))
        self._rows[section] = self._section()
        self._rows[-1] = self._tail()
        for row in (section, len(self._rows) - 1):
            self.dataChanged.emit(self.index(row), self.index(row))

    def _take_came(self, _parent: QModelIndex, first: int, _last: int) -> None:
        came, self._came = self._came, ()
        self._rows[first:first] = came

    def _note_data(self, note: Note, role: int) -> object:
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            parts = (note.title, note.sentence, note.action)
            return " ".join(part for part in parts if part)
        if role == Qt.ItemDataRole.ToolTipRole:
            return note.sentence or None
        return note if role == FoundRole.NOTE else None

    def _section(self) -> Note:
        title = _tr("On the hub")
        if self._state.text:
            title = _tr("On the hub: {0}").format(self._state.text)
        sentence = _tr("Sizes and fits are rough until a model is opened.")
        return Note("section", title, sentence, _tr("Close"))

    def _tail(self) -> Note:
        state, hidden = self._state, self._state.found - len(self._hub)
        if state.status == "asking":
            return Note("tail", _tr("Asking the hub"), "")
        if state.status == "failed" and state.problem is not None:
            again = _tr("Try again")
            return Note("tail", state.problem.title, state.problem.hint, again)
        sentence = ""
        if hidden:
            sentence = _tr("{0} more do not pass the filters.").format(hidden)
        if state.status == "more":
            title = _tr("There are more on the hub")
            return Note("tail", title, sentence, _tr("Show more"))
        if not state.found:
            title = _tr("The hub has nothing like it")
            return Note("tail", title, _tr("Try fewer words or fewer filters."))
        return Note("tail", _tr("That is all the hub has"), sentence)

    def _spoken(self, row: FoundModel) -> str:
        words = [row.name, *row.kinds, row.author, row.license]
        if row.gated:
            words.append(_tr("sign-in needed"))
        if self._starred(row.key):
            words.append(_tr("favourite"))
        if self._installed(row):
            words.append(_tr("installed"))
        if row.problem:
            words.append(row.problem)
        return ", ".join(word for word in words if word)


def _tr(text: str) -> str:
    return QCoreApplication.translate("FoundModelsList", text)
