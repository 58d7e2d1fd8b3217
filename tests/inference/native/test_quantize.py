from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

from inference.cancel import CancelToken
from inference.errors import BackendUnavailableError, InferenceError, UnsupportedRequestError
from inference.native.device import choose_precision
from inference.native.quantize import Int8Linear, int8_bytes, load_int8_network
from inference.native.tokenizer import CheckpointTokenizer
from inference.native.weights import load_network, open_checkpoint
from tests.helpers.assets import asset
from tests.helpers.checkpoints import tiny_gpt2, tiny_llama
from tests.inference.native.answers import events, ids_of, opened, request
from tests.inference.native.reference import VARIANTS, random_ids, reference_network

if TYPE_CHECKING:
    from inference.native.network import Network

CPU = torch.device("cpu")
REPO = Path(__file__).resolve().parents[3]
STARTER = REPO / "resources" / "starter"


def matrix(n_out: int, n_in: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(n_out, n_in, generator=torch.Generator().manual_seed(seed))


@torch.inference_mode()
@pytest.mark.parametrize("count", [1, 2, 7])
def test_a_product_is_within_what_8_bits_allow(count: int) -> None:
    weight, x = matrix(64, 96), matrix(count, 96, 1)[None]
    found, exact = Int8Linear(weight)(x), x @ weight.T
    # Rounding errors are even: s / sqrt(12) each, of weights and inputs, over 96 products.
    noise = math.sqrt(96 * 2 / 12) * 3 / 127 * 2
    assert (found - exact).std() < noise
    assert torch.corrcoef(torch.stack((found.flatten(), exact.flatten())))[0, 1] > 0.999


@torch.inference_mode()
def test_a_loud_position_does_not_drown_the_others() -> None:
    weight, x = matrix(64, 96), matrix(3, 96, 1)[None]
    alone = Int8Linear(weight)(x)
    x[0, 1] *= 1000
    beside = Int8Linear(weight)(x)
    torch.testing.assert_close(beside[:, ::2], alone[:, ::2])


@torch.inference_mode()
def test_rows_have_scales_of_their_own_and_zeros_stay_zero() -> None:
    weight = matrix(4, 32)
    weight[0] *= 1e4
    weight[2] = 0
    x = matrix(1, 32, 1)[None]
    found, exact = Int8Linear(weight)(x)[0, 0], (x @ weight.T)[0, 0]
    assert found[2] == 0
    assert ((found - exact).abs() / weight.abs().amax(1).clamp_min(1)).max() < 0.2
    assert not Int8Linear(weight)(torch.zeros(1, 2, 32)).any()


@torch.inference_mode()
def test_a_bias_is_added_whole() -> None:
    weight, bias = matrix(8, 16), torch.full((8,), 1e5)
    for count in (1, 3):
        x = matrix(count, 16)[None]
        torch.testing.assert_close(
            Int8Linear(weight, bias)(x), Int8Linear(weight)(x) + bias, atol=1e-2, rtol=0
        )


@torch.inference_mode()
@pytest.mark.parametrize("variant", VARIANTS)
def test_every_family_says_nearly_the_same_in_int8(variant: str, tmp_path: Path) -> None:
    reference_network(tmp_path, variant)
    checkpoint = open_checkpoint(tmp_path)
    exact = load_network(checkpoint, dtype=torch.float32, device=CPU)(random_ids(60))
    rounded = load_int8_network(checkpoint)(random_ids(60))
    likeness = torch.nn.functional.cosine_similarity(exact, rounded, dim=-1)
    assert rounded.dtype == torch.float32
    assert likeness.mean() > 0.98


@pytest.mark.parametrize("make", [tiny_llama, tiny_gpt2])
def test_the_engine_answers_in_int8(make: Any, tmp_path: Path) -> None:
    engine = opened(make(tmp_path), dtype="int8")
    loaded = engine.loaded
    assert loaded.dtype == "int8"
    assert loaded.weights_bytes == int8_bytes(engine.network)
    assert loaded.kv_cache_bytes == 2 * 2 * loaded.n_layers * 512 * (
        16 if make is tiny_llama else 32
    )
    first = ids_of(events(engine, request(text="The sky")))
    assert len(first) > 0
    engine.close()
    again = opened(tmp_path, dtype="int8")
    assert ids_of(events(again, request(text="The sky"))) == first
    again.close()


def test_progress_rises_to_one_and_a_cancelled_load_stops(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny_llama(tmp_path))
    seen: list[float] = []
    load_int8_network(checkpoint, seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(InferenceError, match="stopped"):
        load_int8_network(checkpoint, None, cancel)


@pytest.mark.skipif(sys.platform != "linux", reason="memory maps are read from /proc")
def test_only_the_embedding_stays_in_the_file(tmp_path: Path) -> None:
    network = load_int8_network(open_checkpoint(tiny_llama(tmp_path, dtype="bfloat16")))
    maps = Path("/proc/self/maps").read_text().splitlines()
    mapped = [line for line in maps if line.endswith(str(tmp_path / "model.safetensors"))]
    assert len({line.split()[5] for line in mapped}) == 1
    assert network.token_embedding.weight.dtype == torch.bfloat16
    assert {p.dtype for name, p in network.named_parameters() if "norm" in name} == {torch.float32}


def test_a_matrix_read_a_few_rows_at_a_time_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference_network(tmp_path, "llama, grouped heads, untied")
    checkpoint, ids = open_checkpoint(tmp_path), random_ids(9)
    with torch.inference_mode():
        whole = load_int8_network(checkpoint)(ids)
        monkeypatch.setattr("inference.native.quantize._READ_AT_ONCE", 5 * 48)
        assert torch.equal(load_int8_network(checkpoint)(ids), whole)


def test_a_gpu_refuses_int8_by_name() -> None:
    with pytest.raises(UnsupportedRequestError, match="int8"):
        choose_precision("int8", torch.bfloat16, 1, torch.device("cuda"))


def test_a_pytorch_without_such_products_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch._C, "_get_qengine", lambda: 0)
    assert torch.backends.quantized.engine == "none"
    with pytest.raises(BackendUnavailableError, match="int8"):
        load_int8_network(open_checkpoint(tiny_llama(tmp_path)))


def perplexity(network: Network, ids: list[int]) -> float:
    losses = []
    with torch.inference_mode():
        for start in range(0, len(ids) - 1, 256):
            part = torch.tensor([ids[start : start + 257]])
            logits = network(part[:, :-1])[0].float()
            losses.append(torch.nn.functional.cross_entropy(logits, part[0, 1:], reduction="sum"))
    return math.exp(sum(float(loss) for loss in losses) / (len(ids) - 1))


def cost(folder: Path, text: str) -> tuple[float, float]:
    checkpoint = open_checkpoint(folder)
    ids = CheckpointTokenizer(folder, checkpoint.config_json).encode(text)
    assert len(ids) > 1000
    exact = perplexity(load_network(checkpoint, dtype=torch.float32, device=CPU), ids)
    return exact, perplexity(load_int8_network(checkpoint), ids)


@pytest.mark.parametrize("name", ["starter-base", "starter-instruct"])
def test_int8_costs_the_starter_models_little(name: str) -> None:
    exact, rounded = cost(STARTER / name, (REPO / "CONTRIBUTING.md").read_text("utf-8"))
    assert rounded < 1.01 * exact
    assert rounded != exact


def test_int8_costs_a_model_of_others_little_on_a_text_of_others() -> None:
    text = asset("corpus/aesop.txt").read_text("utf-8")[:12_000]
    exact, rounded = cost(asset("stories260K-hf"), text)
    assert rounded < 1.02 * exact
