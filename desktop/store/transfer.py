"""Chats as lines of JSON, out of the database and into another: whole trees, with every setting.

One line is one chat. Anybody may have written the lines that come in: they are checked before
anything of them is kept.
"""

from __future__ import annotations

from dataclasses import fields
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from desktop.store.chats import new_id
from desktop.store.records import UNFINISHED, AnswerSettings, ChatRecord, MessageRecord
from desktop.values import AnswerStats, MessageState, Problem
from inference.errors import StoreError
from inference.types import Role, SamplingParams

if TYPE_CHECKING:
    from desktop.store.chats import Chats

Outcome: TypeAlias = Literal["imported", "present"]
_FORM = 1


class WrittenMessage(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False):
    """One message of the tree; see ``MessageRecord``."""

    id: str
    parent_id: str | None
    role: Role
    text: str
    state: MessageState = "complete"
    created_at: float = 0.0
    model_id: str = ""
    model_name: str = ""
    engine: str = ""
    is_completion: bool = False
    settings: AnswerSettings | None = None
    stats: AnswerStats | None = None
    problem: Problem | None = None
    tokens: bytes = b""


class WrittenChat(msgspec.Struct, frozen=True):
    """One chat with all its messages, parents before children; see ``ChatRecord``.

    Attributes:
        glasshouse_chat: Form of the line.
    """

    glasshouse_chat: int
    id: str
    title: str
    created_at: float
    updated_at: float
    messages: tuple[WrittenMessage, ...]
    pinned: bool = False
    model_id: str = ""
    system_prompt: str = ""
    sampling: SamplingParams = SamplingParams()
    active_leaf: str | None = None


def written(chats: Chats, chat: ChatRecord) -> bytes:
    """Return a chat as one line of JSON, without its end."""
    messages = tuple(map(_written_message, chats.tree(chat.id)))
    facts = {one.name: getattr(chat, one.name) for one in fields(chat)}
    return msgspec.json.encode(WrittenChat(_FORM, messages=messages, **facts))


def _written_message(message: MessageRecord) -> WrittenMessage:
    facts = {name: getattr(message, name) for name in WrittenMessage.__struct_fields__}
    return WrittenMessage(**facts | {"settings": _without_folders(message.settings)})


def _without_folders(settings: AnswerSettings | None) -> AnswerSettings | None:
    """Keep the names of model files: their folders say whose computer it was, and help nobody."""
    if settings is None or settings.options is None:
        return settings
    options = settings.options
    named = msgspec.structs.replace(
        options, path=_name(options.path), draft=_name(options.draft) if options.draft else ""
    )
    return msgspec.structs.replace(settings, options=named)


def _name(path: str) -> str:
    return PureWindowsPath(path).name if "\\" in path else PurePosixPath(path).name


def read_line(line: bytes, number: int) -> WrittenChat:
    """Read one line and check it.

    Args:
        line: As ``written`` makes it.
        number: Counted from 1, for the sentence.

    Raises:
        StoreError: It is no chat, or its messages do not hang together.
    """
    try:
        chat = msgspec.json.decode(line, type=WrittenChat)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise _refusal(number, "it is not a chat that `chats export` wrote", str(exc)) from exc
    if chat.glasshouse_chat != _FORM:
        raise _refusal(number, "a newer version of the app wrote it")
    seen: set[str] = set()
    for message in chat.messages:
        if message.id in seen or not message.id:
            raise _refusal(number, f"two messages are called {message.id!r}")
        if message.parent_id is not None and message.parent_id not in seen:
            raise _refusal(number, f"the message before {message.id!r} is missing")
        seen.add(message.id)
    if not chat.id or (chat.active_leaf is not None and chat.active_leaf not in seen):
        raise _refusal(number, "the message it ends with is missing")
    return chat


def take(chats: Chats, chat: WrittenChat, *, again: bool = False) -> Outcome:
    """Keep a chat that was read.

    Args:
        chats: Where.
        chat: What ``read_line`` gave.
        again: Keep it once more, as a chat of its own, where it is there already.

    Raises:
        StoreError: It cannot be written; nothing of it is kept then.
    """
    if chats.get(chat.id) is not None and not again:
        return "present"
    clashes = chats.knows(chat.id, [message.id for message in chat.messages])
    names = {one: new_id() if clashes else one for one in (m.id for m in chat.messages)}
    chat_id = new_id() if clashes else chat.id
    record = ChatRecord(
        chat_id,
        chat.title,
        chat.created_at,
        chat.updated_at,
        chat.pinned,
        chat.model_id,
        chat.system_prompt,
        chat.sampling,
        names.get(chat.active_leaf or ""),
    )
    chats.bring(record, [_record(message, chat_id, names) for message in chat.messages])
    return "imported"


def _record(message: WrittenMessage, chat_id: str, names: dict[str, str]) -> MessageRecord:
    facts = {name: getattr(message, name) for name in WrittenMessage.__struct_fields__}
    facts["id"] = names[message.id]
    facts["parent_id"] = names[message.parent_id] if message.parent_id is not None else None
    if message.state in UNFINISHED:  # it was being written when it was exported
        facts["state"] = "stopped"
    return MessageRecord(chat_id=chat_id, **facts)


def _refusal(number: int, why: str, detail: str = "") -> StoreError:
    return StoreError(
        f"Line {number} cannot be taken: {why}.",
        "The chats before it are kept. Export it again, or leave that line out.",
        detail,
    )
