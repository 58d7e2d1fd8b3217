from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError, NetworkError
from inference.library.download.values import Listing
from inference.library.estimate import estimate, estimate_gguf
from inference.library.gguf_header import read_header, read_prefix
from inference.library.hub import Hub
from inference.library.memory_shape import shape_of_config, shape_of_header
from inference.library.remote_header import (
    RemoteFiles,
    header_bytes,
    read_gguf,
    read_safetensors,
    tells_widths,
)
from tests.helpers.assets import asset
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf
from tests.helpers.hub_faults import Fault
from tests.helpers.local_hub import LocalHub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from inference.library.remote_header import ByteSource


@pytest.fixture
def hub() -> Iterator[LocalHub]:
    with LocalHub() as local:
        yield local


def listing_of(hub: LocalHub, repo: str) -> Listing:
    return Hub(hub.endpoint, "").listing(repo)


def opened(hub: LocalHub, repo: str) -> RemoteFiles:
    return RemoteFiles(listing_of(hub, repo), "", CancelToken())


class Bytes:
    """A file in memory that counts what was read of it."""

    name = "memory.gguf"

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.read_bytes = 0

    def read(self, start: int, end: int) -> tuple[bytes, int]:
        piece = self.content[start:end]
        self.read_bytes += len(piece)
        return piece, len(self.content)


def test_a_remote_header_equals_that_of_the_file(tmp_path: Path, hub: LocalHub) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    hub.add("org/tiny", {"tiny.gguf": path})
    with opened(hub, "org/tiny") as files:
        prefix = read_gguf(files.source("tiny.gguf"), whole=True)
    assert prefix.complete
    assert prefix.header == read_header(path)
    assert header_bytes(prefix) == prefix.header.data_offset


def test_a_forecast_before_the_download_needs_little_of_a_large_file(hub: LocalHub) -> None:
    path = asset("gguf-vocab/ggml-vocab-gpt-2.gguf")
    content = path.read_bytes() + bytes(4_000_000)
    hub.add("org/vocab", {"vocab.gguf": content})
    with opened(hub, "org/vocab") as files:
        prefix = read_gguf(files.source("vocab.gguf"))
    assert not prefix.complete
    assert prefix.header.n_vocab == 50_257
    assert prefix.header.own("block_count") == 12
    assert hub.bytes_sent < 600_000
    exact = read_header(path).data_offset
    assert header_bytes(prefix) == pytest.approx(exact, rel=0.2)


def test_the_forecast_from_a_part_equals_that_from_the_whole(tmp_path: Path) -> None:
    path = tiny_gguf(tmp_path / "tiny.gguf")
    content = path.read_bytes()
    whole = read_header(path)
    cut = next(
        length
        for length in range(64, len(content))
        if tells_widths(read_prefix(content[:length], "tiny.gguf", len(content)))
    )
    assert cut < whole.data_offset / 2
    part = read_prefix(content[:cut], "tiny.gguf", len(content))
    weights = sum(tensor.size_bytes for tensor in whole.tensors)
    told = estimate_gguf(shape_of_header(part.header), weights, 256)
    assert told == estimate(path, 256)


def test_any_beginning_of_a_header_is_read_as_a_part_of_it(tmp_path: Path) -> None:
    content = tiny_gguf(tmp_path / "tiny.gguf").read_bytes()
    whole = read_header(tmp_path / "tiny.gguf")
    for length in [*range(0, 400, 7), *range(400, whole.data_offset, 97)]:
        prefix = read_prefix(content[:length], "tiny.gguf", len(content))
        assert not prefix.complete or length > whole.data_offset - 32
        for key, value in prefix.header.metadata.items():
            assert key in whole.metadata
            if not isinstance(value, type(whole.metadata[key])):
                continue
            assert value == whole.metadata[key]


def test_what_is_no_gguf_is_refused_from_its_first_bytes() -> None:
    source = Bytes(b"<!DOCTYPE html>" + bytes(10_000_000))
    with pytest.raises(CorruptCheckpointError, match="not a GGUF file"):
        read_gguf(source)
    assert source.read_bytes <= 70_000


def test_a_header_that_does_not_end_is_given_up(tmp_path: Path) -> None:
    start = tiny_gguf(tmp_path / "tiny.gguf").read_bytes()[:24]
    claims_one_long_text = start[:16] + (1).to_bytes(8, "little") + (1 << 22).to_bytes(8, "little")
    source = Bytes(claims_one_long_text + bytes(1 << 25))
    prefix = read_gguf(source)
    assert not prefix.complete
    assert source.read_bytes <= 600_000


def test_safetensors_headers_and_config_are_read_by_range(tmp_path: Path, hub: LocalHub) -> None:
    folder = tiny_llama(tmp_path / "tiny", dtype="bfloat16")
    files = {file.name: file.read_bytes() for file in folder.iterdir()}
    hub.add("org/tiny", files)
    with opened(hub, "org/tiny") as remote:
        tensors = read_safetensors(remote.source("model.safetensors"))
        config = remote.json("config.json")
    assert {tensor.dtype for tensor in tensors} == {"BF16"}
    shape = shape_of_config(config)
    assert (shape.n_layers, shape.width, shape.n_vocab) == (2, 32, 320)
    assert shape.kv_width == 2 * 2 * 2 * 8


def test_a_damaged_remote_file_is_a_sentence(hub: LocalHub) -> None:
    hub.add("org/bad", {"model.safetensors": b"\xff" * 64, "config.json": b"[1]"})
    with opened(hub, "org/bad") as files:
        with pytest.raises(CorruptCheckpointError, match="no safetensors file"):
            read_safetensors(files.source("model.safetensors"))
        with pytest.raises(CorruptCheckpointError, match="no JSON object"):
            files.json("config.json")


def test_a_server_that_ignores_ranges_still_gives_the_right_bytes(hub: LocalHub) -> None:
    content = bytes(range(256)) * 4
    hub.add("org/plain", {"weights.gguf": content})
    hub.faults.next(Fault("ignore_range"))
    with opened(hub, "org/plain") as files:
        data, total = files.source("weights.gguf").read(100, 200)
    assert data == content[100:200]
    assert total == len(content)


def test_no_token_reaches_the_store(tmp_path: Path, hub: LocalHub) -> None:
    hub.add("org/tiny", {"tiny.gguf": tiny_gguf(tmp_path / "tiny.gguf")})
    listing = listing_of(hub, "org/tiny")
    with RemoteFiles(listing, "hf_secret", CancelToken()) as files:
        read_gguf(files.source("tiny.gguf"))
    assert any("authorization" in seen.headers for seen in hub.asked("resolve", "hub"))
    assert all("authorization" not in seen.headers for seen in hub.asked("", "store"))


def test_a_hub_that_is_gone_is_a_sentence(tmp_path: Path, hub: LocalHub) -> None:
    hub.add("org/tiny", {"tiny.gguf": tiny_gguf(tmp_path / "tiny.gguf")})
    listing = listing_of(hub, "org/tiny")
    gone = Listing(listing.repo, listing.revision, listing.files, "http://127.0.0.1:9")
    with RemoteFiles(gone, "", CancelToken()) as files, pytest.raises(NetworkError):
        read_gguf(files.source("tiny.gguf"))


@pytest.mark.parametrize(
    ("name", "layers", "kv_bytes_per_token"),
    [
        ("Qwen__Qwen3-4B.json", 36, 147_456),
        ("meta-llama__Llama-3.2-1B.json", 16, 32_768),
        ("EleutherAI__pythia-410m.json", 24, 98_304),
        ("openai-community__gpt2-xl.json", 48, 307_200),
        ("HuggingFaceTB__SmolLM2-360M-Instruct.json", 32, 40_960),
    ],
)
def test_real_configs_tell_the_cost_of_context(
    name: str, layers: int, kv_bytes_per_token: int
) -> None:
    shape = shape_of_config(json.loads(asset(f"configs/{name}").read_text()))
    assert shape.known
    assert shape.n_layers == layers
    assert shape.kv_bytes_per_token("f16") == kv_bytes_per_token


def test_a_source_in_memory_is_a_byte_source() -> None:
    source: ByteSource = Bytes(b"x")
    assert source.read(0, 1) == (b"x", 1)
