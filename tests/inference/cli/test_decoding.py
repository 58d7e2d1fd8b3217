"""What is asked for on the command line is what the engines are asked for."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from inference.cli.decoding import add_sampling, sampling_params
from inference.types import SamplingParams
from tests.helpers.checkpoints import tiny_llama
from tests.inference.cli.conftest import real_cli

if TYPE_CHECKING:
    from pathlib import Path


DRY = (
    "--dry-multiplier 0.8 --dry-base 2 --dry-allowed-length 3 --dry-window 64 "
    "--dry-breaker . --dry-breaker ,"
)


def parsed(*words: str) -> SamplingParams:
    parser = argparse.ArgumentParser()
    add_sampling(parser)
    return sampling_params(parser.parse_args(words))


def changed(params: SamplingParams) -> dict[str, Any]:
    default = msgspec.structs.asdict(SamplingParams())
    return {
        name: value
        for name, value in msgspec.structs.asdict(params).items()
        if value != default[name]
    }


def test_without_options_nothing_differs_from_the_defaults() -> None:
    assert parsed() == SamplingParams()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("--strategy greedy", {"strategy": "greedy", "temperature": 0.0}),
        (
            "--strategy beam --beams 6 --length-penalty -0.5 --early-stop never",
            {"strategy": "beam", "beams": 6, "length_penalty": -0.5, "early_stop": "never"},
        ),
        ("--strategy beam --early-stop on", {"strategy": "beam", "early_stop": True}),
        ("--strategy contrastive", {"strategy": "contrastive", "top_k": 4}),
        (
            "--strategy contrastive --top-k 8 --penalty-alpha 0.4",
            {"strategy": "contrastive", "top_k": 8, "penalty_alpha": 0.4},
        ),
        ("--no-repeat-ngram 3", {"no_repeat_ngram": 3}),
        ("--logit-bias 5=-2.5 --logit-bias 7=1", {"logit_bias": ((5, -2.5), (7, 1.0))}),
        (
            DRY,
            {
                "dry_multiplier": 0.8,
                "dry_base": 2.0,
                "dry_allowed_length": 3,
                "dry_window": 64,
                "dry_breakers": (".", ","),
            },
        ),
        (
            "--xtc-probability 0.5 --xtc-threshold 0.2",
            {"xtc_probability": 0.5, "xtc_threshold": 0.2},
        ),
        (
            "--mirostat 2 --mirostat-tau 3 --mirostat-eta 0.2",
            {"mirostat": 2, "mirostat_tau": 3.0, "mirostat_eta": 0.2},
        ),
        ("--samples 4 --seed 7", {"samples": 4, "seed": 7}),
        ("--speculate prompt --draft-tokens 5", {"speculate": "prompt", "draft_tokens": 5}),
        ("--speculate some-model", {"speculate": "draft"}),
        ("--temperature 0 --top-p 0.5 --top-k 0", {"temperature": 0.0, "top_p": 0.5, "top_k": 0}),
    ],
)
def test_every_option_reaches_its_setting(words: str, expected: dict[str, Any]) -> None:
    assert changed(parsed(*words.split())) == expected


def test_beams_answer_on_the_native_engine_and_the_limits_of_the_model_are_named(
    tmp_path: Path,
) -> None:
    folder = tiny_llama(tmp_path / "tiny")
    words = ("run", folder, "Once", "--raw", "--json", "--max-tokens", 5, "--device", "cpu")
    said = real_cli(*words, "--strategy", "beam", "--beams", 3)
    assert said.status == 0, said.err
    assert said.events[-1]["event"] == "finished"
    said = real_cli(*words, "--logit-bias", "9999=1")
    assert said.status == 1
    assert "9999" in said.err


def test_samples_are_told_apart_and_each_can_be_drawn_again_by_its_seed(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tiny")
    words = ("run", folder, "Once", "--raw", "--device", "cpu", "--max-tokens", 6)
    words = (*words, "--temperature", 1)
    said = real_cli(*words, "--json", "--samples", 3, "--seed", 11)
    assert said.status == 0, said.err
    samples = said.events[-1]["samples"]
    assert [(one["sample"], one["seed"]) for one in samples] == [(0, 11), (1, 12), (2, 13)]
    for one in samples:
        tokens = [event for event in said.events if event.get("sample") == one["sample"]]
        assert one["text"] == "".join(token["text"] for token in tokens)
        alone = real_cli(*words, "--json", "--seed", one["seed"]).events[-1]
        assert (alone["text"], alone["reason"]) == (one["text"], one["reason"])
        assert "samples" not in alone
    printed = real_cli(*words, "--samples", 3, "--seed", 11).out
    shown = "\n".join(f"Sample {i + 1}, seed {11 + i}:\n{samples[i]['text']}\n" for i in range(3))
    assert printed == shown


def test_samples_without_a_draw_are_refused(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tiny")
    said = real_cli("run", folder, "Once", "--raw", "--samples", 2, "--temperature", 0)
    assert said.status == 1
    assert "alike" in said.err


def test_guesses_are_counted_and_change_nothing(tmp_path: Path) -> None:
    folder, small = tiny_llama(tmp_path / "tiny"), tiny_llama(tmp_path / "small", n_layers=1)
    words = ("run", folder, "a b a b a b a b a", "--raw", "--json", "--device", "cpu")
    words = (*words, "--temperature", 0, "--max-tokens", 30)
    plain = real_cli(*words).events[-1]
    assert "speculation" not in plain
    for how in ("prompt", small):
        said = real_cli(*words, "--speculate", how)
        assert said.status == 0, said.err
        end = said.events[-1]
        assert end["text"] == plain["text"]
        counted = end["speculation"]
        assert 0 <= counted["accepted_tokens"] <= counted["drafted_tokens"]
        assert counted["drafted_tokens"] > 0


def test_guessing_that_cannot_act_is_refused(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path / "tiny")
    words = ("run", folder, "Once", "--raw", "--device", "cpu")
    said = real_cli(*words, "--speculate", "prompt", "--strategy", "beam")
    assert said.status == 1
    assert "strategy beam" in said.err
    said = real_cli(*words, "--draft-tokens", 4)
    assert said.status == 1
    assert "--speculate" in said.err
    said = real_cli(*words, "--speculate", "no-such-model")
    assert said.status == 1
    assert "no-such-model" in said.err
