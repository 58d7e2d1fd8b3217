from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load_file, save_file

from inference.cancel import CancelToken
from inference.errors import CorruptCheckpointError, InferenceError, ModelNotFoundError
from inference.native.weights import load_network, open_checkpoint, save_checkpoint
from tests.helpers.checkpoints import tiny_gpt2, tiny_llama
from tests.inference.native.reference import random_ids, reference_network

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.native.network import Network

Tensors = dict[str, torch.Tensor]
NORM = "model.norm.weight"
UP = "model.layers.1.mlp.up_proj.weight"


def load(folder: Path, dtype: torch.dtype = torch.float32) -> Network:
    return load_network(open_checkpoint(folder), dtype=dtype, device=torch.device("cpu"))


def rewrite(folder: Path, change: Callable[[Tensors], None]) -> None:
    file = folder / "model.safetensors"
    tensors = {name: tensor.clone() for name, tensor in load_file(file).items()}
    change(tensors)
    file.unlink()
    save_file(tensors, file, metadata={"format": "pt"})


def logits(network: Network) -> torch.Tensor:
    with torch.inference_mode():
        found: torch.Tensor = network(random_ids(40))
    return found


@pytest.mark.parametrize("variant", ["llama, grouped heads, untied", "gpt2, tied"])
def test_a_checkpoint_in_parts_equals_the_whole(variant: str, tmp_path: Path) -> None:
    reference_network(tmp_path / "whole", variant)
    reference_network(tmp_path / "parts", variant, max_shard_size="20KB")
    assert len(list((tmp_path / "parts").glob("*.safetensors"))) > 2
    assert torch.equal(logits(load(tmp_path / "whole")), logits(load(tmp_path / "parts")))


def test_weights_have_the_type_asked_for_and_are_not_trained(tmp_path: Path) -> None:
    network = load(tiny_llama(tmp_path))
    changed = load(tmp_path, torch.bfloat16)
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert {p.dtype for p in changed.parameters()} == {torch.bfloat16}
    assert not any(p.requires_grad for p in network.parameters())


@pytest.mark.skipif(sys.platform != "linux", reason="memory maps are read from /proc")
def test_weights_of_the_stored_type_stay_in_the_file(tmp_path: Path) -> None:
    network = load(tiny_llama(tmp_path))
    maps = Path("/proc/self/maps").read_text().splitlines()
    ranges = [
        [int(end, 16) for end in line.split()[0].split("-")]
        for line in maps
        if line.endswith(str(tmp_path / "model.safetensors"))
    ]
    for parameter in network.parameters():
        assert any(start <= parameter.data_ptr() < end for start, end in ranges)


def test_progress_rises_to_one(tmp_path: Path) -> None:
    seen: list[float] = []
    checkpoint = open_checkpoint(tiny_llama(tmp_path))
    load_network(checkpoint, dtype=torch.float32, device=torch.device("cpu"), progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_cancelled_load_stops(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    checkpoint = open_checkpoint(tiny_llama(tmp_path))
    with pytest.raises(InferenceError, match="stopped"):
        load_network(checkpoint, dtype=torch.float32, device=torch.device("cpu"), cancel=cancel)


def test_the_number_of_parameters_is_counted(tmp_path: Path) -> None:
    checkpoint = open_checkpoint(tiny_gpt2(tmp_path))
    network = load(tmp_path)
    assert checkpoint.parameters == sum(p.numel() for p in network.parameters())


def _drop_norm(tensors: Tensors) -> None:
    del tensors[NORM]


def _add_stranger(tensors: Tensors) -> None:
    tensors["model.layers.0.self_attn.q_norm.weight"] = torch.ones(8)


def _turn_up(tensors: Tensors) -> None:
    tensors[UP] = tensors[UP].T.contiguous()


def _count_norm(tensors: Tensors) -> None:
    tensors[NORM] = tensors[NORM].to(torch.int64)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop_norm, f"the tensor {NORM} is missing"),
        (_add_stranger, "q_norm.weight, unknown here"),
        (_turn_up, f"{UP} has the shape (32, 64), where config.json asks for (64, 32)"),
        (_count_norm, f"{NORM} is of the type I64"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(
    change: Callable[[Tensors], None], said: str, tmp_path: Path
) -> None:
    rewrite(tiny_llama(tmp_path), change)
    with pytest.raises(CorruptCheckpointError) as caught:
        open_checkpoint(tmp_path)
    assert said in caught.value.message
    assert caught.value.hint


def test_more_layers_in_the_file_than_in_the_config_are_refused(tmp_path: Path) -> None:
    config = json.loads((tiny_llama(tmp_path) / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 1}))
    with pytest.raises(CorruptCheckpointError, match=r"model\.layers\.1\."):
        open_checkpoint(tmp_path)


def test_constants_and_the_copy_of_tied_weights_are_left_aside(tmp_path: Path) -> None:
    def add(tensors: Tensors) -> None:
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(4)
        tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"].clone()

    before = logits(load(tiny_llama(tmp_path / "a")))
    rewrite(tiny_llama(tmp_path / "b"), add)
    assert torch.equal(logits(load(tmp_path / "b")), before)


def test_gpt2_names_without_their_beginning_and_with_masks_are_understood(tmp_path: Path) -> None:
    def shorten(tensors: Tensors) -> None:
        for name in list(tensors):
            tensors[name.removeprefix("transformer.")] = tensors.pop(name)
        tensors["h.0.attn.bias"] = torch.ones(1, 1, 512, 512, dtype=torch.bool)
        tensors["h.0.attn.masked_bias"] = torch.tensor(-1e4)

    before = logits(load(tiny_gpt2(tmp_path / "a")))
    rewrite(tiny_gpt2(tmp_path / "b"), shorten)
    assert torch.equal(logits(load(tmp_path / "b")), before)


def test_pythia_files_old_and_new_are_understood(tmp_path: Path) -> None:
    def renew(tensors: Tensors) -> None:
        tensors["lm_head.weight"] = tensors.pop("embed_out.weight")

    def age(tensors: Tensors) -> None:
        layer = "gpt_neox.layers.0.attention"
        tensors[f"{layer}.bias"] = torch.ones(1, 1, 64, 64, dtype=torch.bool)
        tensors[f"{layer}.masked_bias"] = torch.tensor(-1e9)
        tensors[f"{layer}.rotary_emb.inv_freq"] = torch.ones(4)

    reference_network(tmp_path, "gpt_neox")
    before = logits(load(tmp_path))
    for change in (age, renew):
        rewrite(tmp_path, change)
        assert torch.equal(logits(load(tmp_path)), before)


@pytest.mark.parametrize("kept", [0, 4, 100, 5000, -1])
def test_a_file_cut_short_is_refused(kept: int, tmp_path: Path) -> None:
    file = tiny_llama(tmp_path) / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(CorruptCheckpointError, match="damaged or cut short"):
        open_checkpoint(tmp_path)


def test_garbage_in_place_of_weights_is_refused(tmp_path: Path) -> None:
    tiny_llama(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(bytes(range(256)) * 40)
    with pytest.raises(CorruptCheckpointError, match="damaged or cut short"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt"])
def test_pickle_files_are_refused_unopened(name: str, tmp_path: Path) -> None:
    (tiny_llama(tmp_path) / "model.safetensors").unlink()
    (tmp_path / name).write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")
    with pytest.raises(CorruptCheckpointError) as caught:
        open_checkpoint(tmp_path)
    assert name in caught.value.message
    assert "can run any program" in caught.value.message
    assert "safetensors" in caught.value.hint


def test_a_folder_without_weights_says_so(tmp_path: Path) -> None:
    (tiny_llama(tmp_path) / "model.safetensors").unlink()
    with pytest.raises(CorruptCheckpointError, match="has no weights"):
        open_checkpoint(tmp_path)


def test_a_folder_without_config_says_so(tmp_path: Path) -> None:
    (tiny_llama(tmp_path) / "config.json").unlink()
    with pytest.raises(ModelNotFoundError, match=r"has no config\.json"):
        open_checkpoint(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "\udcff", "[" * 100_000])
def test_a_damaged_config_says_so(text: str, tmp_path: Path) -> None:
    tiny_llama(tmp_path)
    (tmp_path / "config.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(CorruptCheckpointError, match=r"config\.json"):
        open_checkpoint(tmp_path)


def test_a_missing_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match=r"no folder .*nowhere"):
        open_checkpoint(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("index", "said"),
    [
        ({"weight_map": {}}, "lists no weights"),
        ({"weight_map": {"a": "../../secret.safetensors"}}, "no file of this folder"),
        ({"weight_map": {"a": "weights.bin"}}, "no file of this folder"),
        (
            {"weight_map": {"a": "model-1-of-2.safetensors"}},
            "model-1-of-2.safetensors of 1",
        ),
    ],
)
def test_an_index_that_cannot_be_followed_says_so(
    index: dict[str, object], said: str, tmp_path: Path
) -> None:
    tiny_llama(tmp_path)
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(CorruptCheckpointError) as caught:
        open_checkpoint(tmp_path)
    assert said in caught.value.message


def test_saving_keeps_every_weight(tmp_path: Path) -> None:
    network = load(
        tiny_llama(
            tmp_path / "a", tied_output=False, attention_bias=True, attention_output_bias=True
        )
    )
    save_checkpoint(network, tmp_path / "b", config_extra={"eos_token_id": 2})
    again = load(tmp_path / "b").state_dict()
    assert all(torch.equal(tensor, again[name]) for name, tensor in network.state_dict().items())
    assert json.loads((tmp_path / "b" / "config.json").read_text())["eos_token_id"] == 2


def test_half_precision_is_stored_as_asked(tmp_path: Path) -> None:
    tiny_llama(tmp_path, dtype="float16")
    assert open_checkpoint(tmp_path).dtype == torch.float16
