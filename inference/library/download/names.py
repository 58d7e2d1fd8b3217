"""Names from a hub's listing, checked before they touch a disk.

A listing is written by strangers. A name may only mean a file below the folder of its own
repository, and the same file on every system: what Windows would read as a device, a drive or a
stream is refused on Linux too, so that a models folder can move.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from inference.errors import UnsafeNameError

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_BYTES = 200
"""Per part of a path; file systems allow 255, and a part file's name is longer than its file's."""

_MOST_PARTS = 12
_FORBIDDEN = frozenset('<>:"|?*\\')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])", re.I)
_HIDING = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode categories: controls, direction and joining marks, surrogates, private, line ends."""


def safe_path(name: str) -> PurePosixPath:
    """Return a listing's name as a relative path.

    Raises:
        UnsafeNameError: It could mean a place outside its folder, or something that is no file.
    """
    parts = name.split("/")
    if len(parts) > _MOST_PARTS:
        raise _refusal(name, "it is nested too deeply")
    for part in parts:
        reason = _objection(part)
        if reason:
            raise _refusal(name, reason)
    return PurePosixPath(*parts)


def safe_repo(repo: str) -> PurePosixPath:
    """Return ``org/name`` (or an old repository's ``name``) as a relative path.

    Raises:
        UnsafeNameError: It is no such name.
    """
    if repo.count("/") > 1:
        raise _refusal(repo, "a repository is called org/name")
    return safe_path(repo)


def check_distinct(paths: Iterable[PurePosixPath]) -> None:
    """Refuse names that are one file where capitals or accents do not count.

    Raises:
        UnsafeNameError: Two names would be one file on some systems, or a file and a folder.
    """
    seen: dict[str, PurePosixPath] = {}
    for path in paths:
        folded = _folded(path)
        if folded in seen:
            raise _refusal(str(path), f"it is the same file as {seen[folded]} on some systems")
        seen[folded] = path
    for path in seen.values():
        for parent in path.parents:
            if _folded(parent) in seen:
                raise _refusal(str(path), "one of its folders is a file, too")


def _folded(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFKC", str(path)).casefold()


def _objection(part: str) -> str:
    """Return why a part of a path cannot be used, or nothing."""
    device = _DEVICE.fullmatch(part.partition(".")[0].rstrip(" "))
    ragged = part.startswith(".") or part.endswith(".") or part != part.strip()
    objections = (
        (part == "..", "it leads out of its folder"),
        (part in ("", "."), "it is not a plain relative path"),
        (any(unicodedata.category(letter) in _HIDING for letter in part), "it holds control signs"),
        (bool(_FORBIDDEN & set(part)), "it holds a drive, a backslash or the like"),
        (device is not None, "it is the name of a device on Windows"),
        (ragged, "it begins with a dot, or has a blank or a dot at its end"),
        (len(part.encode("utf-8", "replace")) > _MOST_BYTES, "it is too long"),
    )
    return next((reason for applies, reason in objections if applies), "")


def _refusal(name: str, reason: str) -> UnsafeNameError:
    shown = name if len(name) <= 80 else f"{name[:80]}..."
    return UnsafeNameError(
        f"The name {shown!r} in the hub's list is not safe to store: {reason}.",
        "Nothing was downloaded. Choose another repository.",
        repr(name),
    )
