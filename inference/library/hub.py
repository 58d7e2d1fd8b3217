"""The thin edge to huggingface_hub: listings, hashes, access, addresses. Never the bytes.

huggingface_hub is imported by the first call that needs it, in whatever thread that is; a window
calls from a worker thread and starts without it. All its errors are translated here.
"""

from __future__ import annotations

import os
import threading
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import quote

from inference.errors import GatedModelError, InferenceError, NetworkError, RepositoryNotFoundError
from inference.library import keyring, requests_made
from inference.library.download.patience import BUSY, asked_wait_s
from inference.library.download.values import Listing, RemoteFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import huggingface_hub

_T = TypeVar("_T")
DEFAULT_ENDPOINT = "https://huggingface.co"
_CONNECT_S = 15.0
_WAITS_S = (0.3, 1.0)
_LONGEST_WAIT_S = 60.0
_READ_S = 30.0
_setting = threading.Lock()
_proxies: dict[str, str] | None = None
"""The proxies that the shared client was made for; ``None`` before there is one."""


def default_endpoint() -> str:
    """Return the hub's address: ``HF_ENDPOINT`` or the public one, no slash at its end."""
    return (os.environ.get("HF_ENDPOINT") or DEFAULT_ENDPOINT).rstrip("/")


def file_url(endpoint: str, repo: str, revision: str, path: str) -> str:
    """Return where the hub has a file."""
    return f"{endpoint}/{quote(repo)}/resolve/{quote(revision, safe='')}/{quote(path)}"


def model_page(endpoint: str, repo: str) -> str:
    """Return the address of a model's page, for a browser."""
    return f"{endpoint}/{quote(repo)}"


def find_token() -> str:
    """Return the access token of this person, or nothing.

    ``HF_TOKEN`` first, then the file that ``hf auth login`` writes, then the system's keyring.
    """
    import huggingface_hub

    return huggingface_hub.get_token() or keyring.read_token()


class Hub:
    """One hub, read with one identity.

    Args:
        endpoint: Its address; empty means ``HF_ENDPOINT`` or the public hub.
        token: Access token; ``None`` looks for one, empty means none.
    """

    def __init__(self, endpoint: str = "", token: str | None = None) -> None:
        self.endpoint = (endpoint or default_endpoint()).rstrip("/")
        self.token = find_token() if token is None else token
        self._api = _client(self.endpoint, self.token)

    @property
    def api(self) -> huggingface_hub.HfApi:
        """The client itself, for searches; use it inside ``translated``."""
        return self._api

    def listing(self, repo: str, revision: str = "") -> Listing:
        """Return the files of a repository at one commit.

        Args:
            repo: ``org/name``.
            revision: Branch, tag or commit; empty means the main branch.

        Raises:
            NetworkError: No connection, or trouble at the hub.
            RepositoryNotFoundError: No such repository or revision, or it is private.
        """
        with translated(repo, self.endpoint):
            info = _patiently(
                lambda: self._api.model_info(
                    repo, revision=revision or None, files_metadata=True, timeout=_READ_S
                )
            )
        files = tuple(_remote_file(sibling) for sibling in info.siblings or ())
        card: Any = info.card_data
        return Listing(
            repo=info.id,
            revision=info.sha or revision,
            files=files,
            endpoint=self.endpoint,
            gated=_gated(info.gated),
            license=str((card.get("license") if card else "") or ""),
        )

    def complete(self, listing: Listing, file: RemoteFile) -> RemoteFile:
        """Return a file with its size and hash, asked for one by one where a list has none."""
        url = file_url(listing.endpoint, listing.repo, listing.revision, file.path)
        with translated(listing.repo, self.endpoint):
            facts = self._api.get_hf_file_metadata(
                url=url, token=self.token or False, timeout=_READ_S
            )
        etag = facts.etag or ""
        return RemoteFile(
            file.path,
            facts.size if facts.size is not None else file.size_bytes,
            etag if len(etag) == 64 else file.sha256,
            etag if len(etag) == 40 else file.git_sha1,
        )

    def check_access(self, listing: Listing) -> None:
        """Find out before the first byte whether a gated model may be downloaded.

        Raises:
            GatedModelError: Not yet; the hint says what to do.
        """
        if not listing.gated or not listing.files:
            return
        if not self.token:
            raise gated(listing.repo, self.endpoint)
        self.complete(listing, listing.files[0])

    def newest_revision(self, repo: str) -> str:
        """Return the newest commit of the main branch; asked only when the person asks."""
        with translated(repo, self.endpoint):
            return self._api.model_info(repo, timeout=_READ_S).sha or ""


def gated(repo: str, endpoint: str) -> GatedModelError:
    """Say what to do about a model whose authors ask for something first."""
    return GatedModelError(
        f"The authors of {repo} want their terms accepted before it can be downloaded.",
        f"Accept them at {model_page(endpoint, repo)} while signed in, then give the app a token "
        "of that account (HF_TOKEN or Settings).",
    )


@contextmanager
def translated(repo: str = "", endpoint: str = "") -> Iterator[None]:
    """Turn what huggingface_hub raises into sentences: the one place where it is known."""
    import httpx2  # noqa: PLC0415  heavy, and brought by huggingface_hub
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as exc:
        raise gated(repo, endpoint or default_endpoint()) from exc
    except (
        errors.RepositoryNotFoundError,
        errors.RevisionNotFoundError,
        errors.RemoteEntryNotFoundError,
        errors.HFValidationError,
    ) as exc:
        raise _not_found(repo, exc) from exc
    except errors.OfflineModeIsEnabled as exc:
        raise NetworkError(
            "HF_HUB_OFFLINE is set, so the hub is not asked.", "Unset it and try again.", str(exc)
        ) from exc
    except errors.HfHubHTTPError as exc:
        raise _refused(exc) from exc
    except httpx2.InvalidURL as exc:
        raise NetworkError(
            "The hub's address is none.", "Check HF_ENDPOINT or the settings.", str(exc)
        ) from exc
    except (httpx2.HTTPError, OSError, ValueError) as exc:
        raise NetworkError(
            "The hub cannot be reached.",
            "Check the network, the proxy (HTTPS_PROXY) and the hub's address (HF_ENDPOINT).",
            f"{type(exc).__name__}: {exc}",
        ) from exc


def _patiently(call: Callable[[], _T]) -> _T:
    """Ask again a few times when the hub is busy or the network blinks; ``Retry-After`` is obeyed.

    Raises:
        Exception: What the last try raised.
    """
    import httpx2  # noqa: PLC0415  heavy, and brought by huggingface_hub
    from huggingface_hub import errors

    for wait_s in _WAITS_S:
        try:
            return call()
        except errors.HfHubHTTPError as exc:
            headers = {key.lower(): value for key, value in exc.response.headers.items()}
            asked_s = asked_wait_s(headers)
            if exc.response.status_code not in BUSY or (asked_s or 0.0) > _LONGEST_WAIT_S:
                raise
            time.sleep(wait_s if asked_s is None else asked_s)
        except (httpx2.NetworkError, httpx2.TimeoutException, httpx2.RemoteProtocolError):
            time.sleep(wait_s)
    return call()


def _client(endpoint: str, token: str) -> huggingface_hub.HfApi:
    import httpx2  # noqa: PLC0415  heavy, and brought by huggingface_hub
    import huggingface_hub
    from huggingface_hub import constants, errors  # the package itself finds them only later

    def before(request: httpx2.Request) -> None:
        if constants.is_offline_mode():
            raise errors.OfflineModeIsEnabled("HF_HUB_OFFLINE is set")
        request.headers["User-Agent"] = "glasshouse"
        requests_made.note(request.method, str(request.url))
        timeouts = request.extensions.get("timeout", {})
        limits = {"connect": _CONNECT_S, "read": _READ_S, "write": _READ_S, "pool": _READ_S}
        set_by_caller = {name: value for name, value in timeouts.items() if value is not None}
        request.extensions["timeout"] = limits | set_by_caller

    def client() -> httpx2.Client:
        return httpx2.Client(event_hooks={"request": [before]}, follow_redirects=True)

    # Else it asks the public hub once a day, whatever the endpoint, and tells what runs here.
    constants.HF_HUB_DISABLE_TELEMETRY = True
    global _proxies  # noqa: PLW0603  as the client's own connections, shared by the process
    proxies = urllib.request.getproxies()
    with _setting:
        if proxies != _proxies:  # setting it closes what other threads are talking through
            huggingface_hub.set_client_factory(client)  # its own waits without end
            _proxies = proxies
    return huggingface_hub.HfApi(endpoint=endpoint, token=token or False, library_name="glasshouse")


def _remote_file(sibling: Any) -> RemoteFile:  # noqa: ANN401  a plain object of the client
    lfs = sibling.lfs
    size = lfs.size if lfs else sibling.size
    return RemoteFile(
        path=sibling.rfilename,
        size_bytes=size if isinstance(size, int) else -1,
        sha256=lfs.sha256.lower() if lfs else "",
        git_sha1="" if lfs else (sibling.blob_id or "").lower(),
    )


def _gated(value: Literal["auto", "manual", False] | None) -> str:
    return value or ""


def _not_found(repo: str, error: Exception) -> InferenceError:
    return RepositoryNotFoundError(
        f"The hub has no {repo or 'such repository'}, not in this version, or it is private.",
        "Check the spelling: it is org/name, as in the page's address. A private one needs a "
        "token in HF_TOKEN.",
        str(error),
    )


def _refused(error: Any) -> NetworkError:  # noqa: ANN401  an error of the client
    response = error.response
    status = response.status_code if response is not None else 0
    if status == 429:
        wait = asked_wait_s({key.lower(): value for key, value in response.headers.items()})
        when = f"in {wait:.0f} seconds" if wait else "in a few minutes"
        return NetworkError("The hub asks to slow down.", f"Try again {when}.", str(error))
    if status in (401, 403):
        return NetworkError(
            "The hub does not accept the token.",
            "Check HF_TOKEN or the token in the settings; it may have expired.",
            str(error),
        )
    return NetworkError(
        f"The hub answers with trouble (status {status}).", "Try again later.", str(error)
    )
