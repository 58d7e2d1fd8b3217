"""What a hub is asked about models; every method is called in a worker thread. Knows no Qt."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from desktop.controllers.hub_book import Opened
from inference.errors import RepositoryNotFoundError
from inference.library.hub import Hub, model_page
from inference.library.hub_search import open_repository
from inference.library.memory_shape import shape_of_config, shape_of_header
from inference.library.model_card import read_card
from inference.library.remote_header import RemoteFiles, header_bytes, read_gguf
from inference.library.repository import version_of, with_architecture

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.library.catalog import CatalogEntry
    from inference.library.hub_search import HubModel
    from inference.library.memory_shape import MemoryShape
    from inference.library.model_card import ModelCard
    from inference.library.repository import Repository


class HubReader:
    """Asks one hub at a time; looks for the access token once per address.

    Every method raises ``InferenceError`` for what the hub or the network refuses.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hub: Hub | None = None
        self._asked = ""

    def hub(self, endpoint: str) -> Hub:
        """Return the client of an address; empty = ``HF_ENDPOINT`` or the public hub."""
        with self._lock:
            if self._hub is None or self._asked != endpoint:
                self._hub, self._asked = Hub(endpoint), endpoint
            return self._hub

    def forget(self) -> None:
        """Look for the access token anew next time."""
        with self._lock:
            self._hub = None

    def open(self, endpoint: str, model: HubModel, cancel: CancelToken) -> Opened:
        """Read a repository's listing, and its config.json where it has one."""
        return Opened(model, self._repository(endpoint, model.repo, "", cancel))

    def with_header(self, endpoint: str, opened: Opened, cancel: CancelToken) -> Opened:
        """Read the header of a repository's smallest GGUF file: some 64 kB."""
        hub, repository = self.hub(endpoint), opened.repository
        gguf = next(one for one in repository.runnable if one.engine == "gguf")
        with RemoteFiles(repository.listing, hub.token, cancel) as files:
            prefix = read_gguf(files.source(gguf.main))
        repository = with_architecture(repository, prefix.header.architecture)
        return Opened(opened.model, repository, prefix.header, header_bytes(prefix))

    def entry_shape(
        self, endpoint: str, entry: CatalogEntry, cancel: CancelToken
    ) -> tuple[MemoryShape | None, int]:
        """Return widths and exact size of a catalogue's entry; ``None`` where nothing says them."""
        hub = self.hub(endpoint)
        repository = self._repository(endpoint, entry.repo, entry.revision or "", cancel)
        version = version_of(repository, entry)
        if version is None:
            raise RepositoryNotFoundError(
                f"{entry.repo} has no {entry.version} any more.",
                "Search the hub for the model's name; another version may do as well.",
            )
        if version.engine == "native":
            config = repository.config
            return (shape_of_config(config) if config else None), max(0, version.weights_bytes)
        with RemoteFiles(repository.listing, hub.token, cancel) as files:
            prefix = read_gguf(files.source(version.main))
        return shape_of_header(prefix.header), max(0, version.weights_bytes)

    def card(self, endpoint: str, repo: str, cancel: CancelToken) -> tuple[ModelCard | None, str]:
        """Return a model's card made safe, or ``None`` without one, and its page's address."""
        hub = self.hub(endpoint)
        listing = hub.listing(repo)
        page = model_page(hub.endpoint, listing.repo)
        if not any(file.path == "README.md" for file in listing.files):
            return None, page
        with RemoteFiles(listing, hub.token, cancel) as files:
            return read_card(files.text("README.md"), page), page

    def _repository(
        self, endpoint: str, repo: str, revision: str, cancel: CancelToken
    ) -> Repository:
        hub = self.hub(endpoint)
        return open_repository(hub, repo, lambda it: RemoteFiles(it, hub.token, cancel), revision)
