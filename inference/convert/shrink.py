"""A smaller version of a GGUF file, where that makes sense and fits on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from inference.convert.orders import WHOLE
from inference.convert.space import check_space
from inference.errors import UnsupportedRequestError
from inference.gguf.quantize import quantize, quantized_bytes
from inference.gguf.refusals import check_file
from inference.gguf.sizes import parts_of
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def shrink(
    source: Path,
    path: Path,
    file_type: str,
    progress: Callable[[int, int], None],
    *,
    again: bool = False,
) -> None:
    """Write a smaller version.

    Args:
        source: A GGUF file, or the first of several.
        path: The file to write; its folder is there.
        file_type: What most matrices become.
        progress: Told how many tensors of how many are done.
        again: The file may be quantised already: the loss of both adds up.

    Raises:
        UnsupportedRequestError: It is quantised already, or would not become smaller.
        DiskFullError: There is too little space; nothing was written.
        InferenceError: The file is damaged, or llama.cpp refuses it.
    """
    header = check_file(source)
    if header.quantization not in WHOLE and not again:
        raise UnsupportedRequestError(
            f"{source.name} is quantised already ({header.quantization}); doing it again loses "
            "more than the size says.",
            "Choose the F16, BF16 or F32 form of this model, or say that you want it all the same "
            "(--again).",
        )
    size = quantized_bytes(source, file_type, again=again) + header.data_offset
    now = sum(part.stat().st_size for part in parts_of(source))
    if size >= now:
        raise UnsupportedRequestError(
            f"{source.name} has {format_bytes(now)}; as {file_type} it would have "
            f"{format_bytes(size)}.",
            "Choose a smaller type.",
        )
    check_space(path, size)
    quantize(source, path, file_type, progress, again=again)
