"""Bad input: exit status 1, one sentence and a next step, a ``failed`` event, never a traceback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf
from tests.inference.cli.conftest import REPO, real_cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.inference.cli.conftest import Outcome


def truncated_gguf(folder: Path) -> Path:
    path = tiny_gguf(folder / "short.gguf")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    return path


def garbage_gguf(folder: Path) -> Path:
    path = folder / "noise.gguf"
    path.write_bytes(np.random.default_rng(1).bytes(5000))
    return path


def empty_gguf(folder: Path) -> Path:
    path = folder / "empty.gguf"
    path.touch()
    return path


def gguf_of_another_architecture(folder: Path) -> Path:
    return tiny_gguf(folder / "other.gguf", architecture="strangenet")


def wrong_shape(folder: Path) -> Path:
    tiny_llama(folder / "shape")
    weights = load_file(folder / "shape" / "model.safetensors")
    name = next(name for name in sorted(weights) if "q_proj" in name)
    weights[name] = np.ascontiguousarray(weights[name][:-8])
    save_file(weights, folder / "shape" / "model.safetensors")
    return folder / "shape"


def truncated_safetensors(folder: Path) -> Path:
    path = tiny_llama(folder / "short") / "model.safetensors"
    path.write_bytes(path.read_bytes()[:3000])
    return folder / "short"


def unknown_architecture(folder: Path) -> Path:
    path = tiny_llama(folder / "unknown") / "config.json"
    config = json.loads(path.read_text())
    config |= {"model_type": "strangenet", "architectures": ["StrangeNetForCausalLM"]}
    path.write_text(json.dumps(config))
    return folder / "unknown"


def garbage_config(folder: Path) -> Path:
    (tiny_llama(folder / "garbage") / "config.json").write_bytes(b"\xff{nonsense")
    return folder / "garbage"


def without_weights(folder: Path) -> Path:
    (tiny_llama(folder / "bare") / "model.safetensors").unlink()
    return folder / "bare"


def pickled_weights(folder: Path) -> Path:
    bare = without_weights(folder)
    (bare / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    return bare


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (truncated_gguf, "CorruptCheckpoint", "short.gguf"),
        (garbage_gguf, "CorruptCheckpoint", "noise.gguf"),
        (empty_gguf, "CorruptCheckpoint", "empty.gguf"),
        (gguf_of_another_architecture, "UnsupportedArchitecture", "strangenet"),
        (wrong_shape, "CorruptCheckpoint", "q_proj"),
        (truncated_safetensors, "CorruptCheckpoint", "model.safetensors"),
        (unknown_architecture, "UnsupportedArchitecture", "StrangeNet"),
        (garbage_config, "CorruptCheckpoint", "config.json"),
        (without_weights, "CorruptCheckpoint", "bare"),
        (pickled_weights, "", "pickle"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_model_that_cannot_be_used_is_a_sentence_and_a_next_step(
    make: Callable[[Path], Path], error: str, words: str, tmp_path: Path
) -> None:
    said = real_cli("run", make(tmp_path), "hello", "--json")
    assert_refused(said, error)
    assert words in said.events[-1]["message"] + said.events[-1]["hint"]


def assert_refused(said: Outcome, error: str) -> None:
    assert said.status == 1, said
    assert "Traceback" not in said.err
    failed = said.events[-1]
    assert failed.keys() == {"event", "error", "message", "hint"}
    assert failed["event"] == "failed"
    assert error in failed["error"]
    assert failed["hint"]
    assert said.err.splitlines() == [f"glasshouse: {failed['message']}", failed["hint"]]


@pytest.mark.parametrize("kind", ["gguf", "native"])
def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(
    kind: str, tmp_path: Path
) -> None:
    path = tiny_gguf(tmp_path / "t.gguf") if kind == "gguf" else tiny_llama(tmp_path / "t")
    said = real_cli("run", path, "word " * 500, "--context", 64, "--json")
    assert_refused(said, "ContextOverflow")
    assert "64" in said.events[-1]["message"]


@pytest.mark.parametrize("name", ["no-such-model", "no/such/file.gguf", "/no/such/folder"])
def test_a_model_that_is_not_there_is_refused(name: str) -> None:
    assert_refused(real_cli("run", name, "hello", "--json"), "ModelNotFound")


def test_the_wrong_engine_for_a_file_is_refused(tmp_path: Path) -> None:
    said = real_cli("run", tiny_gguf(tmp_path / "t.gguf"), "hi", "--engine", "native", "--json")
    assert_refused(said, "UnsupportedRequest")


def test_a_device_that_is_not_here_is_refused(tmp_path: Path) -> None:
    said = real_cli("run", tiny_llama(tmp_path / "t"), "hi", "--device", "mps", "--json")
    if said.status == 0:
        pytest.skip("this machine has an Apple GPU")
    assert_refused(said, "BackendUnavailable")


@pytest.mark.parametrize("command", ["tokens", "bench"])
def test_other_commands_refuse_a_damaged_file_alike(command: str, tmp_path: Path) -> None:
    words = ("hello",) if command == "tokens" else ()
    assert_refused(real_cli(command, garbage_gguf(tmp_path), *words, "--json"), "Corrupt")


def _shell(script: str, *words: object) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "inference", *(str(word) for word in words)]
    return subprocess.run(
        ["sh", "-c", script, *program],
        capture_output=True,
        text=True,
        cwd=REPO,
        check=False,
        timeout=120,
    )


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize("words", [("models", "list"), ("models", "list", "--json")])
def test_a_full_disk_under_the_output_is_a_sentence(words: tuple[str, ...]) -> None:
    done = _shell('"$0" "$@" > /dev/full', *words)
    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a shell of POSIX")
@pytest.mark.parametrize(
    ("script", "words", "status"),
    [
        ('"$0" "$@" >&-', ("models", "list"), 0),
        ('"$0" "$@" 2>&-', ("models", "list"), 0),
        ('"$0" "$@" <&-', ("run", "starter-instruct"), 2),
    ],
    ids=["output", "errors", "input"],
)
def test_a_closed_stream_is_no_reason_to_fall_over(
    script: str, words: tuple[str, ...], status: int
) -> None:
    done = _shell(script, *words)
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="file names that are no text")
def test_a_file_name_that_is_no_text_is_listed_as_valid_json(
    fake_cli: Callable[..., Outcome], home: Path
) -> None:
    (home / "models").mkdir(parents=True)
    path = tiny_gguf(home / "models" / "plain.gguf")
    path.rename(os.fsdecode(os.fsencode(path.parent) + b"/b\xffd.gguf"))
    listed = fake_cli("models", "list", "--json")
    assert listed.status == 0
    assert [row["id"] for row in listed.events][-1] == "b?d"
