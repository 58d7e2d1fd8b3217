"""Whether a hub has a newer revision of an installed model; asked only when a person asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from inference.errors import UnsupportedRequestError
from inference.library import split_files
from inference.library.describe import is_gguf
from inference.library.details import origin_of
from inference.library.download.receipts import find_receipt
from inference.library.hub import Hub

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from inference.library.download.values import Listing


@dataclass(frozen=True, slots=True)
class UpdateCheck:
    """What the hub has now.

    Attributes:
        repo: ``org/name``.
        revision: The commit that is installed; empty where it is not known.
        newest: The newest commit of the main branch.
        changed: Files of this model whose content is another one there.
        gone: Files of this model that are not there any more.
    """

    repo: str
    revision: str
    newest: str
    changed: tuple[str, ...]
    gone: tuple[str, ...]

    @property
    def is_newer(self) -> bool:
        """Whether there is something to download: a new commit may have changed other files."""
        return bool(self.changed)

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        if self.changed:
            names = ", ".join(self.changed[:3]) + (" and others" if len(self.changed) > 3 else "")
            return f"{self.repo} has a newer version of this model: {names} changed."
        if self.gone:
            return f"{self.repo} does not have {self.gone[0]} any more."
        if self.revision == self.newest:
            return f"This is the newest version of {self.repo}."
        return f"{self.repo} has a newer revision, but this model's files are the same there."


def check_update(path: Path, open_hub: Callable[[str], Hub] = Hub) -> UpdateCheck:
    """Ask the hub that a model is from whether its files are still the newest.

    Args:
        path: A ``.gguf`` file or a checkpoint folder.
        open_hub: Opens the hub of an address; empty means the usual one.

    Raises:
        UnsupportedRequestError: It is not known where the model is from.
        DownloadError: The hub does not answer, or does not know it any more.
    """
    origin = origin_of(path)
    have = _identities(path)
    if not origin.repo or not have:
        raise UnsupportedRequestError(
            f"It is not known where {path.name} is from, so there is nothing to compare it with.",
            "Models that were downloaded here or lie in the Hugging Face cache can be checked.",
        )
    listing = open_hub(origin.endpoint).listing(origin.repo)
    there = _by_name(listing)
    changed = tuple(name for name, one in have.items() if name in there and one not in there[name])
    gone = tuple(name for name in have if name not in there)
    return UpdateCheck(listing.repo, origin.revision, listing.revision, changed, gone)


def _by_name(listing: Listing) -> dict[str, frozenset[str]]:
    return {file.path: frozenset({file.sha256, file.git_sha1} - {""}) for file in listing.files}


def _identities(path: Path) -> dict[str, str]:
    """Return the published hash of each file of a model, by its name in the repository."""
    found = find_receipt(path)
    if found is not None:
        folder, receipt = found
        return {
            name: stored.published.identity
            for name, stored in receipt.files.items()
            if stored.published.has_hash and _belongs(folder / name, path)
        }
    snapshot = next((one for one in (path, *path.parents) if one.parent.name == "snapshots"), None)
    if snapshot is None:
        return {}
    files = split_files.parts(path) if is_gguf(path) else tuple(path.rglob("*"))
    return {
        file.relative_to(snapshot).as_posix(): file.resolve().name
        for file in files
        if file.is_symlink() and file.is_file()  # without links the cache says no hash
    }


def _belongs(file: Path, path: Path) -> bool:
    if is_gguf(path):
        return file in split_files.parts(path)
    return path in file.parents and file.suffix.lower() != ".gguf"
