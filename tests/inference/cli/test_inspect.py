"""``glasshouse inspect`` prints what CLI.md promises, on both engines."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import pytest

from inference.cli import figures
from inference.cli.figures.kinds import KINDS
from inference.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXT = "The sky is blue, and the"
ENGINES = pytest.mark.parametrize("engine", ["gguf", "native"])


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def inspect(*words: str, text: str = TEXT) -> dict[str, Any]:
        assert main(["inspect", "starter-instruct", text, "--json", *words]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 1
        found: dict[str, Any] = json.loads(lines[0])
        return found

    return inspect


@ENGINES
def test_the_next_token_comes_with_scores_and_chances(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    found = figure("--engine", engine)
    assert found["engine"] == engine
    assert found["origin"] == "measured"
    assert "".join(token["text"] for token in found["tokens"][1:]) == TEXT
    assert len(found["top"]) == 20
    logprobs = [one["logprob"] for one in found["top"]]
    assert logprobs == sorted(logprobs, reverse=True)
    assert sum(map(math.exp, logprobs)) < 1
    shifts = [one["logit"] - one["logprob"] for one in found["top"]]
    assert max(shifts) - min(shifts) < 1e-3
    assert len(figure("--engine", engine, "--top", "3")["top"]) == 3


@ENGINES
def test_attention_has_a_row_for_each_token_that_looks(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    one = figure("--engine", engine, "--what", "attention", "--layer", "2", "--head", "1")
    assert (one["layers"], one["heads"], one["layer"], one["head"]) == (4, 4, 2, 1)
    assert one["origin"] == "measured"
    size = len(one["tokens"])
    assert [len(row) for row in one["weights"]] == [size] * size
    for place, row in enumerate(one["weights"]):
        assert sum(row) == pytest.approx(1, abs=1e-4)
        assert not any(row[place + 1 :])
    mean = figure("--engine", engine, "--what", "attention", "--head", "mean")
    assert (mean["head"], mean["origin"]) == ("mean", "derived")


@ENGINES
def test_a_lens_has_an_entry_for_each_block_and_ends_in_the_model_s_own_words(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    found = figure("--engine", engine, "--what", "lens")
    assert found["origin"] == "derived"
    assert [entry["layer"] for entry in found["layers"]] == [0, 1, 2, 3]
    following = figure("--engine", engine)["top"]
    last = found["layers"][-1]["top"]
    assert [one["id"] for one in last] == [one["id"] for one in following[:5]]
    assert last[0]["logprob"] == pytest.approx(following[0]["logprob"], abs=0.05)


@ENGINES
def test_neighbours_are_those_of_the_last_token(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    found = figure("--engine", engine, "--what", "embeddings", "--top", "7")
    cosines = [one["cosine"] for one in found["neighbours"]]
    assert len(cosines) == 7
    assert cosines == sorted(cosines, reverse=True)
    assert found["tokens"][-1]["id"] not in [one["id"] for one in found["neighbours"]]


@ENGINES
def test_layers_count_every_weight_of_the_file(
    figure: Callable[..., dict[str, Any]], engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = figure("--engine", engine, "--what", "layers")
    counted = sum(tensor["parameters"] for block in found["blocks"] for tensor in block["tensors"])
    assert main(["models", "show", "starter-instruct", "--json"]) == 0
    assert found["parameters"] == counted
    assert counted == json.loads(capsys.readouterr().out)["parameters"]
    names = [block["name"] for block in found["blocks"]]
    assert names == ["embedding", "block 0", "block 1", "block 2", "block 3", "output"]
    # 4 layers, 2 key-value heads of 64, a key and a value: 16 or 32 bits each
    assert found["kv_bytes_per_token"] == 4 * 2 * 64 * 2 * (2 if engine == "gguf" else 4)


@ENGINES
def test_perplexity_follows_from_the_chances_it_lists(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    found = figure("--engine", engine, "--what", "perplexity")
    told = [token["logprob"] for token in found["tokens"]]
    assert told[0] is None
    assert len(told) > 5
    expected = math.exp(-sum(told[1:]) / len(told[1:]))
    assert found["perplexity"] == pytest.approx(expected, rel=1e-6)


@ENGINES
def test_bits_per_byte_count_the_bytes_of_letters_that_are_cut_into_several_tokens(
    figure: Callable[..., dict[str, Any]], engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--engine", engine, "--what", "perplexity")
    found = figure(*words, text="🙂 café")
    nats = -sum(token["logprob"] for token in found["tokens"][1:])  # BOS begins the text
    expected = nats / math.log(2) / 10
    assert found["bits_per_byte"] == pytest.approx(expected, rel=1e-6)
    assert main(["inspect", "starter-instruct", "🙂 café", *words]) == 0
    assert f"{expected:.3f} bits per byte of text" in capsys.readouterr().out


def test_bits_per_byte_of_a_chat_count_what_its_template_wrote_without_special_tokens(
    figure: Callable[..., dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tokens", "starter-instruct", "🙂", "--render", "--json"]) == 0
    prompt = json.loads(capsys.readouterr().out)
    text = prompt["text"]
    for token in prompt["tokens"]:
        text = text.replace(token["text"], "", 1) if token["special"] else text
    found = figure("--what", "perplexity", "--chat", text="🙂")
    nats = -sum(token["logprob"] or 0 for token in found["tokens"])
    assert found["bits_per_byte"] == pytest.approx(nats / math.log(2) / len(text.encode()))


@ENGINES
def test_a_text_longer_than_the_context_is_scored_in_windows(
    figure: Callable[..., dict[str, Any]], engine: str
) -> None:
    text = "The sky is blue, and the sea is deep. " * 12
    whole = figure("--engine", engine, "--what", "perplexity", text=text)
    assert "windows" not in whole
    cut = figure("--engine", engine, "--what", "perplexity", "--context", "64", text=text)
    assert cut["window"] == 64
    assert cut["windows"] > 2
    told = [token["logprob"] for token in cut["tokens"]]
    assert len(told) == len(whole["tokens"]) > 64
    assert told[0] is None
    assert None not in told[1:]
    first = [token["logprob"] for token in whole["tokens"]][1:64]
    assert told[1:64] == pytest.approx(first, abs=0.05)  # the same tokens before them
    assert cut["perplexity"] == pytest.approx(math.exp(-sum(told[1:]) / len(told[1:])), rel=1e-6)


def test_a_chat_is_read_as_its_prompt(figure: Callable[..., dict[str, Any]]) -> None:
    found = figure("--chat", text="What is a token?")
    assert found["tokens"][-1]["text"] != "?"
    assert found["top"][0]["text"].strip() == "A"


def test_the_json_of_every_kind_is_listed() -> None:
    contract = {"next", "attention", "embeddings", "lens", "layers", "perplexity"}
    listed = set(re.findall(r"^ {4}(\w+) ", str(figures.__doc__), re.MULTILINE))
    assert contract | listed == set(KINDS)


@pytest.mark.parametrize(
    "what", ["next", "attention", "embeddings", "lens", "layers", "perplexity"]
)
def test_people_get_a_table(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "starter-base", TEXT, "--what", what]) == 0
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) > 4
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--what", "attention", "--layer", "9"], "There is no layer 9 in this model."),
        (["--what", "attention", "--head", "9"], "There is no head 9 in this model."),
        (["--context", "8"], "The text has"),
    ],
)
def test_what_is_not_there_is_said_and_ends_with_1(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = TEXT * 4
    assert main(["inspect", "starter-base", text, *words]) == 1
    captured = capsys.readouterr()
    assert sentence in captured.err
    assert not captured.out


@ENGINES
def test_a_long_text_comes_from_a_file_and_is_read_by_the_method_of_llama_cpp(
    figure: Callable[..., dict[str, Any]],
    engine: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "long.txt"
    path.write_text("The sky is blue, and the sea is deep. " * 12 + "\n", encoding="utf-8")
    words = ["--what", "perplexity", "--method", "llama.cpp", "--window", "32", "--json"]
    asked = ["inspect", "starter-instruct", "--engine", engine, "--file", str(path), *words]
    assert main(asked) == 0
    found = json.loads(capsys.readouterr().out)
    size = len(found["tokens"])
    assert (found["method"], found["window"], found["windows"]) == ("llama.cpp", 32, size // 32)
    for place, token in enumerate(found["tokens"]):
        is_scored = place < size // 32 * 32 and place % 32 > 16
        assert (token["logprob"] is not None) == is_scored
    told = [one["logprob"] for one in found["tokens"] if one["logprob"] is not None]
    assert found["perplexity"] == pytest.approx(math.exp(-sum(told) / len(told)), rel=1e-6)
    assert main(asked[:-1]) == 0
    assert "as llama.cpp does" in capsys.readouterr().out


def test_a_text_is_given_once_and_a_window_fits_into_the_context(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "some.txt"
    path.write_text(TEXT, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["inspect", "starter-base", TEXT, "--file", str(path)])
    assert ended.value.code == 2
    words = ["--what", "perplexity", "--context", "32", "--window", "64"]
    assert main(["inspect", "starter-base", "--file", str(path), *words]) == 1
    assert "A window of 64 tokens does not fit" in capsys.readouterr().err
    path.write_bytes(b"\0\1")
    assert main(["inspect", "starter-base", "--file", str(path)]) == 1
    assert "is not a text" in capsys.readouterr().err
