"""What only an NVIDIA GPU can show; skipped, with the reason, where there is none.

GLASSHOUSE_TEST_GPU=1 python -m pytest tests/inference/native/test_cuda.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import UnsupportedRequestError
from inference.native.compiled import NotCompiledError
from inference.native.scaling import DynamicScaling, LongRopeScaling
from inference.native.session import Session
from inference.native.weights import load_network, open_checkpoint
from inference.types import SamplingParams
from tests.helpers.checkpoints import tiny_llama
from tests.inference.native.answers import end_of, events, ids_of, opened, request
from tests.inference.native.reference import VARIANTS, random_ids, reference_network

if TYPE_CHECKING:
    from pathlib import Path

    from inference.native.network import Network

pytestmark = [
    pytest.mark.skipif(
        not torch.cuda.is_available(),
        reason="PyTorch sees no NVIDIA GPU; GLASSHOUSE_TEST_GPU=1 shows it one that is here",
    ),
    # PyTorch's code generator imports parts of PyTorch that PyTorch calls out of date.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]
CPU, CUDA = torch.device("cpu"), torch.device("cuda")
LENGTH = 200
FEW = ["llama, grouped heads, untied", "gpt2, tied", "gemma2", "gemma3", "mistral, window"]


@pytest.fixture(autouse=True)
def _fresh_compiler() -> None:
    torch.compiler.reset()


def networks(folder: Path, variant: str) -> tuple[Network, Network]:
    """Return the same network on the processor and on the GPU, float32."""
    reference_network(folder, variant)
    checkpoint = open_checkpoint(folder)
    on_cpu, on_gpu = (
        load_network(checkpoint, dtype=torch.float32, device=device) for device in (CPU, CUDA)
    )
    return on_cpu, on_gpu


def greedy(session: Session, prompt: list[int], count: int) -> list[int]:
    """As the engine goes: the GPU begins with the likeliest token before it is looked at."""
    kept = session.reuse(prompt)
    list(session.prefill(prompt[kept:], CancelToken()))
    found = []
    for _ in range(count):
        session.begin(None)
        found.append(int(session.next_logits().argmax()))
        session.read(found[-1:], CancelToken())
    return found


@pytest.mark.parametrize("variant", VARIANTS)
@torch.inference_mode()
def test_logits_and_greedy_tokens_equal_the_processors(variant: str, tmp_path: Path) -> None:
    on_cpu, on_gpu = networks(tmp_path, variant)
    ids = random_ids(LENGTH)
    torch.testing.assert_close(on_gpu(ids.to(CUDA)).cpu(), on_cpu(ids), atol=1e-4, rtol=0)
    prompt = ids[0, :9].tolist()
    expected = greedy(Session(on_cpu, 128, torch.float32, CPU), prompt, 64)
    assert greedy(Session(on_gpu, 128, torch.float32, CUDA), prompt, 64) == expected


@pytest.mark.parametrize("variant", VARIANTS)
def test_recorded_steps_equal_the_ordinary_ones(variant: str, tmp_path: Path) -> None:
    _, network = networks(tmp_path, variant)
    plain, recorded = (Session(network, 240, torch.float32, CUDA) for _ in range(2))
    if isinstance(network.config.rope_scaling, DynamicScaling | LongRopeScaling):
        with pytest.raises(NotCompiledError, match="length of the text"):
            recorded.compile(None)
        return
    recorded.compile(None)
    compare(plain, recorded)


@pytest.mark.parametrize("variant", FEW)
def test_compiled_steps_equal_the_ordinary_ones(variant: str, tmp_path: Path) -> None:
    _, network = networks(tmp_path, variant)
    plain, compiled = (Session(network, 240, torch.float32, CUDA) for _ in range(2))
    compiled.compile()
    compare(plain, compiled)


def compare(plain: Session, other: Session) -> None:
    for length in (130, 40):  # past the windows; then over what the longer text left behind
        ids = random_ids(length)[0].tolist()
        for session in (plain, other):
            session.reuse(ids, 0)
            session.read(ids[:-5], CancelToken())
        for token in ids[-5:]:
            for session in (plain, other):
                session.read([token], CancelToken())
            torch.testing.assert_close(other.next_logits(), plain.next_logits(), atol=1e-4, rtol=0)
    prompt = random_ids(9)[0].tolist()
    expected = greedy(plain, prompt, 64)
    assert greedy(other, prompt, 64) == expected
    longer = [*prompt, *expected, 5, 6]
    assert greedy(other, longer, 10) == greedy(plain, longer, 10)


def test_what_was_begun_is_dropped_where_another_token_was_chosen(tmp_path: Path) -> None:
    _, network = networks(tmp_path, "llama, tied")
    plain, recorded = (Session(network, 128, torch.float32, CUDA) for _ in range(2))
    recorded.compile(None)
    ids = random_ids(60)[0].tolist()
    for session in (plain, recorded):
        session.read(ids[:20], CancelToken())
    for token in ids[20:]:
        recorded.begin(None)  # a guess, wrong most of the time
        for session in (plain, recorded):
            session.read([token], CancelToken())
        torch.testing.assert_close(recorded.next_logits(), plain.next_logits(), atol=1e-4, rtol=0)


def test_the_room_looked_at_grows_with_the_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inference.native.layer_cache._FIRST_ROOM", 16)
    _, network = networks(tmp_path, "llama, tied")
    plain, recorded = (Session(network, 100, torch.float32, CUDA) for _ in range(2))
    recorded.compile(None)
    prompt = random_ids(9)[0].tolist()
    assert greedy(recorded, prompt, 91) == greedy(plain, prompt, 91)  # to the last place


@pytest.mark.parametrize(
    "params",
    [
        SamplingParams(temperature=0.0, max_tokens=24),
        SamplingParams(temperature=0.0, repeat_penalty=1.4, max_tokens=24),
        SamplingParams(temperature=0.8, top_p=0.9, seed=7, max_tokens=24),
        SamplingParams(strategy="beam", beams=3, max_tokens=12),
        SamplingParams(strategy="contrastive", top_k=4, max_tokens=12),
        SamplingParams(temperature=0.8, seed=7, samples=3, max_tokens=12),
        SamplingParams(temperature=0.0, speculate="prompt", max_tokens=24),
    ],
    ids=["greedy", "penalties", "sampled", "beam", "contrastive", "samples", "guesses"],
)
def test_every_way_to_decode_gives_the_processors_answer(
    params: SamplingParams, tmp_path: Path
) -> None:
    folder = tiny_llama(tmp_path)
    found = []
    for options in (
        {"device": "cpu"},
        {"device": "cuda"},
        {"device": "cuda", "compile": "on"},
        {"device": "cuda", "compile": "off"},
    ):
        engine = opened(folder, dtype="float32", **options)
        answer = events(engine, request(text="The sky is blue", sampling=params))
        assert end_of(answer).usage.completion_tokens > 0
        found.append(ids_of(answer))
        engine.close()
    assert found[1:] == found[:1] * 3


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_short_types_work_compiled(dtype: str, tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path), device="cuda", dtype=dtype, compile="on")
    assert engine.loaded.dtype == dtype
    assert engine.loaded.device.startswith("CUDA: ")
    assert engine.loaded.device_reason.endswith("It reads single tokens compiled.")
    answer = events(engine, request(text="The sky"))
    assert end_of(answer).usage.completion_tokens > 0
    engine.close()


def test_a_small_network_is_recorded_and_not_compiled(tmp_path: Path) -> None:
    engine = opened(tiny_llama(tmp_path), device="cuda")
    said = "It reads single tokens recorded, without being compiled, because it is small."
    assert engine.loaded.device_reason.endswith(said)
    engine.close()


def test_int8_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRequestError, match="int8 on the processor only"):
        opened(tiny_llama(tmp_path), device="cuda", dtype="int8")


def test_closing_gives_the_memory_back(tmp_path: Path) -> None:
    folder = tiny_llama(tmp_path, width=1024, mlp_width=4096, n_heads=8, head_width=128)
    torch.cuda.empty_cache()
    before = torch.cuda.memory_reserved()
    engine = opened(folder, device="cuda", dtype="float32")
    events(engine, request(text="The sky"))
    taken = torch.cuda.memory_reserved() - before
    engine.close()
    assert taken > engine.loaded.weights_bytes
    assert torch.cuda.memory_reserved() - before < taken / 4
