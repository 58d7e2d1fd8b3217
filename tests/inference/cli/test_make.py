"""``models convert`` and ``models quantize`` as a person types them."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil

from inference.library.gguf_header import read_header
from tests.helpers.checkpoints import tiny_llama
from tests.helpers.gguf_files import tiny_gguf
from tests.inference.cli.conftest import environment, real_cli

if TYPE_CHECKING:
    from pathlib import Path


def test_a_folder_becomes_a_file_that_is_found_and_answers(tmp_path: Path, home: Path) -> None:
    folder = tiny_llama(tmp_path / "tale")
    done = real_cli("models", "convert", folder)
    path = home / "models" / "tale" / "tale-F16.gguf"
    assert done.status == 0, done.err
    assert done.out.splitlines() == [
        f"Written: {path}, {path.stat().st_size / 1000:.1f} kB.",
        "`glasshouse run tale/tale-F16` starts it.",
    ]
    answer = real_cli("run", "tale/tale-F16", "Hello", "--max-tokens", "3", "--json")
    assert answer.events[-1]["event"] == "finished"


def test_in_json_every_step_is_an_object(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tale", width=256)
    done = real_cli("models", "quantize", folder, "--type", "q8_0", "--output", tmp_path, "--json")
    assert done.status == 0, done.err
    *steps, last = done.events
    assert {step["event"] for step in steps} == {"progress"}
    assert steps[0]["step"] == "convert"
    path = tmp_path / "tale-Q8_0.gguf"
    size = path.stat().st_size
    assert last == {
        "event": "finished",
        "path": str(path),
        "id": "",
        "type": "Q8_0",
        "size_bytes": size,
        "notes": [],
    }


def test_of_a_shipped_model_the_form_is_taken_that_has_all_its_bits(home: Path) -> None:
    done = real_cli("models", "quantize", "starter-base", "--type", "Q6_K")
    assert done.status == 0, done.err
    made = home / "models" / "starter-base" / "starter-base-Q6_K.gguf"
    assert read_header(made).quantization == "Q6_K"


def test_what_makes_no_sense_is_refused_with_a_next_step(tmp_path: Path, instruct: Path) -> None:
    refused = real_cli("models", "convert", instruct)
    assert (refused.status, refused.out) == (1, "")
    assert "is a GGUF file already.\n`models quantize` makes a smaller one" in refused.err
    target = tmp_path / "there.gguf"
    target.write_bytes(b"precious")
    there = real_cli("models", "quantize", instruct, "--output", target)
    assert there.status == 1
    assert "There is a there.gguf" in there.err
    assert target.read_bytes() == b"precious"
    odd = real_cli("models", "quantize", instruct, "--output", tmp_path / "model.bin")
    assert "no name for a GGUF file" in odd.err
    assert real_cli("models", "quantize", instruct, "--type", "Q9").status == 2


def test_a_note_is_said_beside_the_result(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tale", family="mistral", windows=(64, 64))
    done = real_cli("models", "convert", folder, "--output", tmp_path)
    assert done.status == 0, done.err
    assert "The file has a context of 64 tokens instead of 512" in done.err


def _started(source: Path, target: Path) -> subprocess.Popen[bytes]:
    """Start a conversion, and return when the first weights are written."""
    command = [sys.executable, "-m", "inference", "models", "convert", str(source), "--json"]
    running = subprocess.Popen(
        [*command, "--output", str(target)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert running.stdout is not None
    assert b'"progress"' in running.stdout.readline()
    return running


def _large(folder: Path) -> Path:
    return tiny_llama(folder, width=1024, mlp_width=8192, n_layers=5, dtype="float16")


def test_ctrl_c_leaves_nothing_half(tmp_path: Path) -> None:
    work = tmp_path / "work"
    running = _started(_large(work / "large"), work / "large.gguf")
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 130
    assert b"Stopped. Nothing is left of it." in said
    assert [path.name for path in work.iterdir()] == ["large"]


def test_killed_it_takes_its_child_along_and_the_next_run_clears_up(tmp_path: Path) -> None:
    work = tmp_path / "work"
    folder, target = _large(work / "large"), work / "large.gguf"
    running = _started(folder, target)
    children = psutil.Process(running.pid).children(recursive=True)
    running.kill()
    running.communicate(timeout=60)
    assert children
    gone, alive = psutil.wait_procs(children, timeout=20)
    assert (len(gone), alive) == (len(children), [])
    assert not target.exists()
    assert len(list(work.glob(".large.gguf.*.part"))) == 1
    assert real_cli("models", "convert", folder, "--output", target).status == 0
    assert sorted(path.name for path in work.iterdir()) == ["large", "large.gguf"]


def test_the_same_again_needs_a_word(tmp_path: Path) -> None:
    source = tiny_gguf(tmp_path / "whole.gguf", hidden=256)
    first, second = tmp_path / "first.gguf", tmp_path / "second.gguf"
    assert real_cli("models", "quantize", source, "--type", "Q6_K", "--output", first).status == 0
    again = ("models", "quantize", first, "--type", "Q4_K_M", "--output", second)
    refused = real_cli(*again)
    assert refused.status == 1
    assert "quantised already (Q6_K)" in refused.err
    assert real_cli(*again, "--again").status == 0
