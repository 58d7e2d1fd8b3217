"""The parts of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.cli import console
from inference.library.anatomy import anatomy, kv_bytes_per_token

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from inference.cancel import CancelToken
    from inference.cli.console import Json
    from inference.cli.figures.shared import Figure
    from inference.cli.session import Session
    from inference.types import TokenPiece


def layers(
    session: Session,
    _arguments: argparse.Namespace,
    _pieces: Sequence[TokenPiece],
    _cancel: CancelToken,
) -> Figure:
    """Return every tensor, block by block."""
    parts = anatomy(session.info)
    blocks: list[Json] = [
        {
            "name": block.name,
            "tensors": [
                {
                    "name": tensor.name,
                    "shape": list(tensor.shape),
                    "type": tensor.type_name,
                    "parameters": tensor.parameters,
                }
                for tensor in block.tensors
            ],
        }
        for block in parts.blocks
    ]
    return {
        "origin": "measured",
        "blocks": blocks,
        "parameters": parts.parameters,
        "kv_bytes_per_token": round(kv_bytes_per_token(parts, session.loaded)),
    }


def print_layers(figure: Figure, _pieces: Sequence[TokenPiece]) -> None:
    """Print them, and their sum."""
    for block in figure["blocks"]:
        total = sum(tensor["parameters"] for tensor in block["tensors"])
        console.line(f"{block['name']}: {total:,} weights")
        rows = [
            ("  " + tensor["name"], " x ".join(map(str, tensor["shape"])), tensor["type"])
            for tensor in block["tensors"]
        ]
        console.table(rows)
    console.line(f"{figure['parameters']:,} weights in all")
    console.line(f"{figure['kv_bytes_per_token']:,} bytes of KV cache per token")
