"""``glasshouse models compare`` measures real models and puts them side by side."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from inference.cli.main import main
from inference.evaluation.book import FILE
from tests.inference.cli.conftest import real_cli

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "Once upon a time there was a little cat. She liked to sit in the sun, and to sleep. " * 8
WORDS = ("--window", "64", "--threads", "1")


@pytest.fixture
def story(tmp_path: Path) -> str:
    path = tmp_path / "story.txt"
    path.write_text(TEXT, encoding="utf-8")
    return str(path)


def test_each_model_is_a_line_and_the_last_says_which_to_take(
    story: str, capsys: pytest.CaptureFixture[str]
) -> None:
    models = ("starter-base", "starter-base-f16", "starter-instruct", "starter-base")
    asked = ["models", "compare", *models, "--text", story, *WORDS, "--json"]
    assert main(asked) == 0
    *rows, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [row["model"] for row in rows] == list(models[:3])  # nobody is measured twice
    for row in rows:
        assert row["event"] == "result"
        assert row["perplexity"] > 1
        assert row["scored_bytes"] == len(TEXT)
        assert row["bits_per_byte"] == pytest.approx(
            row["bits_per_token"] * row["scored_tokens"] / row["scored_bytes"]
        )
        assert row["window"] == 64
        assert min(row["decode_tokens_per_s"], row["prompt_tokens_per_s"]) > 0
        assert row["peak_memory_bytes"] > row["size_bytes"]
        assert len(row["model_sha256"]) == len(row["text_sha256"]) == 64
    assert end["event"] == "finished"
    assert len(end["advice"]) == 2
    assert "starter-base-f16" in end["advice"][0]
    assert "of the memory of" in end["advice"][0]
    assert "bits per byte" in end["advice"][1]
    assert main(asked) == 0
    *known, _ = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert known == rows  # not measured again


def test_people_get_a_table_and_a_file_that_is_no_model_is_refused_before_anything_is_measured(
    story: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.gguf"
    damaged.write_bytes(b"GGUF\x03\0\0\0" + b"\xff" * 64)
    models = ("starter-base", "starter-base-f16", str(damaged))
    assert main(["models", "compare", *models, "--text", story, *WORDS]) == 1
    said = capsys.readouterr()
    assert "damaged.gguf cannot be used" in said.err
    assert not said.out
    assert main(["models", "compare", *models[:2], "--text", story, *WORDS]) == 0
    said = capsys.readouterr()
    head, *rows = said.out.splitlines()
    assert head.split() == [
        *("MODEL", "TYPE", "PERPLEXITY", "BITS/BYTE", "READS", "WRITES", "FILE", "MEMORY"),
    ]
    assert rows[0].startswith("starter-base ")
    assert "%" in rows[0]
    assert "windows of 64 tokens" in said.out


def test_a_smaller_version_that_expects_the_text_better_does_not_cost_less_than_nothing(
    story: str, capsys: pytest.CaptureFixture[str], home: Path
) -> None:
    asked = ["models", "compare", "starter-base", "starter-base-f16", "--text", story, *WORDS]
    assert main(asked) == 0
    book = home / "data" / FILE
    kept = json.loads(book.read_bytes())
    large = max(kept["results"], key=lambda one: one["info"]["size_bytes"])
    large["parts"] = [part * 1.1 for part in large["parts"]]
    large["nats"] = sum(large["parts"])
    book.write_text(json.dumps(kept), encoding="utf-8")
    capsys.readouterr()
    assert main(asked) == 0
    advice = capsys.readouterr().out.splitlines()[-1]
    assert re.search(r"Take starter-base: it has \d+\.\d % less perplexity, and takes ", advice)


def test_a_window_too_large_for_a_model_is_said_of_it_and_the_others_go_on(
    story: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--text", story, "--window", "2000", "--threads", "1")
    assert main(["models", "compare", "starter-base", *words, "--json"]) == 1
    said = capsys.readouterr()
    row, end = (json.loads(line) for line in said.out.splitlines())
    assert row["event"] == "trouble"
    assert "trained for texts of 1,024 tokens" in row["message"]
    assert end["advice"] == []
    assert "starter-base: It was trained" in said.err


def test_the_text_may_come_from_standard_input() -> None:
    said = real_cli("models", "compare", "starter-base", *WORDS, "--json", text=TEXT + "\n")
    assert said.status == 0, said
    assert said.events[0]["scored_bytes"] == len(TEXT)


def test_no_text_and_an_unknown_model_are_sentences(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "compare", "no-such-model", "--text", "x"]) == 1
    assert "no-such-model" in capsys.readouterr().err
    assert main(["models", "compare", "starter-base", "--text", str(tmp_path / "away.txt")]) == 1
    assert "away.txt could not be read" in capsys.readouterr().err
