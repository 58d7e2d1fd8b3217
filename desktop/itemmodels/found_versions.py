"""The versions of one model as rows of a table: column heads, engines as group heads, versions."""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from desktop.discover_values import FoundVersion
from desktop.widgets import formatting
from desktop.widgets.fit_badge import fit_look

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()
COLUMNS: Final = "columns"


class VersionRole(IntEnum):
    """What a delegate asks beyond the words."""

    VERSION = Qt.ItemDataRole.UserRole + 1  # FoundVersion, or None on a head
    HEAD = Qt.ItemDataRole.UserRole + 2  # words of a group, ``columns``, or empty
    DONE = Qt.ItemDataRole.UserRole + 3  # fraction downloaded, or None where nothing is fetched


class FoundVersionsList(QAbstractListModel):
    """Rows of the table.

    Args:
        parent: Qt parent.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[FoundVersion | str] = []
        self._done: Callable[[FoundVersion], float | None] = lambda _version: None

    def set_progress(self, done: Callable[[FoundVersion], float | None]) -> None:
        """Ask ``done`` how much of a version has been fetched; ``None`` = it is not fetched."""
        self._done = done

    def set_versions(self, versions: Sequence[FoundVersion]) -> None:
        """Show these; rows that stay only change their content."""
        rows: list[FoundVersion | str] = []
        engine = ""
        for version in versions:
            if version.engine != engine:
                engine = version.engine
                rows.append(_engine_words(engine))
            rows.append(version)
        if rows:
            rows.insert(0, COLUMNS)
        same = [_key(row) for row in rows] == [_key(row) for row in self._rows]
        if same:
            self._rows = rows
            self.refresh()
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def refresh(self) -> None:
        """Say that progress may have changed."""
        if self._rows:
            self.dataChanged.emit(self.index(0), self.index(len(self._rows) - 1))

    def version_at(self, index: Index) -> FoundVersion | None:
        """Return the version of a row; ``None`` on a head or outside."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        return row if isinstance(row, FoundVersion) else None

    def row_of(self, version_id: str) -> int:
        """Return the row of a version, -1 where there is none."""
        for place, row in enumerate(self._rows):
            if isinstance(row, FoundVersion) and row.id == version_id:
                return place
        return -1

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a view asks of one row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        if not isinstance(row, FoundVersion):
            shown = "" if row == COLUMNS else row
            heads = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
            return row if role == VersionRole.HEAD else shown if role in heads else None
        answers: dict[int, Callable[[], object]] = {
            Qt.ItemDataRole.DisplayRole: lambda: row.label,
            Qt.ItemDataRole.AccessibleTextRole: lambda: _spoken(row),
            Qt.ItemDataRole.ToolTipRole: lambda: row.problem or _hint(row) or None,
            VersionRole.VERSION: lambda: row,
            VersionRole.HEAD: lambda: "",
            VersionRole.DONE: lambda: self._done(row),
        }
        answer = answers.get(role)
        return answer() if answer is not None else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return what can be done with a row."""
        if self.version_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemNeverHasChildren


def quality_words(version: FoundVersion) -> str:
    """Return quality in words, and what else tells rows apart."""
    words = QCoreApplication.translate("Quality", version.quality)
    if version.parts > 1:
        words = _tr("{0}, {1} files").format(words, formatting.count(version.parts))
    return words


def _hint(row: FoundVersion) -> str:
    words = [_tr("Recommended") if row.recommended else "", quality_words(row), row.note]
    return ". ".join(word.rstrip(".") for word in words if word)


def _key(row: FoundVersion | str) -> str:
    return row.id if isinstance(row, FoundVersion) else f"head {row}"


def _engine_words(engine: str) -> str:
    return _tr("GGUF engine") if engine == "gguf" else _tr("Native engine, readable PyTorch")


def _spoken(row: FoundVersion) -> str:
    words = [row.label, formatting.size(row.size_bytes) if row.size_bytes else ""]
    words.append(quality_words(row))
    if row.recommended:
        words.append(_tr("recommended"))
    if row.problem:
        words.append(row.problem)
    else:
        memory = row.fit.memory
        if memory is not None:
            words.append(_tr("memory {0}").format(formatting.size(memory.total_bytes)))
        words.append(fit_look(row.fit).words)
    if row.installed_id:
        words.append(_tr("installed"))
    return ", ".join(word for word in words if word)


def _tr(text: str) -> str:
    return QCoreApplication.translate("FoundVersionsList", text)
