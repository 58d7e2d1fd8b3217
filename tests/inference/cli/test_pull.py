from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub
from tests.inference.cli.conftest import environment, fake_command

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome

    Cli = Callable[..., Outcome]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with LocalHub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield hub


@pytest.fixture
def gguf(tmp_path: Path) -> bytes:
    return tiny_gguf(tmp_path / "made.gguf").read_bytes()


def events(said: Outcome, kind: str) -> list[dict[str, Any]]:
    return [one for one in said.events if one["event"] == kind]


def test_pull_brings_a_model_that_the_list_shows_and_verify_confirms(
    fake_cli: Cli, hub: LocalHub, home: Path, gguf: bytes
) -> None:
    hub.add("org/tiny-GGUF", {"tiny-Q8_0.gguf": gguf, "README.md": b"# Tiny"})
    said = fake_cli("models", "pull", "org/tiny-GGUF", "--json")
    assert said.status == 0, said.err
    progress, finished = events(said, "progress"), events(said, "finished")
    assert {"file", "done", "total", "bytes_per_s"} <= set(progress[-1])
    assert progress[-1]["done"] == progress[-1]["total"] == len(gguf)
    path = home / "models/org/tiny-GGUF/tiny-Q8_0.gguf"
    assert finished[0]["path"] == str(path)
    assert finished[0]["sha256"] == hashlib.sha256(gguf).hexdigest()
    assert finished[0]["verified"] is True
    listed = fake_cli("models", "list", "--json")
    assert "org/tiny-GGUF/tiny-Q8_0" in {row["id"] for row in listed.events}
    checked = fake_cli("models", "verify", "tiny-Q8_0", "--json")
    assert checked.status == 0
    assert checked.events[-1]["good"] is True
    assert checked.events[-1]["published"] is True
    assert checked.events[-1]["repo"] == "org/tiny-GGUF"


def test_verify_finds_one_changed_byte(
    fake_cli: Cli, hub: LocalHub, home: Path, gguf: bytes
) -> None:
    hub.add("org/tiny", {"tiny.gguf": gguf})
    assert fake_cli("models", "pull", "org/tiny").status == 0
    path = home / "models/org/tiny/tiny.gguf"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    said = fake_cli("models", "verify", "org/tiny/tiny")
    assert said.status == 1
    assert "damaged" in said.out
    assert "models pull org/tiny" in said.out
    assert fake_cli("models", "pull", "org/tiny").status == 0
    assert path.read_bytes() == gguf
    assert fake_cli("models", "verify", "org/tiny/tiny").status == 0


def test_verify_remembers_files_that_nobody_published(fake_cli: Cli, instruct: Path) -> None:
    fake_cli("models", "add", instruct)
    first = fake_cli("models", "verify", "tiny-instruct")
    assert first.status == 0
    assert "remembered" in first.out
    assert "intact" in fake_cli("models", "verify", "tiny-instruct").out
    data = bytearray(instruct.read_bytes())
    data[-1] ^= 1
    instruct.write_bytes(data)
    changed = fake_cli("models", "verify", "tiny-instruct", "--json")
    assert changed.status == 1
    assert changed.events[0]["verdict"] == "changed"


def test_pull_of_a_checkpoint_leaves_pickles_behind(
    fake_cli: Cli, hub: LocalHub, home: Path
) -> None:
    files = {"config.json": b"{}", "model.safetensors": b"weights", "tokenizer.json": b"{}"}
    hub.add("org/folder", {**files, "pytorch_model.bin": b"pickle", "train.py": b"import os"})
    said = fake_cli("models", "pull", "org/folder", "--json")
    assert said.status == 0, said.err
    finished = events(said, "finished")[0]
    folder = home / "models/org/folder"
    assert finished["path"] == str(folder)
    assert finished["sha256"] == hashlib.sha256(b"weights").hexdigest()
    assert {one.name for one in folder.iterdir()} == {*files, ".glasshouse.json"}


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["org/nothing"], "RepositoryNotFound"),
        (["org/pickle"], "NothingRunnable"),
        (["org/pickle", "--file", "pytorch_model.bin"], "NothingRunnable"),
        (["org/unsafe", "--file", "../../evil.gguf"], "UnsafeName"),
        (["org/many"], "RepositoryNotFound"),
        (["org/many", "--file", "Q9"], "RepositoryNotFound"),
        (["org/gated"], "GatedModel"),
        (["org/many", "--revision", "old"], "RepositoryNotFound"),
        (["a/b\\c"], "RepositoryNotFound"),
    ],
)
def test_what_cannot_be_pulled_is_a_sentence_and_downloads_nothing(
    fake_cli: Cli, hub: LocalHub, home: Path, words: list[str], error: str
) -> None:
    hub.add("org/pickle", {"config.json": b"{}", "pytorch_model.bin": b"x"})
    hub.add("org/unsafe", {"../../evil.gguf": b"x"})
    hub.add("org/many", {"m-IQ2.gguf": b"x", "m-F16.gguf": b"y"})
    hub.add("org/gated", {"m.gguf": b"x"}, gated="manual")
    said = fake_cli("models", "pull", *words, "--json")
    assert said.status == 1
    assert said.events[-1]["event"] == "failed"
    assert said.events[-1]["error"] == error
    assert said.events[-1]["hint"]
    assert hub.bytes_sent == 0
    assert not (home / "models").exists()


def test_a_token_opens_a_gated_model_and_is_never_shown(
    fake_cli: Cli, hub: LocalHub, monkeypatch: pytest.MonkeyPatch, gguf: bytes
) -> None:
    hub.add("org/gated", {"m.gguf": gguf}, gated="auto", users={"hf_good"})
    monkeypatch.setenv("HF_TOKEN", "hf_stranger")
    refused = fake_cli("models", "pull", "org/gated")
    assert refused.status == 1
    assert "terms" in refused.err
    assert f"{hub.endpoint}/org/gated" in refused.err
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    said = fake_cli("models", "pull", "org/gated", "--json")
    assert said.status == 0, said.err
    assert "hf_good" not in said.out + said.err
    assert all("authorization" not in one.headers for one in hub.asked("", "store"))


def test_a_part_of_the_name_or_the_pages_address_is_enough(
    fake_cli: Cli, hub: LocalHub, gguf: bytes
) -> None:
    hub.add("org/many", {"m-Q8_0.gguf": gguf, "m-F16.gguf": gguf + b"\0"})
    page = f"{hub.endpoint}/org/many"
    said = fake_cli("models", "pull", page, "--file", "q8_0", "--json")
    assert events(said, "finished")[0]["path"].endswith("m-Q8_0.gguf")


def test_a_full_disk_is_refused_before_the_first_byte(
    fake_cli: Cli, hub: LocalHub, home: Path, gguf: bytes
) -> None:
    repo = hub.add("org/huge", {"huge.gguf": gguf})
    blob = repo.commits[repo.head]["huge.gguf"]
    repo.commits[repo.head]["huge.gguf"] = type(blob)(
        blob.content, 10**15, blob.sha256, blob.git_sha1, blob.large
    )
    said = fake_cli("models", "pull", "org/huge", "--json")
    assert said.events[-1]["error"] == "NoSpace"
    assert "1000" in said.events[-1]["message"]
    assert hub.bytes_sent == 0
    assert not (home / "models").exists()


def test_no_hub_at_all_is_a_sentence(
    fake_cli: Cli, monkeypatch: pytest.MonkeyPatch, hub: LocalHub
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    said = fake_cli("models", "pull", "org/tiny", "--json")
    assert said.status == 1
    assert said.events[-1]["error"] == "Network"
    assert "HF_ENDPOINT" in said.events[-1]["hint"]


def pull_process(hub: LocalHub, home: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        fake_command("models", "pull", "org/slow", "--json"),
        env=environment(HF_ENDPOINT=hub.endpoint, GLASSHOUSE_HOME=str(home)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_ctrl_c_ends_with_130_and_the_same_command_goes_on(
    fake_cli: Cli, hub: LocalHub, home: Path, gguf: bytes
) -> None:
    if sys.platform == "win32":
        pytest.skip("a test cannot send Ctrl+C to one process on Windows")
    size = 3_000_000
    hub.add("org/slow", {"slow.gguf": gguf + b"\1" * (size - len(gguf))})
    hub.faults.next(Fault("slow", at=600_000))
    process = pull_process(hub, home)
    parts = home / "models/org/slow/.download"
    end = time.monotonic() + 30
    while not any(one.stat().st_size > 200_000 for one in parts.glob("*.part")):
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert b"the same command goes on" in err
    assert b"Traceback" not in err
    assert all(json.loads(line)["event"] == "progress" for line in out.splitlines())
    assert fake_cli("models", "pull", "org/slow").status == 0
    assert (home / "models/org/slow/slow.gguf").stat().st_size == size
    assert hub.bytes_sent < size * 1.1
