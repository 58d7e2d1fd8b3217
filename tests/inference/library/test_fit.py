from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import UnsupportedRequestError
from inference.library.fit import Plan, bytes_on_gpu, judge, judge_by_size, rate
from inference.library.machine import (
    Gpu,
    Machine,
    measure_bandwidth,
    memory_bandwidth,
    this_machine,
)
from inference.library.memory_shape import MemoryShape
from inference.library.quality import quality_of, rough_bytes, version_in

if TYPE_CHECKING:
    from pathlib import Path

QWEN_4B = MemoryShape(36, 40_960, 151_936, 2560, 9728, 32, 2 * 36 * 8 * 128)
PLAN = Plan("gguf", QWEN_4B, 2_500_000_000, 4_022_468_096, 8_192)
GB = 10**9


def gpu(free_gb: float, *, shares_memory: bool = False) -> tuple[Gpu, ...]:
    return (Gpu("CUDA: card", round(free_gb * GB), 8 * GB, shares_memory),)


def test_what_the_gpu_holds_fits_on_the_gpu() -> None:
    fit = judge(PLAN, Machine(10 * GB, 16 * GB, gpu(7.1), 40e9))
    assert (fit.verdict, fit.words) == ("gpu", "Fits on the GPU")
    assert fit.gpu_layers == fit.layers == 37
    assert fit.memory is not None
    assert fit.memory.kv_cache_bytes == 8_192 * 147_456  # 147 kB a token
    assert fit.stays_free_bytes > 2 * GB


def test_a_small_gpu_takes_some_layers() -> None:
    fit = judge(PLAN, Machine(10 * GB, 16 * GB, gpu(3.0), 40e9))
    assert fit.verdict == "partly"
    assert 0 < fit.gpu_layers < 37
    assert fit.words == f"{fit.gpu_layers} of 37 layers on the GPU"


# Measured with packaging/benchmarks/gguf_gpu.py on an NVIDIA H100: layers placed, and MiB of the
# card that llama.cpp took for the 1-billion shape in Q4_K_M, less CUDA's own 609.
@pytest.mark.parametrize(("layers", "measured"), [(8, 594), (9, 635), (16, 923), (17, 954)])
def test_what_layers_take_of_a_card_is_foretold_within_a_twentieth(
    layers: int, measured: int
) -> None:
    shape = MemoryShape(16, 131_072, 128_256, 2048, 8192, 32, 2 * 16 * 8 * 64)
    plan = Plan("gguf", shape, 799_900_000, 1_235_814_400, 4_096, output_bytes=215_470_080)
    assert bytes_on_gpu(plan, layers) / (1 << 20) == pytest.approx(measured, rel=0.05)


def test_the_embedding_stays_off_the_card_where_the_output_is_another_matrix() -> None:
    apart = Plan("gguf", QWEN_4B, 2_500_000_000, 0, 8_192, "f16", 300_000_000, 200_000_000)
    tied = Plan("gguf", QWEN_4B, 2_500_000_000, 0, 8_192, "f16", 300_000_000)
    less = bytes_on_gpu(tied, 37) - bytes_on_gpu(apart, 37)
    assert less == pytest.approx(200_000_000, abs=100)
    assert bytes_on_gpu(apart, 0) == 0


def test_without_a_gpu_the_speed_follows_from_the_memory() -> None:
    fit = judge(PLAN, Machine(10 * GB, 16 * GB, (), 20e9))
    assert fit.verdict == "processor"
    assert fit.tokens_per_s == pytest.approx(0.7 * 20 / 2.5)
    assert fit.words == "Processor, about 6 tokens/s"
    unmeasured = judge(PLAN, Machine(10 * GB, 16 * GB))
    assert unmeasured.words == "Runs on the processor"


def test_what_is_too_large_says_by_how_much() -> None:
    fit = judge(PLAN, Machine(1 * GB, 16 * GB))
    assert fit.verdict == "too_large"
    assert fit.memory is not None
    assert fit.over_bytes > fit.memory.total_bytes - 1 * GB
    assert fit.words == f"Too large by {fit.over_bytes / GB:.1f} GB"
    assert not fit.runs


def test_a_longer_context_or_a_wider_cache_needs_more() -> None:
    machine = Machine(10 * GB, 16 * GB)

    def total(n_ctx: int, kv: str) -> int:
        plan = Plan("gguf", QWEN_4B, 2_500_000_000, 0, n_ctx, kv)
        memory = judge(plan, machine).memory
        assert memory is not None
        return memory.total_bytes

    assert total(2_048, "f16") < total(8_192, "f16") < total(40_960, "f16")
    assert total(8_192, "q4_0") < total(8_192, "q8_0") < total(8_192, "f16")


def test_a_gpu_without_memory_of_its_own_makes_no_room() -> None:
    shared = judge(PLAN, Machine(3 * GB, 8 * GB, gpu(7.1, shares_memory=True)))
    own = judge(PLAN, Machine(3 * GB, 8 * GB, gpu(7.1)))
    assert shared.verdict == "too_large"
    assert own.verdict == "gpu"


def test_the_native_engine_holds_large_bfloat16_as_it_is_and_the_rest_wider() -> None:
    machine = Machine(30 * GB, 32 * GB)
    large = judge(Plan("native", QWEN_4B, 8_044_936_192, 4_022_468_096), machine).memory
    small = judge(Plan("native", QWEN_4B, 269_060_552, 134_515_008), machine).memory
    assert large is not None
    assert small is not None
    assert large.weights_bytes == 2 * 4_022_468_096
    assert small.weights_bytes == 4 * 134_515_008


def test_of_a_mixture_of_experts_only_the_used_ones_slow_it_down() -> None:
    dense = MemoryShape(24, 8_192, 200_000, 2_880, 11_520, 64, 2 * 24 * 8 * 64)
    moe = MemoryShape(24, 8_192, 200_000, 2_880, 11_520, 64, 2 * 24 * 8 * 64, 0, 32, 4)
    machine = Machine(30 * GB, 32 * GB, (), 40e9)
    slow = judge(Plan("gguf", dense, 12 * GB), machine).tokens_per_s
    quick = judge(Plan("gguf", moe, 12 * GB), machine).tokens_per_s
    assert quick > 3 * slow


def test_what_is_not_known_is_not_judged() -> None:
    machine = Machine(10 * GB, 16 * GB)
    blank = MemoryShape(0, 0, 0, 0, 0, 1, 0)
    assert judge(Plan("gguf", blank, GB), machine).verdict == "unknown"
    assert judge(Plan("gguf", QWEN_4B, 0), machine).words == "Size not known yet"
    assert judge_by_size(0, machine).verdict == "unknown"
    with pytest.raises(UnsupportedRequestError):
        judge(Plan("gguf", QWEN_4B, GB, kv_cache_type="q3_0"), machine)


@given(
    free=st.integers(0, 64 * GB),
    on_gpu=st.integers(0, 64 * GB),
    weights=st.integers(1, 40 * GB),
    n_ctx=st.integers(1, 200_000),
)
def test_more_memory_never_makes_a_fit_worse(
    free: int, on_gpu: int, weights: int, n_ctx: int
) -> None:
    rank = {"gpu": 0, "partly": 1, "processor": 2, "too_large": 3}
    plan = Plan("gguf", QWEN_4B, weights, 0, n_ctx)

    def verdict(main: int, card: int) -> int:
        return rank[judge(plan, Machine(main, main, (Gpu("g", card, card),))).verdict]

    now = verdict(free, on_gpu)
    assert verdict(free + GB, on_gpu) <= now
    assert verdict(free + GB, on_gpu + GB) <= now


def test_the_memory_speed_is_measured_once_and_remembered(tmp_path: Path) -> None:
    first = memory_bandwidth(tmp_path)
    assert 1e8 < first < 1e13
    assert memory_bandwidth(tmp_path) >= first  # measured again only if this computer was busy
    assert this_machine(tmp_path, measure=False).bandwidth_bytes_per_s >= first
    (tmp_path / "memory-speed.json").write_text("{broken")
    assert this_machine(tmp_path, measure=False).bandwidth_bytes_per_s == 0.0
    assert measure_bandwidth(threads=1, piece_bytes=1 << 20) > 1e8


def test_this_machine_has_memory() -> None:
    machine = this_machine()
    assert 0 < machine.free_bytes <= machine.total_bytes


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("Qwen3-4B-Q4_K_M.gguf", "Q4_K_M"),
        ("qwen2.5-0.5b-instruct-q4_k_m-00001-of-00002.gguf", "Q4_K_M"),
        ("Qwen3-4B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("gemma-4-E2B_q4_0-it.gguf", "Q4_0"),
        ("model.IQ2_XXS.gguf", "IQ2_XXS"),
        ("Model-fp16.gguf", "F16"),
        ("gpt2.Q8_0.gguf", "Q8_0"),
        ("Qwen3-0.6B-Base.gguf", ""),
    ],
)
def test_the_version_is_read_from_the_file_name(name: str, version: str) -> None:
    assert version_in(name) == version


def test_quality_is_said_in_words_and_grows_with_the_bits() -> None:
    assert quality_of("Q4_K_M").words == "Good"
    assert quality_of("Q8_0").words == "No loss to notice"
    assert quality_of("ud-q4_k_xl").words == "Good"
    assert quality_of("bfloat16").words == "The original"
    assert quality_of("Z9").words == "Not known"
    ranks = [quality_of(name).rank for name in ("Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K")]
    assert ranks == sorted(ranks)
    assert rough_bytes(4_022_468_096, "Q4_K_M") == pytest.approx(2.5e9, rel=0.03)
    assert rough_bytes(0, "Q4_K_M") is None


def test_speeds_are_written_with_as_much_as_is_known() -> None:
    assert [rate(value) for value in (0.04, 1.23, 6.4, 41.7, 5976)] == [
        "about 0.1 tokens/s",
        "about 1.2 tokens/s",
        "about 6 tokens/s",
        "about 42 tokens/s",
        "over 100 tokens/s",
    ]
