"""From what the store keeps to what views show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop.values import MessageView

if TYPE_CHECKING:
    from desktop.store.records import MessageRecord

_TITLE_CHARS = 48
NEW_CHAT = "New chat"


def message_view(record: MessageRecord, reading: tuple[int, int] = (0, 0)) -> MessageView:
    """Show one message; ``reading`` is how far the prompt has been read."""
    return MessageView(
        id=record.id,
        chat_id=record.chat_id,
        role=record.role,
        text=record.text,
        state=record.state,
        model_name=record.model_name,
        version=record.version,
        versions=record.versions,
        stats=record.stats,
        problem=record.problem,
        is_completion=record.is_completion,
        reading_done=reading[0],
        reading_total=reading[1],
        created_at=record.created_at,
    )


def title_from(text: str) -> str:
    """Make a chat's title from its first message: its beginning, cut at a word."""
    line = " ".join(text.split())
    if not line:
        return NEW_CHAT
    if len(line) <= _TITLE_CHARS:
        return line
    head = line[: _TITLE_CHARS + 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > _TITLE_CHARS // 3 else line[:_TITLE_CHARS]).rstrip(" ,.;:") + "…"
