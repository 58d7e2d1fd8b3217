"""What a person can act on. Anything that is not one of these is a bug and shown as one."""

from __future__ import annotations


class InferenceError(Exception):
    """A sentence for the person, a next step, and a detail for the log.

    Args:
        message: What happened, one or two sentences.
        hint: The next step, a sentence; may be empty.
        detail: Technical text for the log or a fold.
    """

    def __init__(self, message: str, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail

    def __reduce__(self) -> tuple[type[InferenceError], tuple[str, str, str]]:
        """Survive copying and pickling with all three fields."""
        return type(self), (self.message, self.hint, self.detail)


class ModelNotFoundError(InferenceError):
    """No installed model, file or folder of that name."""


class CorruptCheckpointError(InferenceError):
    """The files are damaged, incomplete, or contradict each other."""


class UnsupportedArchitectureError(InferenceError):
    """The files are sound, but no engine here can run them."""


class BackendUnavailableError(InferenceError):
    """The engine or device asked for is not available on this computer."""


class OutOfMemoryError(InferenceError):
    """Memory ran out while loading or running."""


class ContextOverflowError(InferenceError):
    """The prompt does not fit into the context."""


class BadChatTemplateError(InferenceError):
    """The chat template is missing, does not render, or refuses this conversation."""


class UnsupportedRequestError(InferenceError):
    """The engine lacks something the request asks for; it is named, never ignored."""


class EngineCrashedError(InferenceError):
    """The engine process ended by itself.

    Attributes:
        starved: Its end looks as if memory had run out.
    """

    starved = False


class StoreError(InferenceError):
    """Chats or settings cannot be read or written."""


class DatabaseTooNewError(StoreError):
    """The database was written by a newer version of the app."""


class DatabaseLockedError(StoreError):
    """Another window holds the database."""


class DiskFullError(StoreError):
    """There is no space left to save to."""


class ReadOnlyFolderError(StoreError):
    """The data folder cannot be written."""


class DownloadError(InferenceError):
    """A download cannot go on; what has arrived is kept."""


class NetworkError(DownloadError):
    """The hub or the way to it does not answer, or answers with trouble that lasts."""


class RepositoryNotFoundError(DownloadError):
    """The hub knows no such repository, revision or file, or hides it from this reader."""


class GatedModelError(DownloadError):
    """The authors want their terms accepted first, or a token that shows it."""


class HashMismatchError(DownloadError):
    """The bytes are not the ones that were published."""


class UnsafeNameError(DownloadError):
    """A repository lists a name that could end up outside its own folder."""


class NothingRunnableError(DownloadError):
    """The repository holds no files that an engine here can run."""


class NoSpaceError(DownloadError, DiskFullError):
    """The disk has too little space for a download."""


def wire_name(error: InferenceError) -> str:
    """Return the name used in ``Failed.error`` and in JSON output: the class without ``Error``."""
    return type(error).__name__.removesuffix("Error")


def _tree(cls: type[InferenceError]) -> dict[str, type[InferenceError]]:
    found = {cls.__name__.removesuffix("Error"): cls}
    for child in cls.__subclasses__():
        found |= _tree(child)
    return found


def from_wire(name: str, message: str, hint: str = "", detail: str = "") -> InferenceError:
    """Rebuild an error from its wire name; unknown names become ``InferenceError``."""
    return _tree(InferenceError).get(name, InferenceError)(message, hint, detail)
