"""One file of a plan brought here, and all files of a finished plan given their names."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import DownloadError
from inference.library.download import receipts
from inference.library.download.digests import BLOCK, Digests
from inference.library.download.fetch import Fetch, Report
from inference.library.download.parts import STAGING, PartFile, disk_trouble
from inference.library.download.patience import StoppedError
from inference.library.hub import file_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.cancel import CancelToken
    from inference.library.download.patience import Patience
    from inference.library.download.values import Plan, RemoteFile
    from inference.library.download.wire import Wire


def bring(
    plan: Plan,
    file: RemoteFile,
    wire: Wire,
    *,
    report: Report,
    cancel: CancelToken,
    patience: Patience,
) -> str:
    """Make sure that a file is here, fetched only if it must be; return its sha256.

    Raises:
        DownloadError: One of its children.
        StoppedError: Cancelled; what arrived is kept.
    """
    folder = Path(plan.folder)
    stored = receipts.unchanged(folder, file)
    if stored is not None:
        report.checked(file.size_bytes)
        return stored.sha256
    part = PartFile(folder, file, plan.repo, plan.revision)
    for place in (part.whole, folder / file.path):
        digests = _hashed(place, file, report, cancel)
        if digests is not None and digests.match(file):
            return digests.sha256
    url = file_url(plan.endpoint, plan.repo, plan.revision, file.path)
    fetch = Fetch(wire, url, file, part, report=report, cancel=cancel, patience=patience)
    return fetch.run()


def place(plan: Plan, hashes: Mapping[str, str]) -> None:
    """Give all files their names at once, so that no half model is ever listed.

    Args:
        plan: All its files were brought.
        hashes: sha256 by path.

    Raises:
        DownloadError: A file with that name is in use, or the disk refuses.
    """
    folder = Path(plan.folder)
    for file in plan.files:
        part = PartFile(folder, file)
        if not part.is_whole():
            continue  # it had its name before
        target = folder / file.path
        with disk_trouble(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.whole.replace(target)
            except PermissionError as exc:
                raise DownloadError(
                    f"{target.name} cannot be replaced while it is in use.",
                    "Unload the model and go on; everything has arrived.",
                    str(exc),
                ) from exc
    with disk_trouble(folder):
        receipts.record(plan, folder, hashes)
        clean(plan)


def clean(plan: Plan) -> None:
    """Remove what a finished or cancelled download left in the staging folder.

    Parts of older versions of the same files go too; what another download put there stays.
    """
    folder = Path(plan.folder)
    staging = folder / STAGING
    for file in plan.files:
        PartFile(folder, file).discard()
        base = staging / file.path
        for left in base.parent.glob("*"):
            if left.name.startswith(f"{base.name}.") and _is_ours(left, base.name):
                left.unlink(missing_ok=True)
    folders = {parent for file in plan.files for parent in (staging / file.path).parents}
    inside = [one for one in folders if one == staging or staging in one.parents]
    for one in (*sorted(inside, key=lambda path: -len(path.parts)), folder, folder.parent):
        with contextlib.suppress(OSError):
            one.rmdir()  # only when empty


def _is_ours(left: Path, name: str) -> bool:
    """Tell whether a file in the staging folder belongs to exactly this name."""
    identity, _, ending = left.name.removeprefix(f"{name}.").partition(".")
    return len(identity) <= 24 and ending in ("part", "part.json", "part.tmp", "part.lock", "whole")


def _hashed(path: Path, file: RemoteFile, report: Report, cancel: CancelToken) -> Digests | None:
    """Read a file that may be the published one; ``None`` when it cannot be."""
    try:
        if not file.has_hash or path.stat().st_size != file.size_bytes:
            return None
        digests = Digests(file.size_bytes)
        with path.open("rb") as opened:
            while data := opened.read(BLOCK):
                if cancel.cancelled:
                    raise StoppedError
                digests.update(data)
                report.checked(digests.offset)
    except OSError:
        return None
    return digests
