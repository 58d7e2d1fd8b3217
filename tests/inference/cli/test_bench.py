from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from inference.host.report import CardSpeed
from tests.helpers.checkpoints import tiny_llama
from tests.inference.cli.conftest import real_cli

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.inference.cli.conftest import Outcome


def test_speeds_and_memory_are_measured(instruct: Path) -> None:
    words = ("--prompt-tokens", 32, "--tokens", 8, "--repeat", 2)
    said = real_cli("bench", instruct, *words, "--json")
    assert said.status == 0, said
    value = json.loads(said.out)
    assert value["prompt_tokens"] == 32
    assert 2 <= value["completion_tokens"] <= 8
    assert len(value["prompt_runs"]) == len(value["decode_runs"]) == 2
    assert min(value["prompt_runs"]) <= value["prompt_tokens_per_s"] <= max(value["prompt_runs"])
    assert value["decode_tokens_per_s"] > 0
    assert value["peak_memory_bytes"] >= value["memory_bytes"] * 0.8 > 10 << 20
    assert value["load_s"] > 0
    assert value["memory_bandwidth_bytes_per_s"] > 1e8
    reads = value["decode_tokens_per_s"] * value["weights_bytes"]
    assert value["weights_read_bytes_per_s"] == pytest.approx(reads)
    share = reads / value["memory_bandwidth_bytes_per_s"]
    assert value["bandwidth_share"] == pytest.approx(share)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
def test_the_native_engine_is_measured_too_in_the_type_asked_for(
    tmp_path: Path, dtype: str
) -> None:
    folder = tiny_llama(tmp_path / "tiny-model")
    words = ("--prompt-tokens", 8, "--tokens", 4, "--repeat", 1, "--dtype", dtype, "--json")
    said = real_cli("bench", folder, *words)
    assert said.status == 0, said
    value = json.loads(said.out)
    assert (value["engine"], value["dtype"]) == ("native", dtype)
    assert value["decode_tokens_per_s"] > 0


def test_figures_for_people_are_a_table(instruct: Path) -> None:
    said = real_cli("bench", instruct, "--prompt-tokens", 8, "--tokens", 4, "--repeat", 1)
    assert "tokens/s" in said.out
    assert "KV cache at full context" in said.out
    assert "that the memory gives" in said.out


def test_a_context_too_short_to_measure_in_is_a_sentence(instruct: Path) -> None:
    said = real_cli("bench", instruct, "--context", 8)
    assert said.status == 1
    assert "too short to measure" in said.err


def test_a_model_on_a_card_is_measured_against_the_cards_memory(
    instruct: Path, fake_cli: Callable[..., Outcome], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def measured(card: str) -> CardSpeed:
        asked.append(card)
        return CardSpeed(2e12)

    monkeypatch.setattr("inference.cli.bench.ask_card_speed", measured)
    words = ("--tokens", 8, "--prompt-tokens", 8, "--repeat", 1)
    script = "device=CUDA: A Card,gpu_layers=2"
    said = fake_cli("bench", instruct, *words, script=script)
    assert asked == ["CUDA: A Card"]
    assert "of the 2000.0 that a large copy on the card moves" in said.out


@pytest.mark.parametrize(
    ("layers", "why"),
    [
        (1, "the weights are in two memories, the card's and the processor's"),
        (2, "PyTorch measures it, and does not reach Vulkan: A Card"),
    ],
)
def test_where_a_cards_memory_cannot_be_measured_the_reason_is_told(
    instruct: Path, fake_cli: Callable[..., Outcome], layers: int, why: str
) -> None:
    words = ("--tokens", 8, "--prompt-tokens", 8, "--repeat", 1)
    script = f"device=Vulkan: A Card,gpu_layers={layers}"
    said = fake_cli("bench", instruct, *words, script=script)
    assert f"what the memory gives is not known: {why}" in said.out
    value = json.loads(fake_cli("bench", instruct, *words, "--json", script=script).out)
    assert value["bandwidth_share"] is None
    assert value["bandwidth_problem"] == why
