"""What a hub's answer means for a file: is it this file, from which byte, or what is wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from inference.errors import (
    DownloadError,
    GatedModelError,
    RepositoryNotFoundError,
)
from inference.library.download.patience import BUSY, TryAgainError, asked_wait_s
from inference.library.download.wire import origin

if TYPE_CHECKING:
    from inference.library.download.values import RemoteFile
    from inference.library.download.wire import Answer

_RANGE = re.compile(r"bytes (?P<start>\d+)-(?P<end>\d+)/(?P<total>\d+|\*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_MISSING = ("RepoNotFound", "RevisionNotFound", "EntryNotFound")

Origin = tuple[str, str, int]


def check_identity(answer: Answer, hub: Origin, file: RemoteFile) -> None:
    """Compare what the hub says about the file on the way with what it listed.

    Only the hub's own answers count: the ETag of a content store is no sha256.

    Raises:
        DownloadError: It is another file now.
    """
    for hop in answer.hops:
        if origin(hop.url) != hub:
            continue
        etag = hop.headers.get("x-linked-etag", "").removeprefix("W/").strip('"')
        size = hop.headers.get("x-linked-size", "")
        other_hash = (bool(file.sha256) and _SHA256.fullmatch(etag) and etag != file.sha256) or (
            not file.sha256 and file.git_sha1 and _SHA1.fullmatch(etag) and etag != file.git_sha1
        )
        if other_hash or (size.isdigit() and int(size) != file.size_bytes):
            raise DownloadError(
                f"{file.path} has changed on the hub since its list was read.",
                "Start the download again; it takes the new version and mixes nothing.",
                f"{etag} {size} instead of {file.identity} {file.size_bytes}",
            )


def accepted_start(answer: Answer, have: int, file: RemoteFile) -> int | None:
    """Return the byte that a good answer starts with, ``None`` if it fits nowhere.

    Raises:
        TryAgainError: It announces another length than was published.
    """
    if answer.status == 200:
        length = answer.headers.get("content-length", "")
        if length.isdigit() and not answer.encoded:
            _check_length(int(length), file)
        return 0
    match = _RANGE.fullmatch(answer.headers.get("content-range", "").strip())
    if match is None or answer.encoded or int(match["start"]) != have:
        return None
    if match["total"] != "*":
        _check_length(int(match["total"]), file)
    return have


def trouble_of_status(answer: Answer, hub: Origin, file: RemoteFile) -> TryAgainError | None:
    """Return why to ask again, ``None`` when the answer has a body to read.

    Raises:
        DownloadError: One of its children: asking again would not help.
    """
    status = answer.status
    if status in (200, 206):
        return None
    from_hub = origin(answer.hops[-1].url) == hub
    detail = f"status {status} from {answer.hops[-1].url.partition('?')[0]}"
    if status == 416:
        return TryAgainError("The server does not have the rest of the file.", detail, most=3)
    if from_hub:
        _raise_refusal(answer, file, detail)
    elif status in (400, 401, 403, 404, 410):
        return TryAgainError("The link has expired.", detail, asked_s=0.0, most=3)
    asked = asked_wait_s(answer.headers)
    if status == 429:
        return TryAgainError("The hub asks to slow down.", detail, asked_s=asked)
    if status in BUSY:
        return TryAgainError("The server is busy.", detail, asked_s=asked)
    raise DownloadError(
        f"The server refuses {file.path} (status {status}).",
        "Try again later, or choose another repository.",
        detail,
    )


def _raise_refusal(answer: Answer, file: RemoteFile, detail: str) -> None:
    """Raise what the hub itself says no to; do nothing for trouble that may pass."""
    code = answer.headers.get("x-error-code", "")
    if code == "GatedRepo":
        raise GatedModelError(
            "The authors of this model want their terms accepted before it can be downloaded.",
            "Accept them on the model's page while signed in, then give the app a token of that "
            "account (HF_TOKEN or Settings).",
            detail,
        )
    if code in _MISSING or answer.status == 404:
        raise RepositoryNotFoundError(
            f"The hub no longer has {file.path} at this version.",
            "Start the download again to take the newest version.",
            f"{detail} {code}",
        )
    if answer.status in (401, 403):
        raise GatedModelError(
            "The hub does not let this reader download the model.",
            "Check the token in HF_TOKEN or the settings: it may be wrong or have expired.",
            detail,
        )


def _check_length(length: int, file: RemoteFile) -> None:
    if length != file.size_bytes:
        raise TryAgainError(
            f"The server's {file.path} has another length than was published.",
            f"{length} instead of {file.size_bytes}",
            most=2,
        )
