"""Weights from and to Hugging Face folders: safetensors, one file or several, memory-mapped.

Every tensor is accounted for by name and shape before a single weight is read. Pickle files
(``.bin``, ``.pt``) are never opened: reading one runs whatever program its author put inside.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from inference.errors import CorruptCheckpointError, InferenceError
from inference.library.checkpoint_folder import read_config, weight_files
from inference.native.config import NetworkConfig
from inference.native.config_reader import quantized_elsewhere
from inference.native.foreign import seen_form
from inference.native.names import full_name, hugging_face_name, is_constant
from inference.native.network import Network

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.engine import ProgressSink

_AGAIN = "Download the model again."
_DTYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """Where one tensor lies and what it is, known from its file's header."""

    file: Path
    name: str
    shape: tuple[int, ...]
    dtype_name: str

    @property
    def count(self) -> int:
        """Number of weights in it."""
        return _count(self.shape)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder whose tensors all fit its config; ``tensors`` is keyed by our names."""

    folder: Path
    config_json: dict[str, Any]
    config: NetworkConfig
    tensors: dict[str, StoredTensor]

    @property
    def dtype(self) -> torch.dtype:
        """The type of the first matrix, the token embedding."""
        return _DTYPES[self.tensors["token_embedding.weight"].dtype_name]

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(_count(tensor.shape) for tensor in self.tensors.values())


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read config and headers, and hold every tensor's name and shape against the network's.

    Raises:
        ModelNotFoundError: There is no such folder, or it has no config.json.
        CorruptCheckpointError: A file or tensor is missing, damaged, unknown or of another shape.
        UnsupportedArchitectureError: The native engine has no network for it.
    """
    config_json = read_config(folder)
    config = NetworkConfig.from_dict(config_json)
    with torch.device("meta"):  # shapes only, no memory
        shapes = {k: tuple(v.shape) for k, v in Network(config).state_dict().items()}
    ours_by_theirs = {hugging_face_name(ours, config): ours for ours in shapes}
    found: dict[str, StoredTensor] = {}
    listed = _stored_tensors(folder)
    if form := seen_form((stored.name, stored.dtype_name) for stored in listed):
        raise quantized_elsewhere(form)
    for stored in listed:
        theirs = full_name(stored.name, config)
        if theirs not in ours_by_theirs:
            if is_constant(theirs, config) or (theirs == "lm_head.weight" and config.tied_output):
                continue
            raise _corrupt(f"{stored.file.name} holds the tensor {stored.name}, unknown here")
        ours = ours_by_theirs[theirs]
        _check(stored, shapes[ours])
        if ours in found:
            raise _corrupt(f"the tensor {stored.name} is there twice")
        found[ours] = stored
    for theirs, ours in ours_by_theirs.items():
        if ours not in found:
            raise _corrupt(f"the tensor {theirs} is missing")
    ordered = {ours: found[ours] for ours in shapes}  # as in the network, whatever the files
    return Checkpoint(folder, config_json, config, ordered)


def load_network(
    checkpoint: Checkpoint,
    *,
    dtype: torch.dtype,
    device: torch.device,
    progress: ProgressSink | None = None,
    cancel: CancelToken | None = None,
) -> Network:
    """Build the network with its weights; on the CPU in their stored type they stay in the file.

    Raises:
        CorruptCheckpointError: A file cannot be read to its end.
        InferenceError: Loading was cancelled.
    """
    with torch.device("meta"):
        network = Network(checkpoint.config)
    weights: dict[str, Tensor] = {}
    done, total = 0, max(1, checkpoint.parameters)
    for file in sorted({tensor.file for tensor in checkpoint.tensors.values()}):
        with opened(file) as reader:
            for ours, stored in checkpoint.tensors.items():
                if stored.file != file:
                    continue
                if cancel is not None and cancel.cancelled:
                    raise InferenceError("Loading was stopped.")
                weights[ours] = reader.get_tensor(stored.name).to(device=device, dtype=dtype)
                done += _count(stored.shape)
                if progress is not None:
                    progress(done / total)
    network.load_state_dict(weights, assign=True)
    network.requires_grad_(requires_grad=False)
    return network.eval()


def read_tensor(stored: StoredTensor) -> Tensor:
    """Return one tensor as it lies in the file, mapped for as long as it is held.

    Raises:
        CorruptCheckpointError: The file cannot be read.
    """
    with opened(stored.file) as reader:
        tensor: Tensor = reader.get_tensor(stored.name)
    return tensor


class StoredRows:
    """A matrix in a file, of which a few rows are asked for at a time.

    Every answer maps the file anew: what a mapping has touched counts as memory until it is gone.
    """

    def __init__(self, stored: StoredTensor) -> None:
        self._stored = stored
        self.shape = stored.shape

    def __getitem__(self, rows: slice) -> Tensor:
        """Return some rows, (n, in).

        Raises:
            CorruptCheckpointError: The file cannot be read.
        """
        with opened(self._stored.file) as reader:
            found: Tensor = reader.get_slice(self._stored.name)[rows]
        return found


def to_hugging_face(state_dict: Mapping[str, Tensor], config: NetworkConfig) -> dict[str, Tensor]:
    """Return the same tensors under Hugging Face's names, for ``model.safetensors``."""
    return {hugging_face_name(ours, config): tensor for ours, tensor in state_dict.items()}


def save_checkpoint(
    network: Network,
    folder: Path,
    *,
    dtype: torch.dtype = torch.float32,
    config_extra: Mapping[str, Any] | None = None,
) -> None:
    """Write ``config.json`` and ``model.safetensors`` as other programs expect them.

    Args:
        network: What to save.
        folder: Made if absent; files of those names are replaced.
        dtype: Type the weights are stored in.
        config_extra: Further keys for config.json, such as ``bos_token_id``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: tensor.detach() for name, tensor in network.state_dict().items()}
    tensors = {
        name: tensor.to(device="cpu", dtype=dtype).contiguous()
        for name, tensor in to_hugging_face(state, network.config).items()
    }
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    described = network.config.to_dict() | {"dtype": str(dtype).removeprefix("torch.")}
    text = json.dumps(described | dict(config_extra or {}), indent=2) + "\n"
    (folder / "config.json").write_text(text, encoding="utf-8")


def _check(stored: StoredTensor, shape: tuple[int, ...]) -> None:
    if stored.dtype_name not in _DTYPES:
        raise _corrupt(f"the tensor {stored.name} is of the type {stored.dtype_name}")
    if stored.shape != shape:
        raise _corrupt(
            f"the tensor {stored.name} has the shape {stored.shape}, "
            f"where config.json asks for {shape}"
        )


def _count(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())


def _corrupt(what: str, detail: str = "") -> CorruptCheckpointError:
    return CorruptCheckpointError(f"The model's files cannot be used: {what}.", _AGAIN, detail)


def _stored_tensors(folder: Path) -> list[StoredTensor]:
    stored: list[StoredTensor] = []
    for file in weight_files(folder):
        with opened(file) as reader:
            for name in reader.keys():  # noqa: SIM118 - not a mapping
                piece = reader.get_slice(name)
                shape = tuple(piece.get_shape())
                stored.append(StoredTensor(file, name, shape, piece.get_dtype()))
    return stored


def opened(file: Path) -> Any:  # noqa: ANN401 - safetensors ships no types
    """Open a safetensors file, mapped; raises ``CorruptCheckpointError``."""
    try:
        return safe_open(file, framework="pt", device="cpu")
    except (SafetensorError, OSError, ValueError) as exc:
        raise _corrupt(f"{file.name} is damaged or cut short", str(exc)) from exc
