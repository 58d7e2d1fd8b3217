"""``inspect --what decoding`` writes in every way that an engine has, as ``run`` does."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from inference.cli import figures
from inference.cli.main import main
from inference.inside.decodings import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.inference.cli.conftest import Outcome

    Inspect = Callable[..., dict[str, Any]]

MODEL = "starter-base"
TEXT = "Once upon a time there was a"
LENGTH = 10
ENGINES = pytest.mark.parametrize("engine", ["gguf", "native"])
COMPARED = {"greedy", "beam", "contrastive", "top_p"}  # one of those that draw
ASKED = ("--what", "decoding", "--length", str(LENGTH))


@pytest.fixture
def figure(capsys: pytest.CaptureFixture[str]) -> Inspect:
    def inspect(*words: str) -> dict[str, Any]:
        assert main(["inspect", MODEL, TEXT, "--json", *ASKED, *words]) == 0
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return found

    return inspect


def written(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the ways that wrote, by name; they are all but those the engine lacks."""
    assert [way["way"] for way in found["ways"]] == [name for name, _settings in WAYS]
    lacking = {"contrastive"} if found["engine"] == "gguf" else set()
    refused = {way["way"] for way in found["ways"] if way["problem"]}
    assert refused == lacking
    return {way["way"]: way for way in found["ways"] if way["problem"] is None}


@ENGINES
def test_a_way_writes_what_run_writes_with_its_settings(
    figure: Inspect, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ways = written(figure("--engine", engine, "--seed", "7"))
    for name in COMPARED & ways.keys():
        way = ways[name]
        options = [f"--max-tokens={LENGTH}", "--seed=7"]
        for option, value in way["settings"].items():
            told = {False: "off"}.get(value, value) if option == "early_stop" else value
            options.append(f"--{option.replace('_', '-')}={told}")
        assert main(["run", MODEL, TEXT, "--raw", "--json", "--engine", engine, *options]) == 0
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        tokens = [event for event in events if event["event"] == "token"]
        assert [one["id"] for one in way["tokens"]] == [one["id"] for one in tokens], name
        assert (way["text"], way["reason"]) == (events[-1]["text"], events[-1]["reason"])
        chances = [one["logprob"] for one in way["tokens"]]
        assert chances == pytest.approx([one["logprob"] for one in tokens], abs=1e-4)


@ENGINES
def test_a_step_tells_what_the_cut_left_and_that_its_token_is_among_it(
    figure: Inspect, engine: str
) -> None:
    ways = written(figure("--engine", engine, "--top", "6"))
    for way in ways.values():
        assert len(way["tokens"]) == LENGTH
        for step in way["tokens"]:
            assert len(step["top"]) == 6
            if step["rank"] <= 6:
                same = step["top"][step["rank"] - 1]
                assert same["id"] == step["id"]
                assert same["logprob"] == pytest.approx(step["logprob"], abs=0.05)
    kept = {name: [one["kept"] for one in way["tokens"]] for name, way in ways.items()}
    assert set(kept["greedy"]) == {1}
    assert set(kept["beam"]) == {None}
    assert set(kept["top_k"]) == {20}
    assert set(kept["temperature"]) == set(kept["cool"]) == {2048}
    assert len(set(kept["top_p"])) > 1
    assert set(kept.get("contrastive", [4])) == {4}
    for name in ("top_k", "top_p", "min_p"):
        for step in ways[name]["tokens"]:
            assert step["rank"] <= step["kept"]
            assert step["drawn"] == pytest.approx(
                math.exp(step["logprob"]) / step["kept_share"], rel=0.02
            )
            stays = [one["drawn"] > 0 for one in step["top"]]
            assert stays == [rank < step["kept"] for rank in range(6)]
    assert all(step["kept_share"] >= 0.9 for step in ways["top_p"]["tokens"])
    assert {step["drawn"] for step in ways["greedy"]["tokens"]} == {None}


@ENGINES
def test_measures_and_the_beam_s_score_follow_from_the_tokens(figure: Inspect, engine: str) -> None:
    ways = written(figure("--engine", engine))
    for way in ways.values():
        ids = [one["id"] for one in way["tokens"]]
        pairs = list(pairwise(ids))
        triples = list(zip(ids, ids[1:], ids[2:], strict=False))
        nats = -sum(one["logprob"] for one in way["tokens"])
        assert way["bits_per_token"] == pytest.approx(nats / LENGTH / math.log(2))
        assert way["distinct_1"] == len(set(ids)) / len(ids)
        assert way["distinct_2"] == len(set(pairs)) / len(pairs)
        assert way["repeated_3"] == len(triples) - len(set(triples))
        assert (way["tree"] is None) == (way["way"] != "beam")
    beam, tree = ways["beam"], ways["beam"]["tree"]
    path, at = [], tree["winner"]
    while at >= 0:
        path.append(tree["nodes"][at])
        at = path[-1]["parent"]
    assert [node["id"] for node in reversed(path)] == [one["id"] for one in beam["tokens"]]
    ends = tree["ends"]
    assert ends[0]["node"] == tree["winner"]
    total = sum(one["logprob"] for one in beam["tokens"])
    assert ends[0]["score"] == pytest.approx(total / LENGTH, abs=1e-4)
    assert [end["score"] for end in ends] == sorted((end["score"] for end in ends), reverse=True)
    assert {node["state"] for node in tree["nodes"]} == {"kept", "pruned", "finished"}
    greedy = sum(one["logprob"] for one in ways["greedy"]["tokens"])
    assert total >= greedy


@ENGINES
def test_people_get_the_ways_side_by_side_and_are_told_which_one_is_lacking(
    engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--what", "decoding", "--length", "3", "--engine", engine]
    assert main(["inspect", MODEL, TEXT, *words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert main(["inspect", MODEL, TEXT, *words]) == 0
    printed = capsys.readouterr().out
    for way in written(found).values():
        assert json.dumps(way["text"], ensure_ascii=False) in printed
    lacks = "contrastive 4:    The GGUF engine has no contrastive search."
    assert (lacks in printed) == (engine == "gguf")
    for name in ("beam 4", "temperature 0.5", "top-k 20", "top-p 0.9", "min-p 0.1"):
        assert name in printed
    assert " of 20" in printed
    tree = next(way["tree"] for way in found["ways"] if way["tree"])
    assert printed.count("given up ") == 3  # a line for each step
    for node in tree["nodes"]:
        assert f"{json.dumps(node['text'], ensure_ascii=False)} {node['score']:.2f}" in printed


def test_what_the_json_holds_is_listed(figure: Inspect) -> None:
    keys: set[str] = set()

    def look(value: object) -> None:
        if isinstance(value, list):
            for one in value:
                look(one)
        elif isinstance(value, dict):
            keys.update(value)
            for name, one in value.items():
                if name != "settings":  # named as the options of ``run``
                    look(one)

    look(figure("--engine", "native")["ways"])
    assert {"tree", "nodes", "score", "kept", "distinct_2", "top"} < keys
    assert not [key for key in keys if f'"{key}"' not in str(figures.__doc__)]


def test_the_same_seed_writes_the_same_and_another_one_other_texts(figure: Inspect) -> None:
    first, again, other = (figure("--seed", seed) for seed in ("1", "1", "2"))
    assert first == again
    texts = [[way["text"] for way in found["ways"]] for found in (first, other)]
    chosen = [text for text, same in zip(*texts, strict=True) if text == same]
    assert texts[0][0] in chosen  # greedy
    assert len(chosen) < len(WAYS)


def test_a_text_that_no_way_can_go_on_from_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    text = "The sky is blue, and the sea is deep. " * 3
    assert main(["inspect", MODEL, text, *ASKED, "--context", "16"]) == 1
    captured = capsys.readouterr()
    assert not captured.out
    assert "16" in captured.err


def test_no_tokens_at_all_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["inspect", MODEL, TEXT, "--what", "decoding", "--length", "0"])
    assert ended.value.code == 2
    assert "--length 1" in capsys.readouterr().err


def test_an_engine_that_dies_ends_the_figure(fake_cli: Callable[..., Outcome]) -> None:
    outcome = fake_cli("inspect", MODEL, TEXT, *ASKED, script="crash_at=0")
    assert outcome.status == 1
    assert not outcome.out
    assert "engine" in outcome.err
    assert "contrastive" not in outcome.err
