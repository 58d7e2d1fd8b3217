"""``glasshouse inspect`` adds up, turns, maps and changes as the model does, on both engines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from inference.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable

    Inspect = Callable[..., dict[str, Any]]

TEXT = "The sky is blue, and the"
WORDS = "red green blue one two three four five"
ENGINES = pytest.mark.parametrize("engine", ["gguf", "native"])


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Inspect:
    def inspect(what: str, *words: str, text: str = TEXT) -> dict[str, Any]:
        assert main(["inspect", "starter-instruct", text, "--json", "--what", what, *words]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return inspect


@ENGINES
def test_what_all_parts_add_to_a_token_is_its_score(figure: Inspect, engine: str) -> None:
    following = figure("next", "--engine", engine, "--top", "1000")["top"]
    parts = figure("updates", "--engine", engine, "--top", "1000")["parts"]
    assert [part["part"] for part in parts] == [
        "embedding",
        *("attention", "forward") * 4,
        "rest",
    ]
    assert [part["layer"] for part in parts] == [None, 0, 0, 1, 1, 2, 2, 3, 3, None]
    rises = [
        {one["id"]: one["rise"] for one in (*part["promoted"], *part["suppressed"])}
        for part in parts
    ]
    near = 0.2 if engine == "gguf" else 1e-3  # llama.cpp rounds what meets the head to 8 bits
    told = [one for one in following if all(one["id"] in part for part in rises)]
    assert len(told) > 100
    for one in told:
        score = sum(part[one["id"]] for part in rises)
        assert score == pytest.approx(one["logit"], abs=near)


@ENGINES
def test_a_sum_of_one_word_is_nearest_to_what_is_near_that_word(
    figure: Inspect, engine: str
) -> None:
    words = ("--engine", engine, "--top", "5")
    found = figure("analogy", *words, text="king")
    near = figure("embeddings", *words, text=" king")
    pairs = list(zip(found["neighbours"], near["neighbours"], strict=True))
    assert [one["id"] for one, _other in pairs] == [other["id"] for _one, other in pairs]
    assert all(one["cosine"] == pytest.approx(other["cosine"], abs=1e-4) for one, other in pairs)
    found = figure("analogy", *words, text="king - man + woman")
    assert [one["sign"] for one in found["terms"]] == [1, -1, 1]
    in_sum = {token for one in found["terms"] for token in one["ids"]}
    assert {one["id"] for one in found["left_out"]} == in_sum
    assert not in_sum & {one["id"] for one in found["neighbours"]}


@ENGINES
def test_a_map_tells_what_its_two_directions_hold(figure: Inspect, engine: str) -> None:
    found = figure("map", "--engine", engine, text=WORDS)
    spots = np.array([[one["x"], one["y"]] for one in found["words"]])
    assert [one["text"].strip() for one in found["words"]] == WORDS.split()
    np.testing.assert_allclose(spots.mean(axis=0), 0, atol=1e-5)
    first, second = found["explained_variance"]
    across, down = np.square(spots).sum(axis=0)
    assert first / second == pytest.approx(across / down, rel=1e-3)
    more = figure("map", "--engine", engine, "--frequent", "9", "--projection", "tsne", text=WORDS)
    assert more["explained_variance"] == []
    assert 8 < len(more["words"]) <= 17
    assert 0 <= more["neighbours_kept"] <= 1


@ENGINES
def test_a_context_turns_a_token_away_from_its_start(figure: Inspect, engine: str) -> None:
    found = figure("context", "--engine", engine, "--place", "2")
    assert found["place"] == 2
    assert found["with_start"][0] == pytest.approx(1)
    assert len(found["with_start"]) == len(found["any_two"]) == 5
    assert all(-1 <= cosine < 0.9 for cosine in found["with_start"][1:])


@ENGINES
def test_the_lens_along_a_text_ends_as_the_lens(figure: Inspect, engine: str) -> None:
    along = figure("lens", "--engine", engine, "--along")
    last = figure("lens", "--engine", engine)
    for layer, after in zip(last["layers"], along["layers"], strict=True):
        assert len(after["after"]) == len(along["tokens"])
        assert after["after"][-1]["id"] == layer["top"][0]["id"]
        assert after["after"][-1]["logprob"] == pytest.approx(layer["top"][0]["logprob"], abs=1e-3)


def test_a_changed_run_stands_beside_the_unchanged_one(figure: Inspect) -> None:
    native = ("--engine", "native")
    same = figure("changed", *native, "--length", "3")
    following = figure("next", *native)["top"]
    assert same["shift_bits"] == pytest.approx(0, abs=1e-6)
    assert same["before"] == same["after"]
    assert [one["id"] for one in same["before"]["top"]] == [one["id"] for one in following]
    assert 0 < len(same["before"]["tokens"]) <= 3
    parts = ("--off", "head:0:1", "--off", "forward:2", "--off", "edge:4:1")
    changed = figure("changed", *native, *parts)
    assert changed["shift_bits"] > 0.01
    assert changed["before"]["top"] == same["before"]["top"]
    assert changed["after"]["top"] != same["before"]["top"]


@ENGINES
def test_a_token_can_be_exchanged(figure: Inspect, engine: str) -> None:
    changed = figure("changed", "--engine", engine, "--exchange", "2", " grass")
    written = figure("next", "--engine", engine, text="The grass is blue, and the")["top"]
    assert changed["after"]["top"][0]["id"] == written[0]["id"]
    assert changed["after"]["top"][0]["logprob"] == pytest.approx(written[0]["logprob"], abs=1e-3)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--what", "changed", "--engine", "gguf", "--off", "block:1"], 1, "cannot be switched"),
        (["--what", "changed", "--engine", "native", "--off", "block:9"], 1, "no layer 9"),
        (["--what", "changed", "--exchange", "99", "x"], 1, "no token 99"),
        (["--what", "changed", "--exchange", "one", "x"], 1, "no token one"),
        (["--what", "map"], 1, "at least 3 words"),
        (["--what", "updates", "--place", "99"], 1, "no token 99"),
    ],
)
def test_what_cannot_be_given_is_said(
    words: list[str], status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "starter-instruct", "blue sky", *words]) == status
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--off", "head:0:1"],
        ["--what", "changed", "--off", "head:0"],
        ["--what", "lens", "--place", "1"],
        ["--what", "next", "--along"],
        ["--what", "context", "--projection", "pca"],
        ["--what", "map", "--projection", "umap"],
    ],
)
def test_options_of_another_figure_are_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["inspect", "starter-instruct", "blue sky", *words])
    assert ended.value.code == 2
    assert "--" in capsys.readouterr().err


@ENGINES
@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (["--what", "updates"], 12),
        (["--what", "analogy"], 24),
        (["--what", "map"], 8),
        (["--what", "context"], 7),
        (["--what", "lens", "--along"], 8),
        (["--what", "changed"], 24),
    ],
)
def test_every_figure_is_printed_for_a_person(
    words: list[str], lines: int, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(
        ["inspect", "starter-instruct", "red green blue one two", *words, "--engine", engine]
    )
    assert status == 0
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) >= lines
    assert "nan" not in printed
