"""The chat list as rows: groups by age, and the chats under them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from PySide6.QtCore import (
    QAbstractListModel,
    QCoreApplication,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from desktop.values import ChatSummary

Index: TypeAlias = QModelIndex | QPersistentModelIndex
_ROOT: Final = QModelIndex()


class ChatRole(IntEnum):
    """What a delegate asks beyond the title."""

    SUMMARY = Qt.ItemDataRole.UserRole + 1  # ChatSummary, or None on a group
    GROUP = Qt.ItemDataRole.UserRole + 2  # the group's words, or empty on a chat


@dataclass(frozen=True, slots=True)
class _Row:
    group: str
    chat: ChatSummary | None

    @property
    def key(self) -> str:
        return f"group {self.group}" if self.chat is None else self.chat.id


class ChatListModel(QAbstractListModel):
    """Rows of the chat list.

    Signals:
        title_edited: Chat id and the title a person typed; the list changes when the chats do.

    Args:
        today: Returns the current day; the groups depend on it.
        parent: Qt owner.
    """

    title_edited = Signal(str, str)

    def __init__(
        self, today: Callable[[], date] = date.today, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._today = today
        self._rows: tuple[_Row, ...] = ()

    def set_chats(self, chats: Sequence[ChatSummary], *, grouped: bool = True) -> None:
        """Show these chats, newest first; found chats are shown without groups.

        Rows that stay in their places only change their content, so that scrolling, choice and
        a field for renaming survive.
        """
        rows = self._grouped(chats) if grouped else tuple(_Row("", chat) for chat in chats)
        if [row.key for row in rows] == [row.key for row in self._rows]:
            changed = [n for n, row in enumerate(rows) if row != self._rows[n]]
            self._rows = rows
            for n in changed:
                self.dataChanged.emit(self.index(n), self.index(n))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def row_of(self, chat_id: str) -> int:
        """Return the row of a chat, -1 where it is not listed."""
        for n, row in enumerate(self._rows):
            if row.chat is not None and row.chat.id == chat_id:
                return n
        return -1

    def first_row(self) -> int:
        """Return the first row that is a chat, -1 where there is none."""
        return next((n for n, row in enumerate(self._rows) if row.chat is not None), -1)

    def chat_at(self, index: Index) -> ChatSummary | None:
        """Return the chat of a row; ``None`` on a group or outside."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        return self._rows[index.row()].chat

    def rowCount(self, parent: Index = _ROOT) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a view asks of one row."""
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row = self._rows[index.row()]
        title = row.group if row.chat is None else row.chat.title
        answers: dict[int, object] = {
            Qt.ItemDataRole.DisplayRole: title,
            Qt.ItemDataRole.EditRole: title,
            Qt.ItemDataRole.AccessibleTextRole: _spoken(row),
            ChatRole.SUMMARY: row.chat,
            ChatRole.GROUP: row.group if row.chat is None else "",
        }
        return answers.get(role)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Return what can be done with a row."""
        if self.chat_at(index) is None:
            return Qt.ItemFlag.NoItemFlags
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        return flags | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemNeverHasChildren

    def setData(self, index: Index, value: object, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Take an edit."""
        chat = self.chat_at(index)
        title = str(value).strip()
        if chat is None or role != Qt.ItemDataRole.EditRole or not title:
            return False
        if title != chat.title:
            self.title_edited.emit(chat.id, title)
        return True

    def _grouped(self, chats: Sequence[ChatSummary]) -> tuple[_Row, ...]:
        rows: list[_Row] = []
        today = self._today()
        pinned = [chat for chat in chats if chat.pinned]
        if pinned:
            rows.append(_Row(_tr("Pinned"), None))
            rows.extend(_Row("", chat) for chat in pinned)
        group = ""
        for chat in sorted(chats, key=lambda one: one.updated_at, reverse=True):
            if chat.pinned:
                continue
            words = group_name(chat.updated_at, today)
            if words != group:
                group = words
                rows.append(_Row(group, None))
            rows.append(_Row("", chat))
        return tuple(rows)


def group_name(updated_at: float, today: date) -> str:
    """Return the words over a chat: Today, Yesterday, Last 7 days, or its month.

    Args:
        updated_at: Seconds since the epoch.
        today: The current day.
    """
    day = datetime.fromtimestamp(updated_at).astimezone().date()
    if day >= today:
        return _tr("Today")
    if day == today - timedelta(days=1):
        return _tr("Yesterday")
    if day > today - timedelta(days=7):
        return _tr("Last 7 days")
    month = QLocale().standaloneMonthName(day.month)
    return month if day.year == today.year else f"{month} {day.year}"


def _spoken(row: _Row) -> str:
    if row.chat is None:
        return row.group
    words = [row.chat.title]
    if row.chat.pinned:
        words.append(_tr("pinned"))
    if row.chat.answering:
        words.append(_tr("being answered"))
    if row.chat.has_problem:
        words.append(_tr("stopped by a problem"))
    if row.chat.snippet:
        words.append(row.chat.snippet)
    return ", ".join(words)


def _tr(text: str) -> str:
    return QCoreApplication.translate("ChatListModel", text)
