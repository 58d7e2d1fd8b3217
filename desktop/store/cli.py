"""``glasshouse chats list | show | search``: the chats, read beside a running window."""

from __future__ import annotations

import argparse
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

from desktop.store.chats import Chats
from desktop.store.database import Database
from desktop.store.search import search_chats
from inference.cli import console
from inference.cli.main import guarded
from inference.errors import StoreError
from inference.paths import app_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from desktop.store.records import ChatRecord, MessageRecord
    from desktop.values import ChatSummary

_ROLES = {"user": "You", "assistant": "Model", "system": "System"}


def main(argv: Sequence[str]) -> int:
    """Run one command; see ``inference.cli.main.main`` for the exit status."""
    console.prepare_streams()
    parser = argparse.ArgumentParser(
        prog=f"{console.PROGRAM} chats", description="Read your chats; nothing is changed."
    )
    actions = parser.add_subparsers(metavar="COMMAND", required=True)
    listed = actions.add_parser("list", help="all chats, the last used first")
    listed.set_defaults(handler=_list)
    shown = actions.add_parser("show", help="one chat as text")
    shown.add_argument("chat", metavar="CHAT", help="an id or its beginning, or the title")
    shown.set_defaults(handler=_show)
    found = actions.add_parser("search", help="chats by words of titles and messages")
    found.add_argument("text", metavar="TEXT", nargs="+")
    found.set_defaults(handler=_search)
    for action in (listed, shown, found):
        action.add_argument("--json", action="store_true", help="print one JSON object per line")
    return guarded(parser.parse_args(argv))


def _open() -> Database:
    return Database.open_for_reading(app_paths().database)


def _list(arguments: argparse.Namespace) -> int:
    database = _open()
    try:
        chats = Chats(database).list()
    finally:
        database.close()
    _print_chats(chats, as_json=arguments.json)
    if not chats and not arguments.json:
        console.line("No chats yet.")
    return 0


def _search(arguments: argparse.Namespace) -> int:
    database = _open()
    try:
        chats = search_chats(database, console.clean(" ".join(arguments.text)))
    finally:
        database.close()
    _print_chats(chats, as_json=arguments.json)
    if not chats and not arguments.json:
        console.line("No chat has these words.")
    return 0


def _show(arguments: argparse.Namespace) -> int:
    database = _open()
    try:
        chats = Chats(database)
        chat = _find(chats, console.clean(arguments.chat))
        messages = chats.branch(chat.active_leaf)
    finally:
        database.close()
    if arguments.json:
        console.json_line(
            {
                "id": chat.id,
                "title": chat.title,
                "created_at": chat.created_at,
                "updated_at": chat.updated_at,
                "model": chat.model_id,
                "system_prompt": chat.system_prompt,
                "messages": [_message(message) for message in messages],
            }
        )
        return 0
    console.line(f"# {chat.title}")
    for message in messages:
        name = message.model_name or _ROLES[message.role]
        console.line(f"\n## {name}\n\n{message.text}")
        if message.problem is not None:
            console.line(f"({message.problem.title}: {message.problem.message})")
    return 0


def _find(chats: Chats, name: str) -> ChatRecord:
    """Return the chat a person means by its id, the beginning of one, or its title."""
    rows = chats.list()
    found = [row for row in rows if row.id == name]
    found = found or [row for row in rows if row.title.casefold() == name.casefold()]
    found = found or [row for row in rows if name and row.id.startswith(name)]
    if len(found) > 1:
        raise StoreError(
            f"Several chats match {name!r}.",
            f"Give the id: {', '.join(row.id for row in found[:5])}.",
        )
    chat = chats.get(found[0].id) if found else None
    if chat is None:
        raise StoreError(
            f"There is no chat {name!r}.", f"`{console.PROGRAM} chats list` shows them all."
        )
    return chat


def _message(message: MessageRecord) -> console.Json:
    return {
        "id": message.id,
        "role": message.role,
        "text": message.text,
        "state": message.state,
        "model": message.model_id,
        "engine": message.engine,
        "version": message.version,
        "versions": message.versions,
        "created_at": message.created_at,
    }


def _print_chats(chats: tuple[ChatSummary, ...], *, as_json: bool) -> None:
    if as_json:
        for chat in chats:
            console.json_line(asdict(chat))
        return
    rows = [
        (
            chat.id,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(chat.updated_at)),
            chat.title,
            chat.snippet,
        )
        for chat in chats
    ]
    if rows:
        console.table(rows)
