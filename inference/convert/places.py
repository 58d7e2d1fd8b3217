"""Where a converted or smaller model goes, and what it is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inference.convert.orders import CONVERTED, QUANTIZED, Order
from inference.errors import UnsupportedRequestError
from inference.library import split_files

if TYPE_CHECKING:
    from inference.library.folders import ModelFolders
    from inference.types import ModelInfo

_TYPE_ENDING: Final = re.compile(rf"[-._](?:{'|'.join((*CONVERTED, *QUANTIZED))})$", re.IGNORECASE)


def place_of(info: ModelInfo, folders: ModelFolders, file_type: str) -> Path:
    """Return the file to make: beside its source in a models folder, else in the default one.

    Args:
        info: The source.
        folders: The models folders.
        file_type: Type to come.

    Raises:
        ReadOnlyFolderError: The default folder is on a drive that is away.
    """
    path = Path(info.path)
    if info.engine == "gguf":
        name, folder = _TYPE_ENDING.sub("", split_files.stem(path)), path.parent
    else:
        name, folder = path.name, path
    if not any(folder.is_relative_to(models) for models in folders.all()):
        folder = folders.target() / name
    return folder / f"{name}-{file_type}.gguf"


def own_type(info: ModelInfo) -> str:
    """Return the type that a folder's weights fit into: half of float32 loses next to nothing."""
    return "BF16" if info.quantization == "bfloat16" else "F16"


def conversion(info: ModelInfo, file_type: str) -> tuple[Order, ...]:
    """Return the steps from a folder to a GGUF file.

    Raises:
        UnsupportedRequestError: It is a GGUF file already.
    """
    if info.engine == "gguf":
        raise UnsupportedRequestError(
            f"{info.id} is a GGUF file already.", "`models quantize` makes a smaller one of it."
        )
    order = Order("convert", info.path, "", file_type, name=info.name, license=info.license)
    return (order,)


def reduction(info: ModelInfo, file_type: str, *, again: bool = False) -> tuple[Order, ...]:
    """Return the steps from a folder or a GGUF file to a smaller file.

    Args:
        info: The source.
        file_type: Type to come.
        again: The file may be quantised already.
    """
    last = Order("quantize", info.path, "", file_type, again=again)
    return (last,) if info.engine == "gguf" else (*conversion(info, own_type(info)), last)
