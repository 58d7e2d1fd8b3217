"""``glasshouse chats list | show | search | export | import``: the chats, without the window.

All but ``import`` read beside a running window.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from desktop.store.chats import Chats
from desktop.store.database import Database
from desktop.store.failures import store_error
from desktop.store.search import search_chats
from desktop.store.transfer import read_line, take, written
from inference.cli import console
from inference.cli.main import guarded
from inference.cli.options import clean_path
from inference.errors import StoreError
from inference.files import replace_file
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
        prog=f"{console.PROGRAM} chats", description="Read your chats, and take them along."
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
    exported = actions.add_parser("export", help="chats as lines of JSON, with every version")
    exported.add_argument("chats", metavar="CHAT", nargs="*", help="as for show; none = all")
    exported.add_argument("--out", metavar="FILE", type=Path, help="write there instead")
    exported.set_defaults(handler=_export)
    imported = actions.add_parser("import", help="take in what export wrote")
    imported.add_argument("file", metavar="FILE", help="- is standard input")
    imported.add_argument("--again", action="store_true", help="also what is here, as a copy")
    imported.set_defaults(handler=_import)
    for action in (listed, shown, found, imported):
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


def _export(arguments: argparse.Namespace) -> int:
    database = _open()
    try:
        chats = Chats(database)
        if arguments.chats:
            found = [_find(chats, console.clean(name)) for name in arguments.chats]
        else:
            found = [chat for row in chats.list() if (chat := chats.get(row.id)) is not None]
        lines = [written(chats, chat) for chat in found]
    finally:
        database.close()
    if arguments.out is None:
        for line in lines:
            console.line(line.decode())
        return 0
    try:
        replace_file(arguments.out, b"".join(line + b"\n" for line in lines))
    except OSError as exc:
        raise store_error(exc, str(arguments.out.parent)) from exc
    console.line(f"{_number(len(lines))} written to {arguments.out}.")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    lines = _lines(arguments.file)
    path = app_paths().database
    path.parent.mkdir(parents=True, exist_ok=True)
    database = Database.open(path)
    came = here = 0
    try:
        chats = Chats(database)
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            chat = read_line(line, number)
            outcome = take(chats, chat, again=arguments.again)
            came, here = came + (outcome == "imported"), here + (outcome == "present")
            if arguments.json:
                console.json_line({"id": chat.id, "title": chat.title, "outcome": outcome})
    finally:
        database.close()
    if not arguments.json:
        console.line(f"{_number(came)} taken in; {here} were here already.")
    return 0


def _lines(name: str) -> list[bytes]:
    if name == "-":
        return sys.stdin.buffer.read().splitlines()
    try:
        return Path(clean_path(name)).read_bytes().splitlines()
    except OSError as exc:
        raise StoreError(
            f"{name} cannot be read.", "Check the name and the folder.", str(exc)
        ) from exc


def _number(count: int) -> str:
    return "1 chat" if count == 1 else f"{count} chats"


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
