"""From a repository's name to a plan: list it, check access, choose, check names and space."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from msgspec.structs import replace as changed

from inference.library.download.plan import make_plan
from inference.library.download.selection import choose

if TYPE_CHECKING:
    from pathlib import Path

    from inference.library.download.values import Plan
    from inference.library.hub import Hub


def prepare(hub: Hub, repo: str, models: Path, wanted: str = "", revision: str = "") -> Plan:
    """Ask the hub about a repository and plan its download; fetches no file.

    Args:
        hub: Where to ask.
        repo: ``org/name``.
        models: The models folder.
        wanted: A file, a part of a GGUF file's name such as ``Q4_K_M``, or empty.
        revision: Branch, tag or commit; empty means the main branch.

    Raises:
        DownloadError: One of its children.
    """
    listing = hub.listing(repo, revision)
    choice = choose(listing, wanted)
    hub.check_access(listing)
    files = tuple(
        file if file.size_bytes >= 0 and file.has_hash else hub.complete(listing, file)
        for file in choice.files
    )
    pinned = changed(listing, files=files)
    return make_plan(pinned, models, replace(choice, files=files))
