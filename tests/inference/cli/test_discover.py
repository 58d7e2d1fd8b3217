from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome

    Cli = Callable[..., Outcome]

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with LocalHub() as local:
        monkeypatch.setenv("HF_ENDPOINT", local.endpoint)
        yield local


def test_the_catalogue_is_searched_without_a_network(
    fake_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    said = fake_cli("models", "search", "smollm2", "135m", "--json")
    assert said.status == 0
    (row,) = said.events
    assert (row["source"], row["id"]) == ("catalogue", "smollm2-135m")
    assert row["kinds"] == ["base", "instruct"]
    assert row["verdict"] in ("gpu", "processor")
    assert len(row["entries"]) == 5
    assert "Only the catalogue was searched" in said.err


def test_no_network_and_nothing_in_the_catalogue_is_a_sentence(
    fake_cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", NOWHERE)
    said = fake_cli("models", "search", "no-such-model")
    assert said.status == 1
    assert "The hub cannot be reached." in said.err


def test_the_hub_is_searched_after_the_catalogue(fake_cli: Cli, hub: LocalHub) -> None:
    facts = {"gguf": {"total": 135_000_000, "architecture": "llama"}}
    hub.add("org/SmolLM2-135M-other-GGUF", {"m.gguf": b"GGUF"}, extra=facts)
    rows = fake_cli("models", "search", "smollm2-135m", "--json").events
    assert [row["source"] for row in rows] == ["catalogue", "hub"]
    assert rows[1]["repo"] == "org/SmolLM2-135M-other-GGUF"
    offline = fake_cli("models", "search", "smollm2-135m", "--offline", "--json").events
    assert [row["source"] for row in offline] == ["catalogue"]


def test_filters_of_a_search(fake_cli: Cli) -> None:
    said = fake_cli("models", "search", "--offline", "--kind", "base", "--license", "MIT", "--json")
    assert {row["id"] for row in said.events} == {"gpt2", "gpt2-medium"}
    none = fake_cli("models", "search", "--offline", "nothing-like-it")
    assert none.status == 1
    assert "Nothing matches" in none.err


def test_a_file_is_judged_before_it_is_loaded(fake_cli: Cli, instruct: Path) -> None:
    row = json.loads(fake_cli("models", "fit", instruct, "--context", "128", "--json").out)
    assert row["engine"] == "gguf"
    assert row["context"] == 128
    assert row["kv_cache_bytes"] == 128 * 2 * 2 * (16 + 16) * 2
    parts = ("weights_bytes", "kv_cache_bytes", "buffers_bytes")
    assert row["total_bytes"] == sum(row[part] for part in parts)
    assert row["origin"] == "derived"
    assert row["verdict"] in ("gpu", "processor")
    smaller = fake_cli(
        "models", "fit", instruct, "--context", "128", "--cache-type", "q8_0", "--json"
    )
    assert json.loads(smaller.out)["kv_cache_bytes"] < row["kv_cache_bytes"]


def test_a_version_that_two_people_offer_is_told_once(fake_cli: Cli) -> None:
    rows = fake_cli("models", "fit", "qwen3-0.6b", "--json").events
    versions = [row["version"] for row in rows]
    assert "Q8_0 instruct" in versions
    assert len(versions) == len(set(versions))


def test_a_family_of_the_catalogue_is_judged_version_by_version(fake_cli: Cli) -> None:
    said = fake_cli("models", "fit", "smollm2-135m")
    assert said.status == 0
    assert "SmolLM2 135M, with a context of 4,096 tokens" in said.out
    assert "Q4_K_M instruct" in said.out
    assert "GB free" in said.out


def test_a_repository_is_judged_from_its_header_before_a_download(
    fake_cli: Cli, hub: LocalHub, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    hub.add("org/tiny-GGUF", {"tiny-Q8_0.gguf": path, "tiny-F16.gguf": path.read_bytes() + b"00"})
    rows = fake_cli("models", "fit", "org/tiny-GGUF", "--context", "256", "--json").events
    assert [row["version"] for row in rows] == ["Q8_0", "F16"]
    assert not any(row["rough"] for row in rows)
    assert {row["kv_cache_bytes"] for row in rows} == {256 * 2 * 2 * (16 + 16) * 2}


def test_a_repository_with_nothing_runnable_says_why(fake_cli: Cli, hub: LocalHub) -> None:
    hub.add("org/old", {"pytorch_model.bin": b"x", "config.json": b"{}"})
    said = fake_cli("models", "fit", "org/old")
    assert said.status == 1
    assert "pickle" in said.err


def test_what_is_nowhere_is_a_sentence(fake_cli: Cli, hub: LocalHub) -> None:
    assert "no installed model" in fake_cli("models", "fit", "nothing").err
    missing = fake_cli("models", "fit", "org/missing")
    assert missing.status == 1
    assert "org/missing" in missing.err
    assert not hub.mistakes
