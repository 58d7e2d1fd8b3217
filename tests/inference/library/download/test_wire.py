from __future__ import annotations

import base64
import shutil
import subprocess
import threading
import time
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.errors import NetworkError
from inference.library.download import wire as wire_module
from inference.library.download.patience import Patience, StoppedError, TryAgainError
from inference.library.download.wire import Wire, origin, proxy_for
from inference.library.hub import Hub
from tests.helpers.fetching import Heard, fetch, plan_of
from tests.helpers.forward_proxy import ForwardProxy
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub
from tests.inference.library.download.conftest import HURRIED, content

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "hf_do_not_leak"


def authorized(hub: LocalHub) -> set[str]:
    return {one.server for one in hub.requests if "authorization" in one.headers}


def test_the_token_goes_to_the_hub_and_never_to_the_store(hub: LocalHub, models: Path) -> None:
    hub.add("org/m", {"m.gguf": content(1000), "config.json": b"{}"})
    fetch(plan_of(hub, "org/m", models), HURRIED, token=TOKEN)
    assert authorized(hub) == {"hub"}
    assert hub.asked("", "store")
    resolved = hub.asked("/api/resolve-cache/", "hub")
    assert resolved
    assert all(one.headers["authorization"] == f"Bearer {TOKEN}" for one in resolved)


def test_the_token_does_not_follow_a_redirect_to_another_hub(hub: LocalHub, models: Path) -> None:
    hub.add("org/m", {"m.gguf": content(1000)})
    plan = plan_of(hub, "org/m", models)
    with LocalHub() as other:
        other.add("org/m", {"m.gguf": content(1000)})
        away = (("Location", f"{other.endpoint}/org/m/resolve/main/m.gguf"),)
        hub.faults.next(Fault("status", "resolve", status=302, headers=away))
        fetch(plan, HURRIED, token=TOKEN)
        assert other.requests
        assert authorized(other) == set()


def test_the_hubs_client_keeps_the_token_at_home_too(hub: LocalHub) -> None:
    hub.add("org/m", {"m.gguf": content(1000)}, gated="auto", users={TOKEN})
    reader = Hub(hub.endpoint, token=TOKEN)
    reader.check_access(reader.listing("org/m"))
    assert authorized(hub) == {"hub"}
    hub.requests.clear()
    Hub(hub.endpoint, token="").listing("org/m")
    assert authorized(hub) == set()


def test_a_circle_of_redirects_and_unsafe_targets_are_errors(hub: LocalHub) -> None:
    wire = Wire(hub.endpoint, "", HURRIED, CancelToken())
    circle = (("Location", "/org/m/resolve/main/x"),)
    hub.add("org/m", {"x": b""})
    hub.faults.always(Fault("status", "resolve", status=302, headers=circle))
    with pytest.raises(NetworkError, match="circle"), wire.get(f"{hub.endpoint}{circle[0][1]}"):
        pass
    for target in ("file:///etc/passwd", "ftp://host/x", "javascript:1"):
        away = (("Location", target),)
        hub.faults.always(Fault("status", "resolve", status=302, headers=away))
        url = f"{hub.endpoint}/org/m/resolve/main/x"
        with pytest.raises(NetworkError, match="not safe"), wire.get(url):
            pass
    wire.close()


def test_a_stopped_wire_asks_for_nothing(hub: LocalHub) -> None:
    cancel = CancelToken()
    cancel.cancel()
    wire = Wire(hub.endpoint, "", HURRIED, cancel)
    with pytest.raises(StoppedError), wire.get(hub.endpoint):
        pass
    assert not hub.requests


def test_proxies_of_the_environment_are_used_with_their_password(
    hub: LocalHub, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.add("org/m", {"m.gguf": content(100_000)})
    with ForwardProxy() as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:pass%20word@{proxy.address}")
        monkeypatch.setenv("NO_PROXY", "elsewhere.example")
        Hub(hub.endpoint, token="").listing("org/m")
        asked = len(proxy.seen)
        assert asked == 1
        fetch(plan_of(hub, "org/m", models), HURRIED)
        urls = [url for url, _ in proxy.seen[asked:]]
        assert [url.startswith(hub.endpoint) for url in urls] == [True, False]
        login = "Basic " + base64.b64encode(b"me:pass word").decode()
        assert {said for _, said in proxy.seen[asked:]} == {login}


def test_no_proxy_is_obeyed(hub: LocalHub, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.add("org/m", {"m.gguf": content(1000)})
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    Hub(hub.endpoint, token="").listing("org/m")
    fetch(plan_of(hub, "org/m", models), HURRIED)
    assert proxy_for("http://example.org/x") == "http://127.0.0.1:9"


def test_a_proxy_of_an_unknown_kind_is_named(
    hub: LocalHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "socks5://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    wire = Wire(hub.endpoint, "", HURRIED, CancelToken())
    with pytest.raises(NetworkError, match="socks5"), wire.get(hub.endpoint):
        pass


def test_a_server_that_speaks_no_http_is_tried_again(hub: LocalHub) -> None:
    hub.faults.next(Fault("refuse", "api"))
    wire = Wire(hub.endpoint, "", HURRIED, CancelToken())
    with pytest.raises(TryAgainError), wire.get(f"{hub.endpoint}/api/models"):
        pass
    wire.close()


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Hub.co/x") == origin("https://hub.co:443/y")
    assert origin("https://hub.co") != origin("http://hub.co")
    assert origin("https://hub.co") != origin("https://hub.co.evil.org")
    assert origin("https://hub.co@evil.org/") != origin("https://hub.co")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for loopback that no system trusts."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("there is no openssl program here to make a certificate")
    key, public, both = (tmp_path / name for name in ("key.pem", "public.pem", "both.pem"))
    subprocess.run(
        [
            openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out",
            public, "-days", "2", "-subj", "/CN=loopback", "-addext",
            "subjectAltName=IP:127.0.0.1",
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    both.write_bytes(key.read_bytes() + public.read_bytes())
    return both


def test_tls_needs_a_trusted_certificate_and_stops_at_once_in_silence(
    certificate: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LocalHub(certificate) as hub:
        hub.add("org/m", {"m.gguf": content(200_000)})
        plan = plan_of(hub, "org/m", models)
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        wire_module._certificates.cache_clear()
        heard = Heard()
        with pytest.raises(NetworkError, match="not trusted"):
            fetch(plan, HURRIED, heard)
        assert not heard.waits
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        wire_module._certificates.cache_clear()
        hub.faults.next(Fault("stall", at=100_000, seconds=30))
        threading.Timer(0.4, heard.cancel.cancel).start()
        begun = time.monotonic()
        with pytest.raises(StoppedError):
            fetch(plan, Patience(stall_s=30), heard)
        assert time.monotonic() - begun < 5
        assert fetch(plan, HURRIED).read_bytes() == content(200_000)
        assert hub.bytes_sent == 200_000
    wire_module._certificates.cache_clear()
