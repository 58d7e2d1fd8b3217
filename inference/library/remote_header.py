"""Read what a model says about itself before it is downloaded: a few hundred kB by range requests.

A GGUF header begins with the network's widths; its vocabulary, some megabytes, comes after them.
So the beginning tells enough for a forecast, and the rest is read only when asked for. The parsers
are those for local files.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from inference.errors import CorruptCheckpointError, NetworkError
from inference.library.checkpoint_folder import parse_safetensors_header
from inference.library.download.patience import Patience, StoppedError, TryAgainError
from inference.library.download.wire import Wire
from inference.library.gguf_header import HeaderPrefix, read_prefix
from inference.library.hub import file_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType
    from typing import Self

    from inference.cancel import CancelToken
    from inference.library.checkpoint_folder import StoredTensor
    from inference.library.download.values import Listing, RemoteFile

FIRST_BYTES = 64 * 1024
"""Asked for at first; most headers say the widths within it."""
_MOST_PREFIX = 512 * 1024
_MOST_HEADER = 64 * 1024 * 1024
_MOST_TEXT = 4 * 1024 * 1024
_MOST_JSON = 32 * 1024 * 1024
_NEEDED = ("block_count", "embedding_length", "attention.head_count", "context_length")


class ByteSource(Protocol):
    """Where the bytes of one file come from."""

    @property
    def name(self) -> str:
        """The file's name, for sentences."""
        ...

    def read(self, start: int, end: int) -> tuple[bytes, int]:
        """Return bytes ``start`` to ``end`` (fewer at the end of the file) and the file's size."""
        ...


class RemoteFiles:
    """The files of one commit on a hub; to be used by one thread, and closed.

    Args:
        listing: What the hub says there is.
        token: Access token, or empty; it goes to the hub's own host only.
        cancel: Ends every read within a fraction of a second.
        patience: Timeouts; the default suits a person who waits for a page.
    """

    def __init__(
        self, listing: Listing, token: str, cancel: CancelToken, patience: Patience | None = None
    ) -> None:
        self._listing = listing
        self._cancel = cancel
        self._wire = Wire(
            listing.endpoint, token, patience or Patience(connect_s=10.0, stall_s=15.0), cancel
        )

    def __enter__(self) -> Self:
        """Use it in a ``with``."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()

    def source(self, path: str) -> ByteSource:
        """Return a file of the listing as a source of bytes."""
        return _RemoteSource(self._wire, self._listing, path)

    def text(self, path: str, most_bytes: int = _MOST_TEXT) -> str:
        """Return the beginning of a text file such as a model card.

        Raises:
            NetworkError: It cannot be had.
        """
        data, _ = self.source(path).read(0, most_bytes)
        return data.decode("utf-8", "replace")

    def json(self, path: str) -> dict[str, object]:
        """Return a JSON object such as config.json.

        Raises:
            NetworkError: It cannot be had.
            CorruptCheckpointError: It is no JSON object.
        """
        data, size = self.source(path).read(0, _MOST_JSON)
        try:
            found = json.loads(data)
        except (ValueError, RecursionError) as exc:
            raise _damaged(path, "is not JSON") from exc
        if not isinstance(found, dict) or size > _MOST_JSON:
            raise _damaged(path, "holds no JSON object")
        return found


@dataclass(frozen=True, slots=True)
class _RemoteSource:
    wire: Wire
    listing: Listing
    path: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    def read(self, start: int, end: int) -> tuple[bytes, int]:
        listing = self.listing
        url = file_url(listing.endpoint, listing.repo, listing.revision, self.path)
        try:
            with self.wire.get(url, start, end) as answer:
                total = _total_bytes(answer.status, answer.headers, self._listed_bytes())
                if answer.status not in (200, 206):
                    raise NetworkError(
                        f"The hub does not give {self.name} (status {answer.status}).",
                        "A model with terms to accept shows its files only after that; else try "
                        "again later.",
                    )
                skip = start if answer.status == 200 else 0
                return _take(answer.chunks(), skip, end - start), total
        except TryAgainError as exc:
            raise NetworkError("The connection to the hub broke.", "Try again.", f"{exc}") from exc
        except StoppedError as exc:
            raise NetworkError("Reading from the hub was stopped.") from exc

    def _listed_bytes(self) -> int:
        return next((f.size_bytes for f in self.listing.files if f.path == self.path), -1)


def read_gguf(source: ByteSource, *, whole: bool = False) -> HeaderPrefix:
    """Read a GGUF header, as far as a forecast needs it or as a whole.

    Args:
        source: Where the bytes come from.
        whole: Also the vocabulary's length and all tensors: 5 to 20 MB for large vocabularies.

    Raises:
        NetworkError: The bytes cannot be had.
        CorruptCheckpointError: It is no GGUF file, damaged, or its header is absurdly long.
    """
    data, total = source.read(0, FIRST_BYTES)
    most = _MOST_HEADER if whole else _MOST_PREFIX
    while True:
        prefix = read_prefix(data, source.name, total)
        if prefix.complete or (not whole and tells_widths(prefix)):
            return prefix
        if len(data) >= min(most, total):
            if whole or len(data) >= total:
                raise _damaged(source.name, "has an absurdly long header")
            return prefix
        more, _ = source.read(len(data), min(4 * len(data), most, total))
        if not more:
            raise NetworkError(f"{source.name} ended early.", "Try again later.")
        data += more


def tells_widths(prefix: HeaderPrefix) -> bool:
    """Whether the part that was read is enough for a forecast."""
    header = prefix.header
    return bool(header.architecture and header.n_vocab) and all(map(header.own, _NEEDED))


def header_bytes(prefix: HeaderPrefix) -> int:
    """Return the size of the whole header: exact when complete, else from the vocabulary.

    A token takes some 15 bytes of text, 4 of type, and either a merge (17) or a score (4).
    """
    if prefix.complete:
        return prefix.header.data_offset
    return 36 * prefix.header.n_vocab


def read_safetensors(source: ByteSource) -> tuple[StoredTensor, ...]:
    """Read the header of a safetensors file.

    Raises:
        NetworkError: The bytes cannot be had.
        CorruptCheckpointError: It is no such file, or damaged.
    """
    data, total = source.read(0, FIRST_BYTES)
    length = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 0
    if not 2 <= length <= min(total - 8, _MOST_JSON):
        raise _damaged(source.name, "is no safetensors file")
    if len(data) < 8 + length:
        data += source.read(len(data), 8 + length)[0]
    return parse_safetensors_header(data[8 : 8 + length], source.name, total - 8 - length)


def _take(chunks: Iterator[bytes], skip: int, count: int) -> bytes:
    """Return ``count`` bytes after ``skip``; the server may not know ranges."""
    taken = bytearray()
    for chunk in chunks:
        taken += chunk
        if len(taken) >= skip + count:
            break
    return bytes(taken[skip : skip + count])


def _total_bytes(status: int, headers: Mapping[str, str], listed: int) -> int:
    """Return the file's size: of a range from Content-Range, else as the answer or listing says."""
    if status == 206:
        text = headers.get("content-range", "").rpartition("/")[2]
    else:
        text = headers.get("content-length", "")
    return int(text) if text.isdigit() else listed


def _damaged(name: str, what: str) -> CorruptCheckpointError:
    return CorruptCheckpointError(
        f"The file {name} on the hub {what}.", "Choose another file or another repository."
    )


def listed_file(listing: Listing, path: str) -> RemoteFile | None:
    """Return a file of a listing by its path."""
    return next((file for file in listing.files if file.path == path), None)
