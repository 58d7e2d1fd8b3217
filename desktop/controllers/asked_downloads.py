"""Downloads that were asked for and of which the hub has not said yet what they consist of.

They outlive the app like the queue does: asked for is asked for.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from desktop.controllers.problems import download_title, hub_hint
from desktop.download_values import DownloadRow, RowState, Wanted
from inference.errors import wire_name
from inference.files import replace_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from inference.errors import InferenceError

_log = logging.getLogger(__name__)


class Asked(msgspec.Struct, frozen=True):
    """A request and what has become of it.

    Attributes:
        wanted: The request.
        state: ``asking``, ``paused`` or ``failed``.
        goes_on: Whether it was under way, so that a restart may ask again.
        since: When the state last changed, in seconds since the epoch.
        error: Wire name of what went wrong, with its three texts.
    """

    wanted: Wanted
    state: RowState = "asking"
    goes_on: bool = True
    since: float = 0.0
    error: str = ""
    message: str = ""
    hint: str = ""
    detail: str = ""

    def again(self) -> Asked:
        """Return it on its way once more."""
        return asking(self.wanted)

    def stopped(self) -> Asked:
        """Return it waiting for the person."""
        return msgspec.structs.replace(self, state="paused", goes_on=False, since=time.time())

    def refused(self, error: InferenceError) -> Asked:
        """Return it with what went wrong."""
        return Asked(
            self.wanted,
            "failed",
            goes_on=False,
            since=time.time(),
            error=wire_name(error),
            message=error.message,
            hint=error.hint,
            detail=error.detail,
        )

    def row(self, row_id: str) -> DownloadRow:
        """Return it as a row."""
        wanted = self.wanted
        return DownloadRow(
            id=row_id,
            repo=wanted.repo,
            name=wanted.name or wanted.repo.rpartition("/")[2],
            file=wanted.wanted or wanted.repo,
            wanted=wanted.wanted,
            state=self.state,
            total_bytes=wanted.size_bytes,
            title=download_title(self.error) if self.error else "",
            message=self.message,
            hint=hub_hint(self.hint),
            detail=self.detail,
            error=self.error,
            since=self.since,
            by_person=not self.goes_on,
        )


def asking(wanted: Wanted) -> Asked:
    """Return a request that is on its way."""
    return Asked(wanted, since=time.time())


def load(path: Path) -> dict[str, Asked]:
    """Read the requests of the last run by their ids; what was under way is paused now."""
    try:
        saved = msgspec.json.decode(path.read_bytes(), type=dict[str, Asked])
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError) as exc:
        _log.warning("the list of asked downloads cannot be read: %s", exc)
        return {}
    return {
        row_id: msgspec.structs.replace(one, state="paused") if one.state == "asking" else one
        for row_id, one in saved.items()
    }


def save(path: Path, asked: Mapping[str, Asked]) -> None:
    """Write the requests down; no file where there are none."""
    try:
        if asked:
            replace_file(path, msgspec.json.encode(asked))
        else:
            path.unlink(missing_ok=True)
    except OSError as exc:
        _log.warning("the list of asked downloads cannot be saved: %s", exc)
