"""The models folders of a person, and which other apps' models are shown: one small file.

The app's own folder is always on the list and first; others follow in the order they were added,
so that ids stay what they are when another one becomes the default. Downloads go to the default.
The file is read by the window and the command line, and always replaced as a whole.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec.structs import replace

from inference.errors import ModelNotFoundError, ReadOnlyFolderError, UnsupportedRequestError
from inference.files import replace_file
from inference.library.registry import store_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from inference.paths import AppPaths

_log = logging.getLogger(__name__)
FILE = "models-folders.json"

Bringing = Literal["", "link", "copy", "move"]
"""What happens to a file that is dropped on the window; empty = the person is asked."""


class FolderChoices(msgspec.Struct, frozen=True):
    """What the file holds.

    Attributes:
        folders: Absolute paths besides the app's own folder.
        default: One of them, or empty for the app's own.
        apps: Answers by app; one that is missing was not asked about.
        bringing: The remembered choice for files from elsewhere.
    """

    schema_version: int = 1
    folders: tuple[str, ...] = ()
    default: str = ""
    apps: dict[str, bool] = {}
    bringing: Bringing = ""


class ModelFolders:
    """Reads and changes the list. May be used from several threads.

    Args:
        paths: The app's folders.
    """

    def __init__(self, paths: AppPaths) -> None:
        self._path = paths.config / FILE
        self._own = paths.models
        self._lock = threading.RLock()

    @property
    def own(self) -> Path:
        """The app's own folder."""
        return self._own

    def choices(self) -> FolderChoices:
        """Return what was chosen; a file that cannot be read counts as none."""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=FolderChoices)
        except (FileNotFoundError, NotADirectoryError):
            return FolderChoices()
        except (OSError, msgspec.DecodeError) as exc:
            _log.info("the list of models folders cannot be read: %s", exc)
            return FolderChoices()

    def all(self) -> tuple[Path, ...]:
        """Return every models folder, the app's own first; some may be away."""
        return (self._own, *map(Path, self.choices().folders))

    def default(self) -> Path:
        """Return the folder that downloads go to."""
        chosen = self.choices()
        return Path(chosen.default) if chosen.default in chosen.folders else self._own

    def target(self) -> Path:
        """Return the default folder for something to be put into it.

        Raises:
            ReadOnlyFolderError: It is on a drive that is away.
        """
        folder = self.default()
        led_away = folder != self._own or folder.is_symlink()  # else it is made when needed
        if led_away and not _is_there(folder):
            raise ReadOnlyFolderError(
                f"The models folder {folder} is not there.",
                "Connect its drive, or make another folder the default.",
            )
        return folder

    def add(self, folder: Path, *, make_default: bool = False) -> Path:
        """Put a folder on the list and return it as it is listed.

        Raises:
            ModelNotFoundError: There is no such folder.
            UnsupportedRequestError: It lies in another one of the list, or around one.
            StoreError: The list cannot be saved.
        """
        folder = Path(folder).expanduser().absolute()
        if not _is_there(folder):
            raise ModelNotFoundError(f"There is no folder {folder}.", "Check the name.")
        with self._lock:
            chosen = self.choices()
            listed = next((one for one in self.all() if _same(one, folder)), None)
            if listed is None:
                self._check_apart(folder)
                listed = folder
                chosen = replace(chosen, folders=(*chosen.folders, str(folder)))
            if make_default:
                chosen = replace(chosen, default="" if listed == self._own else str(listed))
            self._save(chosen)
            return listed

    def drop(self, folder: Path) -> None:
        """Take a folder off the list; its files are not touched.

        Raises:
            ModelNotFoundError: It is not on the list.
            UnsupportedRequestError: It is the app's own.
            StoreError: The list cannot be saved.
        """
        with self._lock:
            listed = self._listed(folder)
            if listed == self._own:
                raise UnsupportedRequestError(
                    f"{listed} is the app's own models folder and stays on the list.",
                    "Another folder can be the one that downloads go to.",
                )
            chosen = self.choices()
            rest = tuple(one for one in chosen.folders if Path(one) != listed)
            default = "" if Path(chosen.default) == listed else chosen.default
            self._save(replace(chosen, folders=rest, default=default))

    def put_back(self, folder: Path, *, make_default: bool = False) -> None:
        """Undo ``drop``, also for a folder that is away; raises ``StoreError``."""
        with self._lock:
            chosen = self.choices()
            folders = tuple(dict.fromkeys((*chosen.folders, str(folder))))
            default = str(folder) if make_default else chosen.default
            self._save(replace(chosen, folders=folders, default=default))

    def make_default(self, folder: Path) -> None:
        """Let downloads go to a folder of the list from now on; raises like ``drop``."""
        with self._lock:
            listed = self._listed(folder)
            default = "" if listed == self._own else str(listed)
            self._save(replace(self.choices(), default=default))

    def answer_apps(self, answers: Mapping[str, bool]) -> None:
        """Keep whether the models of other apps are shown; raises ``StoreError``."""
        with self._lock:
            chosen = self.choices()
            self._save(replace(chosen, apps={**chosen.apps, **answers}))

    def set_bringing(self, choice: Bringing) -> None:
        """Remember what happens to files from elsewhere; raises ``StoreError``."""
        with self._lock:
            self._save(replace(self.choices(), bringing=choice))

    def find(self, folder: Path) -> Path | None:
        """Return a folder of the list by any spelling of its path."""
        folder = Path(folder).expanduser().absolute()
        return next((one for one in self.all() if _same(one, folder)), None)

    def holding(self, path: Path) -> Path | None:
        """Return the models folder that a file or folder lies in."""
        return next((one for one in self.all() if one in path.parents), None)

    def _listed(self, folder: Path) -> Path:
        found = self.find(folder)
        if found is None:
            raise ModelNotFoundError(
                f"{folder} is not one of the models folders.",
                "`glasshouse models list --folders` shows them.",
            )
        return found

    def _check_apart(self, folder: Path) -> None:
        for other in self.all():
            if _within(folder, other):
                raise UnsupportedRequestError(
                    f"{folder} lies in the models folder {other}, so its models are listed.",
                    "Choose a folder outside of it.",
                )
            if _within(other, folder):
                raise UnsupportedRequestError(
                    f"{folder} has the models folder {other} in it, so models would be listed "
                    "twice.",
                    "Choose a folder beside it, or take the inner one off the list first.",
                )

    def _save(self, chosen: FolderChoices) -> None:
        try:
            self._keep_damaged()
            replace_file(self._path, msgspec.json.format(msgspec.json.encode(chosen)))
        except OSError as exc:
            raise store_error(exc, self._path.parent) from exc
        except UnicodeEncodeError as exc:
            raise UnsupportedRequestError(
                "The folder's name is no text, so it cannot be kept on the list.",
                "Rename the folder, then add it again.",
            ) from exc

    def _keep_damaged(self) -> None:
        try:
            msgspec.json.decode(self._path.read_bytes(), type=FolderChoices)
        except FileNotFoundError:
            return
        except msgspec.DecodeError:
            self._path.replace(self._path.with_suffix(".damaged.json"))


def _is_there(folder: Path) -> bool:
    try:
        return folder.is_dir()
    except OSError:
        return False


def _same(one: Path, other: Path) -> bool:
    if one == other:
        return True
    try:
        return one.samefile(other)
    except OSError:
        return False


def _within(inner: Path, outer: Path) -> bool:
    try:
        return outer.resolve() in inner.resolve().parents
    except OSError:
        return False
