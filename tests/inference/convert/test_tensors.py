"""The order of rows, and how much is in memory at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from inference.convert.tensors import PlannedTensor, plan_tensors
from inference.native.rows import TensorRows
from inference.native.weights import StoredTensor, open_checkpoint
from tests.helpers.checkpoints import tiny_gpt2, tiny_llama

if TYPE_CHECKING:
    import pytest

_LARGE = StoredTensor(Path("large.safetensors"), "large", (151_936, 8_192), "BF16")


def _lengths(tensor: PlannedTensor) -> list[int]:
    return [
        rows.stop - rows.start if isinstance(rows, slice) else len(rows) for rows in tensor.pieces()
    ]


def test_a_large_tensor_goes_through_memory_in_pieces_of_16_megabytes() -> None:
    order = np.arange(151_936)[::-1].astype(np.int64)
    for tensor in (
        PlannedTensor("large", _LARGE, _LARGE.shape),
        PlannedTensor("large", _LARGE, _LARGE.shape, order=order),
    ):
        lengths = _lengths(tensor)
        assert sum(lengths) == 151_936
        assert max(lengths) * 8_192 * 4 <= 1 << 24


def test_rows_of_queries_and_keys_become_neighbours_head_by_head(tmp_path: Path) -> None:
    planned = {t.name: t for t in plan_tensors(open_checkpoint(tiny_llama(tmp_path / "model")))}
    query, key = planned["blk.1.attn_q.weight"], planned["blk.1.attn_k.weight"]
    assert query.order is not None
    assert query.order[:16].tolist() == [0, 4, 1, 5, 2, 6, 3, 7, 8, 12, 9, 13, 10, 14, 11, 15]
    assert key.order is not None
    assert key.order.tolist() == query.order[:16].tolist()
    assert planned["blk.1.attn_v.weight"].order is None


def test_a_weight_on_its_side_is_put_upright(tmp_path: Path) -> None:
    planned = plan_tensors(open_checkpoint(tiny_gpt2(tmp_path / "model")))
    up = next(tensor for tensor in planned if tensor.name == "blk.0.ffn_up.weight")
    assert (up.stored.shape, up.shape) == ((32, 128), (128, 32))
    stored = TensorRows(up.stored).read(slice(0, 32), "F32")
    assert np.array_equal(up.table().read(slice(5, 9), "F32"), stored.T[5:9])


def test_only_matrices_change_their_type(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    planned = plan_tensors(open_checkpoint(tiny_gpt2(Path("model"))))
    kept = {tensor.name for tensor in planned if not tensor.is_matrix}
    assert "position_embd.weight" in kept
    assert {tensor.name for tensor in planned} - kept == {
        "token_embd.weight",
        *(
            f"blk.{layer}.{part}.weight"
            for layer in (0, 1)
            for part in ("attn_qkv", "attn_output", "ffn_up", "ffn_down")
        ),
    }
