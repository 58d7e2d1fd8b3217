"""``PastWork``: which earlier texts an engine can go on from, in memory and on the disk.

An engine holds one text at a time. Before it turns to another one, what would be lost is copied
into memory; while nobody waits, copies are written to the disk; and before a prompt is read, the
kept text that shares the longest beginning with it is put back. Nothing here can make an answer
fail: what cannot be kept or put back is read again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import psutil

from inference.cancel import CancelToken
from inference.errors import InferenceError
from inference.past import folder as files
from inference.past.file_format import (
    Head,
    UnusableError,
    file_size,
    read_head,
    read_snapshot,
    write_snapshot,
)
from inference.past.identity import Identity, short_digest
from inference.past.snapshot import as_tokens, shared_length

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from inference.past.snapshot import Snapshot, Tokens
    from inference.types import PastOptions

_log = logging.getLogger(__name__)

_FEWEST: Final = 16
_SHARE: Final = 20
"""Less than 16 tokens, or a twentieth of a text, is read again rather than copied."""
_OF_MEMORY: Final = 32
"""Copies take at most this part of the computer's memory, however much was asked for."""
_TROUBLE: Final = (InferenceError, MemoryError, OSError, RuntimeError)  # RuntimeError: torch's


class Holder(Protocol):
    """The engine's one text."""

    @property
    def tokens(self) -> Sequence[int]:
        """What was read and is held."""
        ...

    @property
    def facts(self) -> Mapping[str, int]:
        """Numbers that belong to what is held."""
        ...

    @property
    def size_bytes(self) -> int:
        """Memory that a copy would take."""
        ...

    def usable(self, kept: int, facts: Mapping[str, int], shared: int, prompt: int) -> int:
        """Return how many tokens of a text can be gone on from.

        Args:
            kept: Tokens of that text.
            facts: The ``facts`` it was kept with.
            shared: Tokens it has in common with the prompt; always less than ``prompt``.
            prompt: Tokens of the prompt.
        """
        ...

    def copy_out(self) -> Snapshot:
        """Copy what is held; its ``facts`` may say that a copy holds less."""
        ...

    def copy_in(self, snapshot: Snapshot, count: int) -> None:
        """Hold the first ``count`` tokens of a snapshot and nothing else.

        Raises:
            UnusableError: It cannot be; nothing is held then.
        """
        ...


@dataclass(slots=True, eq=False)
class _Kept:
    """A text that can be gone on from: in memory, on the disk, or both."""

    chat: str
    tokens: Tokens
    facts: Mapping[str, int]
    snapshot: Snapshot | None = None
    path: Path | None = None

    @property
    def memory_bytes(self) -> int:
        return 0 if self.snapshot is None else self.snapshot.size_bytes


class PastWork:
    """All that is kept for one engine; used by the thread that owns the engine.

    Args:
        holder: The engine's text.
        identify: Says whose work it is, or raises ``OSError``; called only for files.
        options: How much may be kept.
        folder: Where files go.
    """

    def __init__(
        self,
        holder: Holder,
        identify: Callable[[], Identity],
        options: PastOptions,
        folder: Path,
    ) -> None:
        self._holder = holder
        self._identity = Identity("", "", "", "")
        self._folder = folder
        self._on_disk = options.disk_bytes
        self._in_memory = memory_limit(options)
        self._kept: list[_Kept] = []  # the one not used for the longest time comes first
        self._owner = ""
        if self._on_disk:
            try:
                self._identity = identify()
            except OSError as exc:
                _log.info("nothing is kept on the disk, the model cannot be told apart: %s", exc)
                self._on_disk = 0
            else:
                self._scan()

    @property
    def memory_bytes(self) -> int:
        """Memory that copies take now."""
        return sum(kept.memory_bytes for kept in self._kept)

    def prepare(self, prompt: Sequence[int], key: str) -> None:
        """Make ready for a prompt: save what it would overwrite, put back what it can go on from.

        Args:
            prompt: What is about to be read, the last token always anew; empty = all is forgotten.
            key: Which chat it belongs to; empty = its text is not worth keeping.
        """
        if not (self._on_disk or self._in_memory):
            return
        wanted, here = as_tokens(prompt), as_tokens(self._holder.tokens)
        stays = self._usable(here, self._holder.facts, wanted)
        found = [
            (count, kept, kept.snapshot)  # which keeping what is here might take from it
            for kept in self._kept
            if _is_worth(
                (count := self._usable(kept.tokens, kept.facts, wanted)) - stays, len(kept.tokens)
            )
        ]
        if found or _is_worth(len(here) - stays, len(here)):
            self._keep_here()
        for count, kept, snapshot in sorted(found, key=lambda one: one[0], reverse=True):
            if self._put_back(kept, snapshot, count):
                break
        self._owner = key

    def rest(self, cancel: CancelToken) -> None:
        """Write to the disk what is not there yet; what is given up goes on the next time."""
        if not self._on_disk:
            return
        self._write_waiting(cancel)
        if not cancel.cancelled:
            self._keep_here()
            self._write_waiting(cancel)

    def forget(self, key: str | None) -> None:
        """Drop what was kept of one chat, or (``None``) of all, from the disk too."""
        chat = None if key is None else short_digest(key)
        for kept in [one for one in self._kept if chat in {None, one.chat}]:
            self._drop(kept)
        if key is None:
            files.clear(self._folder)
        else:
            files.forget(self._folder, (key,))
        if key in {None, self._owner}:
            self._owner = ""

    def close(self) -> None:
        """Write what is not on the disk yet."""
        self.rest(CancelToken())
        self._kept.clear()

    # --- keeping ---------------------------------------------------------------------------

    def _keep_here(self) -> None:
        """Copy what is held into memory, where it belongs to a chat and is not kept yet."""
        here = as_tokens(self._holder.tokens)
        longer = as_tokens([*self._holder.tokens, 0])  # what coming back would read
        kept = max((self._usable(one.tokens, one.facts, longer) for one in self._kept), default=0)
        ours = self._usable(here, self._holder.facts, longer)
        if not self._owner or not _is_worth(ours - kept, len(here)):
            return
        size = self._holder.size_bytes
        if size > max(self._on_disk, self._in_memory) or 2 * size > _free_memory():
            _log.info("a text of %d tokens is not kept: it takes %d bytes", len(here), size)
            return
        try:
            snapshot = self._holder.copy_out()
        except _TROUBLE as exc:
            _log.info("a text of %d tokens could not be kept: %s", len(here), exc)
            return
        fresh = _Kept(short_digest(self._owner), here, snapshot.facts, snapshot)
        for old in self._covered_by(fresh):
            old.snapshot = None
            if old.path is None:
                self._kept.remove(old)
        self._kept.append(fresh)
        self._trim()

    def _write_waiting(self, cancel: CancelToken) -> None:
        for kept in [one for one in self._kept if one.path is None]:
            if cancel.cancelled:
                return
            self._write(kept, cancel)
        self._trim()

    def _write(self, kept: _Kept, cancel: CancelToken) -> None:
        assert kept.snapshot is not None  # noqa: S101  it is in memory or on the disk
        path = self._folder / files.file_name(self._identity.short, kept.chat)
        try:
            if not files.make_room(self._folder, file_size(kept.snapshot), self._on_disk):
                _log.info("there is no room on the disk for a text of %d tokens", len(kept.tokens))
                return
            if not write_snapshot(path, kept.snapshot, self._identity, kept.chat, cancel):
                return
        except OSError as exc:
            _log.info("a text of %d tokens could not be written: %s", len(kept.tokens), exc)
            return
        kept.path = path
        for old in self._covered_by(kept):
            self._drop(old)
        if shared_length(kept.tokens, as_tokens(self._holder.tokens)) == len(kept.tokens):
            kept.snapshot = None  # the engine itself holds it

    def _covered_by(self, fresh: _Kept) -> list[_Kept]:
        """Return older texts of the same chat that the fresh one makes superfluous."""
        return [
            old
            for old in self._kept
            if old is not fresh
            and old.chat == fresh.chat
            and not _is_worth(
                len(old.tokens) - shared_length(old.tokens, fresh.tokens), len(old.tokens)
            )
        ]

    def _trim(self) -> None:
        """Let copies go until they fit; those that are on the disk first.

        The newest copy that waits to be written stays until then, whatever its size.
        """
        for kept in [one for one in self._kept if one.path is not None]:
            if self.memory_bytes > self._in_memory:
                kept.snapshot = None
        waiting = [one for one in self._kept if one.path is None]
        for kept in waiting[:-1] if self._on_disk else waiting:
            if self.memory_bytes > self._in_memory:
                self._kept.remove(kept)

    # --- finding ---------------------------------------------------------------------------

    def _usable(self, tokens: Tokens, facts: Mapping[str, int], prompt: Tokens) -> int:
        shared = shared_length(tokens, prompt[:-1])
        return self._holder.usable(len(tokens), facts, shared, len(prompt))

    def _put_back(self, kept: _Kept, snapshot: Snapshot | None, count: int) -> bool:
        try:
            if snapshot is None:
                assert kept.path is not None  # noqa: S101  it is in memory or on the disk
                snapshot = read_snapshot(kept.path, self._identity)
            self._holder.copy_in(snapshot, count)
        except FileNotFoundError:
            self._drop(kept)  # cleared meanwhile, or another engine needed the room
            return False
        except (UnusableError, *_TROUBLE) as exc:
            _log.info("kept work of %d tokens is dropped: %s", len(kept.tokens), exc)
            self._drop(kept)
            return False
        if kept in self._kept:
            self._kept.remove(kept)
            self._kept.append(kept)
        if kept.path is not None:
            files.mark_used(kept.path)
        return True

    def _drop(self, kept: _Kept) -> None:
        if kept in self._kept:
            self._kept.remove(kept)
        if kept.path is not None:
            files.remove(kept.path)

    def _scan(self) -> None:
        """Find this engine's files; what no engine of today can use is dropped."""
        for path, _size in files.files(self._folder):
            try:
                head = read_head(path)
                self._check_build(head)
                if head.identity == self._identity:
                    self._kept.append(_Kept(head.chat, head.tokens, head.facts, path=path))
            except UnusableError as exc:
                _log.info("kept work is dropped, %s: %s", path.name, exc)
                files.remove(path)
            except OSError as exc:
                _log.info("kept work cannot be read, %s: %s", path.name, exc)

    def _check_build(self, head: Head) -> None:
        theirs, ours = head.identity, self._identity
        same_model = (theirs.engine, theirs.model) == (ours.engine, ours.model)
        if same_model and theirs.build != ours.build:
            raise UnusableError("another build of the engine has made it")


def memory_limit(options: PastOptions) -> int:
    """Return how much memory copies may take: as asked for, within reason."""
    return min(options.memory_bytes, psutil.virtual_memory().total // _OF_MEMORY)


def _is_worth(tokens: int, of_tokens: int) -> bool:
    """Whether so many tokens are worth copying a text of ``of_tokens``."""
    return tokens >= max(_FEWEST, of_tokens // _SHARE)


def _free_memory() -> int:
    return int(psutil.virtual_memory().available)
