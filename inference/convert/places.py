"""Where a converted or smaller model goes, and what it is called."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from inference.convert.orders import CONVERTED, OFFERED, QUANTIZED, WHOLE, Order
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
        is_named = path.suffix.lower() == ".gguf"  # other apps keep files under their hashes
        name = split_files.stem(path) if is_named else info.id.rpartition("/")[2]
        name, folder = _TYPE_ENDING.sub("", re.sub(r"[^\w.+-]+", "-", name)), path.parent
    else:
        name, folder = path.name, path.parent  # in it, it would count as part of the folder
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


def steps_to(info: ModelInfo, file_type: str) -> tuple[Order, ...]:
    """Return the shortest way to a file of that type: folders are written directly if they can."""
    if info.engine != "gguf" and file_type in CONVERTED:
        return conversion(info, file_type)
    return reduction(info, file_type)


def types_from(info: ModelInfo) -> tuple[str, ...]:
    """Return the types to offer for another version of a model; none where that is nonsense."""
    if info.problem or info.absent or not info.parameters:
        return ()
    if info.engine == "gguf":
        return OFFERED if info.quantization in WHOLE else ()
    return (own_type(info), *OFFERED)
