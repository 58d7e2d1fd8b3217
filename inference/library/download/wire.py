"""HTTP for the bytes of files: ranges, redirects, proxies, and a Stop that is heard at once.

Built on httpcore2, the transport under huggingface_hub's own client: proxies come from the
environment (or the system's settings), certificates from the system. The token goes to the hub's
own host and to nobody else, whatever a redirect says.
"""

from __future__ import annotations

import functools
import ssl
import time
import urllib.request
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

import httpcore2

from inference.errors import NetworkError
from inference.library import requests_made
from inference.library.download.brake import Brake
from inference.library.download.patience import StoppedError, TryAgainError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from inference.cancel import CancelToken
    from inference.library.download.patience import Patience

_SLICE_S = 0.2
"""A read looks this often whether it was cancelled."""

_READ_BYTES = 1 << 18
_MOST_HOPS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer on the way to the bytes: names of headers in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]


class Answer:
    """The last answer, open for reading.

    Args:
        hops: All answers, this one last.
        response: The open response.
        passed: Told how many bytes have come; may take its time.
    """

    def __init__(
        self, hops: tuple[Hop, ...], response: httpcore2.Response, passed: Callable[[int], None]
    ) -> None:
        self._passed = passed
        self.hops = hops
        self.status = hops[-1].status
        self.headers = hops[-1].headers
        self._response = response

    @property
    def encoded(self) -> bool:
        """Whether the server packed the body although it was asked not to."""
        return self.headers.get("content-encoding", "identity") != "identity"

    def chunks(self) -> Iterator[bytes]:
        """Give the body as it arrives, unpacked; raises ``TryAgainError`` and ``StoppedError``."""
        unpack = zlib.decompressobj(zlib.MAX_WBITS | 32) if self.encoded else None
        with _network_trouble():
            for chunk in self._response.iter_stream():
                yield unpack.decompress(chunk) if unpack else chunk
                self._passed(len(chunk))
            if unpack and not unpack.eof:
                raise TryAgainError("The packed answer ended early.")


class Wire:
    """Connections of one download; to be used by one thread, and closed.

    Args:
        endpoint: The hub's address; its host is the only one that sees the token.
        token: Access token, or empty.
        patience: Timeouts.
        cancel: Ends every read within a fraction of a second.
        brake: Keeps to a speed; ``None`` is as quick as it goes.
    """

    def __init__(
        self,
        endpoint: str,
        token: str,
        patience: Patience,
        cancel: CancelToken,
        brake: Brake | None = None,
    ) -> None:
        self._brake = brake or Brake()
        self._cancel = cancel
        self._hub = origin(endpoint)
        self._token = token
        self._patience = patience
        self._backend = _Backend(cancel)
        self._pools: dict[str, httpcore2.ConnectionPool] = {}

    def close(self) -> None:
        """Close all connections."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    @contextmanager
    def get(self, url: str, start: int | None = None, end: int | None = None) -> Iterator[Answer]:
        """Ask for a file from byte ``start`` on (``None``: the whole) and follow redirects.

        With ``end``, that byte and those after it are not asked for.

        Raises:
            TryAgainError: No answer, or the connection broke.
            NetworkError: A redirect leads nowhere that can be followed, or a proxy is unusable.
            StoppedError: Cancelled.
        """
        hops: list[Hop] = []
        for _ in range(_MOST_HOPS):
            with _network_trouble(), self._stream(url, start, end) as response:
                headers = {
                    name.decode("latin-1").lower(): value.decode("latin-1")
                    for name, value in response.headers
                }
                hops.append(Hop(url, response.status, headers))
                target = headers.get("location", "") if response.status in _REDIRECTS else ""
                if not target:
                    yield Answer(tuple(hops), response, self._passed)
                    return
                self._drain(response, headers)
            url = _followed(url, target)
        raise NetworkError("The hub sends the download in a circle.", "Try again later.", url)

    def _passed(self, count: int) -> None:
        self._brake.passed(count, self._cancel)

    def _stream(
        self, url: str, start: int | None, end: int | None
    ) -> AbstractContextManager[httpcore2.Response]:
        headers: dict[bytes | str, bytes | str] = {
            "Accept": "*/*",
            "Accept-Encoding": "identity",  # packed bytes could not be resumed
            "User-Agent": "glasshouse",
        }
        if start is not None:
            headers["Range"] = f"bytes={start}-{'' if end is None else end - 1}"
        if self._token and origin(url) == self._hub:
            headers["Authorization"] = f"Bearer {self._token}"
        patience = self._patience
        timeouts = {
            "connect": patience.connect_s,
            "read": patience.stall_s,
            "write": patience.stall_s,
            "pool": patience.connect_s,
        }
        pool = self._pool(url)
        requests_made.note("GET", url)
        return pool.stream("GET", url, headers=headers, extensions={"timeout": timeouts})

    def _drain(self, response: httpcore2.Response, headers: Mapping[str, str]) -> None:
        """Read a redirect's few bytes, so that the connection can be used again."""
        if int(headers.get("content-length") or _READ_BYTES) < _READ_BYTES:
            response.read()

    def _pool(self, url: str) -> httpcore2.ConnectionPool:
        proxy = proxy_for(url)
        secure = url.startswith("https:")
        key = f"{proxy} {secure}"
        if key not in self._pools:
            context = _certificates() if secure or proxy.startswith("https:") else None
            self._pools[key] = self._new_pool(proxy, context)
        return self._pools[key]

    def _new_pool(self, proxy: str, context: ssl.SSLContext | None) -> httpcore2.ConnectionPool:
        if not proxy:
            return httpcore2.ConnectionPool(context, network_backend=self._backend)
        parts = urlsplit(proxy)
        if parts.scheme not in _PORTS:
            raise NetworkError(
                f"The proxy {parts.scheme}://{parts.hostname} cannot be used: only HTTP proxies "
                "work here.",
                "Set HTTPS_PROXY to an http:// address, or unset it.",
            )
        auth = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
        address = f"{parts.scheme}://{parts.hostname}:{parts.port or _PORTS[parts.scheme]}"
        return httpcore2.HTTPProxy(
            address,
            proxy_auth=auth,
            ssl_context=context,
            proxy_ssl_context=context if parts.scheme == "https" else None,
            network_backend=self._backend,
        )


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of a URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 0)


def proxy_for(url: str) -> str:
    """Return the proxy that the environment or the system names for a URL, or nothing."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if urllib.request.proxy_bypass(f"{host}:{parts.port}" if parts.port else host):
        return ""
    proxies = urllib.request.getproxies()
    found = proxies.get(parts.scheme) or proxies.get("all") or ""
    return found if "://" in found or not found else f"http://{found}"


def _followed(url: str, target: str) -> str:
    joined = urljoin(url, target)
    scheme = urlsplit(joined).scheme
    if scheme not in _PORTS or (scheme == "http" and url.startswith("https:")):
        raise NetworkError(
            "The hub redirects the download to an address that is not safe to follow.",
            "Check the hub's address in the settings, or HF_ENDPOINT.",
            f"{scheme} after {urlsplit(url).scheme}",
        )
    return joined


@functools.cache
def _certificates() -> ssl.SSLContext:
    return httpcore2.default_ssl_context()


@contextmanager
def _network_trouble() -> Iterator[None]:
    """Translate the transport's errors: the one place where they are known."""
    try:
        yield
    except httpcore2.ConnectTimeout as exc:
        raise TryAgainError("The server does not answer.", repr(exc)) from exc
    except (httpcore2.ReadTimeout, httpcore2.WriteTimeout) as exc:
        raise TryAgainError("The download stalled.", repr(exc)) from exc
    except httpcore2.ProxyError as exc:
        raise TryAgainError("The proxy refuses the connection.", repr(exc), most=2) from exc
    except httpcore2.ConnectError as exc:
        if exc.args and isinstance(exc.args[0], ssl.SSLCertVerificationError):
            raise NetworkError(
                "The server's certificate is not trusted by this computer.",
                "Check the clock and the network. Behind a company's proxy, SSL_CERT_FILE can name "
                "its certificate.",
                repr(exc),
            ) from exc
        raise TryAgainError("There is no connection to the server.", repr(exc)) from exc
    except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.TimeoutException) as exc:
        raise TryAgainError("The connection was lost.", repr(exc)) from exc
    except zlib.error as exc:
        raise TryAgainError("The packed answer is damaged.", repr(exc)) from exc


class _Backend(httpcore2.SyncBackend):
    """Opens connections that look at the cancel token while they wait."""

    def __init__(self, cancel: CancelToken) -> None:
        self._cancel = cancel

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        if self._cancel.cancelled:
            raise StoppedError
        inner = super().connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(inner, self._cancel)


class _Stream(httpcore2.NetworkStream):
    """A connection whose reads are made of short ones."""

    def __init__(self, inner: httpcore2.NetworkStream, cancel: CancelToken) -> None:
        self._inner = inner
        self._cancel = cancel

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read; more at once than asked for is fine with the parser above and saves calls."""
        until = time.monotonic() + timeout if timeout is not None else float("inf")
        while True:
            if self._cancel.cancelled:
                raise StoppedError
            try:
                return self._inner.read(max(max_bytes, _READ_BYTES), _SLICE_S)
            except httpcore2.ReadTimeout:
                if time.monotonic() >= until:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._cancel)

    def get_extra_info(self, info: str) -> object:
        return self._inner.get_extra_info(info)
