"""Products in int8: a quarter of float32's bytes to read per token, at a small cost in exactness.

Every row of a matrix is kept as whole numbers from -127 to 127 and one scale; what meets it is
rounded to 8 bits too, on the way. Norms, biases, and the sums between the products stay float32,
keys and values bfloat16. PyTorch multiplies such numbers on the processor only.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from inference.errors import BackendUnavailableError, InferenceError
from inference.native.device import int8_works
from inference.native.layers import Linear, Part, TransposedLinear
from inference.native.network import Network
from inference.native.weights import StoredRows, read_tensor

if TYPE_CHECKING:
    from inference.cancel import CancelToken
    from inference.engine import ProgressSink
    from inference.native.weights import Checkpoint

_LARGEST: Final = 127
_AT_ONCE: Final = 32_768  # numbers rounded at a time: they stay in the cache, and in one thread
_READ_AT_ONCE: Final = 8_388_608  # numbers of a file that are mapped at a time
_SMALLEST: Final = 1e-30  # in place of 0, which nothing can be divided by


class Int8Linear(Part):
    """A product whose matrix is kept in int8, one scale per output number.

    ``y = (X W_q^T) s_x s_w`` with ``W_q = round(W / s_w)``, ``s_w = max |row| / 127`` and X the
    input in 8 bits (Jacob et al. 2018, section 2.3; Dettmers et al. 2022, equation 5). Each
    position has a scale s_x of its own, so that one loud position does not drown the others.

    Args:
        weight: The matrix, (out, in), of any type, or its rows in a file.
        bias: Added afterwards, (out,).

    Raises:
        BackendUnavailableError: This PyTorch has no such products.
    """

    def __init__(self, weight: Tensor | StoredRows, bias: Tensor | None = None) -> None:
        super().__init__()
        check_available()
        n_out, self.n_in = weight.shape
        self.size_bytes = n_out * (self.n_in + 4)
        self._bias = None if bias is None else bias.float()
        self._packed = _packed(weight)
        # Without VNNI the products of full 8-bit numbers overflow in pairs.
        self._seven_bits = not torch.cpu._is_vnni_supported()  # noqa: SLF001  no public way

    def unpacked(self) -> Tensor:
        """Return a copy of the matrix, (out, in), as it is kept: its rows can be dequantized."""
        matrix: Tensor = torch.ops.quantized.linear_unpack(self._packed)[0]
        return matrix

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W^T + b``, float32: (B, T, in) to (B, T, out), or (in,) to (out,)."""
        if x.ndim == 1:  # the product takes no vector
            return self.forward(x[None])[0]
        wide = x.float()  # (B, T, in)
        if wide.numel() == self.n_in:  # one position: its range is that of the whole
            found: Tensor = torch.ops.quantized.linear_dynamic(wide, self._packed, self._seven_bits)
        else:
            scale = wide.abs().amax(-1, keepdim=True).clamp_min(_SMALLEST)  # (B, T, 1)
            found = torch.ops.quantized.linear_dynamic(wide / scale, self._packed, self._seven_bits)
            found = found * scale  # (B, T, out)
        return found if self._bias is None else found + self._bias


def load_int8_network(
    checkpoint: Checkpoint,
    progress: ProgressSink | None = None,
    cancel: CancelToken | None = None,
) -> Network:
    """Build the network with every product in int8, on the processor.

    The matrices go from the file into int8 one by one in every thread, a few rows at a time and the
    largest first, so that little more than the result is in memory at any time. Nothing is saved:
    most of the time goes into the order that the products want, which would be made anew. The
    embedding stays in the file, of which a token reads a row.

    Raises:
        BackendUnavailableError: This PyTorch has no such products.
        CorruptCheckpointError: A file cannot be read to its end.
        InferenceError: Loading was cancelled.
    """
    check_available()
    with torch.device("meta"):
        network = Network(checkpoint.config)
    stored = checkpoint.tensors

    def product(name: str) -> Int8Linear:
        if cancel is not None and cancel.cancelled:
            raise InferenceError("Loading was stopped.")
        weight = stored[f"{name}.weight"]
        bias = read_tensor(stored[f"{name}.bias"]) if f"{name}.bias" in stored else None
        if isinstance(network.get_submodule(name), TransposedLinear):
            return Int8Linear(read_tensor(weight).T, bias)
        return Int8Linear(StoredRows(weight), bias)

    done, total = 0, max(1, checkpoint.parameters)
    names = sorted(_matrices(network), key=lambda name: -stored[f"{name}.weight"].count)
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        for name, made in zip(names, pool.map(product, names), strict=True):
            if name == "token_embedding":  # a tied head is the same matrix once more, as a product
                network.output = made
            else:
                network.set_submodule(name, made)
            done += stored[f"{name}.weight"].count
            if progress is not None:
                progress(done / total)
    left = {name: read_tensor(stored[name]) for name in network.state_dict()}
    network.load_state_dict(
        {
            name: tensor if name == "token_embedding.weight" else tensor.float()
            for name, tensor in left.items()
        },
        assign=True,
    )
    network.dtype = torch.float32
    if progress is not None:
        progress(1.0)
    network.requires_grad_(requires_grad=False)
    return network.eval()


def int8_bytes(network: Network) -> int:
    """Return the memory of such a network's weights; the embedding's rows are left in the file."""
    products: int = sum(
        part.size_bytes for part in network.modules() if isinstance(part, Int8Linear)
    )
    rest: int = sum(
        tensor.nbytes
        for name, tensor in network.state_dict().items()
        if name != "token_embedding.weight"
    )
    return products + rest


def check_available() -> None:
    """Make sure that this PyTorch multiplies in int8.

    Raises:
        BackendUnavailableError: It does not.
    """
    if not int8_works():
        raise BackendUnavailableError(
            "This PyTorch cannot multiply in int8.", "Choose another type: auto or bfloat16."
        )
    with warnings.catch_warnings():
        # PyTorch announces once that tensors of this kind will go; its products still ask for one.
        warnings.filterwarnings("ignore", message=".*deprecated.*", category=UserWarning)
        _packed(torch.zeros(1, 1))


def _matrices(network: Network) -> list[str]:
    """Return the names of all products, and of the embedding where it is the output head too."""
    names = [
        name
        for name, part in network.named_modules()
        if isinstance(part, Linear | TransposedLinear)
    ]
    return ["token_embedding", *names] if network.config.tied_output else names


def _packed(weight: Tensor | StoredRows) -> torch.ScriptObject:
    """Return a matrix (out, in) in int8 and in the order the processor's products want."""
    packed: torch.ScriptObject = torch.ops.quantized.linear_prepack(_rounded(weight), None)
    return packed


def _rounded(weight: Tensor | StoredRows) -> Tensor:
    """Return a matrix (out, in) as whole numbers with a scale for each row."""
    n_out, n_in = weight.shape
    scales = torch.empty(n_out)  # (out,)
    rounded = torch.empty(n_out, n_in, dtype=torch.int8)  # (out, in)
    step = max(1, _AT_ONCE // n_in)
    many = max(1, _READ_AT_ONCE // n_in)
    for first in range(0, n_out, many):
        read = weight[first : first + many]  # (m, in)
        for place in range(0, len(read), step):
            rows = read[place : place + step].float()  # (n, in)
            here = slice(first + place, first + place + len(rows))
            scale = (rows.abs().amax(1) / _LARGEST).clamp_min(_SMALLEST)  # (n,)
            scales[here] = scale
            rounded[here] = (rows / scale[:, None]).round_()
    found: Tensor = torch._make_per_channel_quantized_tensor(  # noqa: SLF001  the only way in
        rounded, scales, torch.zeros(n_out, dtype=torch.long), 0
    )
    return found
