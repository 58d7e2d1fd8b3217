"""The few functions of ggml that llama-cpp-python does not wrap: reading one tensor.

A tensor is a C pointer. Its name, size and numbers come through exported functions; its shape is
read from the structure itself and held against its number of elements, because the structure may
change between releases (``ggml.h``: type, buffer, four 64-bit dimensions, four distances in bytes,
operation, 64 bytes of its parameters, flags, then pointers to what it was computed from).
"""

from __future__ import annotations

import ctypes
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import llama_cpp
import numpy as np
from llama_cpp import _ctypes_extensions as extensions

from inference.errors import BackendUnavailableError

if TYPE_CHECKING:
    from inference.inside.source import Numbers

_F32: Final = 0
_SHAPE_OFFSET: Final = 16
_STEPS_OFFSET: Final = 48
_PARAMETERS_OFFSET: Final = 84
_SOURCES_OFFSET: Final = 152
_DIMENSIONS: Final = 4


def _library() -> ctypes.CDLL:
    folder = Path(llama_cpp.__file__).resolve().parent / "lib"
    library: ctypes.CDLL = extensions.load_shared_library("ggml-base", folder)
    for name, result, arguments in (
        ("ggml_get_name", ctypes.c_char_p, (ctypes.c_void_p,)),
        ("ggml_nbytes", ctypes.c_size_t, (ctypes.c_void_p,)),
        ("ggml_nelements", ctypes.c_int64, (ctypes.c_void_p,)),
        ("ggml_is_contiguous", ctypes.c_bool, (ctypes.c_void_p,)),
        (
            "ggml_backend_tensor_get",
            None,
            (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t),
        ),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


_base: Final = _library()


def tensor_name(tensor: int) -> str:
    """Return a tensor's name, e.g. ``l_out-3``."""
    return bytes(_base.ggml_get_name(tensor)).decode("utf-8", "replace")


def tensor_numbers(tensor: int) -> Numbers:
    """Copy a float32 tensor, wherever it lies; the slowest dimension comes first.

    Raises:
        BackendUnavailableError: It is of another type, or this llama.cpp lays tensors out in
            another way.
    """
    shape = _shape(tensor)
    if not _base.ggml_is_contiguous(tensor):
        raise _unknown(tensor)
    numbers: Numbers = np.empty(shape[::-1], np.float32)
    _base.ggml_backend_tensor_get(tensor, numbers.ctypes.data, 0, numbers.nbytes)
    return numbers


def scattered_numbers(tensor: int) -> Numbers:
    """Copy a float32 tensor whose numbers may lie apart from each other, as in a view.

    Raises:
        BackendUnavailableError: As for ``tensor_numbers``.
    """
    shape = _shape(tensor)
    steps = (ctypes.c_size_t * _DIMENSIONS).from_address(tensor + _STEPS_OFFSET)[:]
    reach = sum((count - 1) * step for count, step in zip(shape, steps, strict=True)) + 4
    if min(shape) < 1 or int(_base.ggml_nbytes(tensor)) != reach:
        raise _unknown(tensor)
    data = np.empty(reach, np.uint8)
    _base.ggml_backend_tensor_get(tensor, data.ctypes.data, 0, reach)
    numbers = np.ndarray(shape[::-1], np.float32, data, strides=steps[::-1])
    return np.ascontiguousarray(numbers)


def tensor_sources(tensor: int, count: int) -> list[int]:
    """Return the tensors that one was computed from; 0 for one that is not there."""
    found = (ctypes.c_void_p * count).from_address(tensor + _SOURCES_OFFSET)[:]
    return [pointer or 0 for pointer in found]


def tensor_parameter(tensor: int) -> float:
    """Return the first number that the operation of a tensor was given."""
    return float(ctypes.c_float.from_address(tensor + _PARAMETERS_OFFSET).value)


def _shape(tensor: int) -> list[int]:
    """Return the length of each dimension, the fastest one first."""
    shape = (ctypes.c_int64 * _DIMENSIONS).from_address(tensor + _SHAPE_OFFSET)[:]
    kind = ctypes.c_int32.from_address(tensor).value
    if kind != _F32 or min(shape) < 0 or int(np.prod(shape)) != int(_base.ggml_nelements(tensor)):
        raise _unknown(tensor)
    return shape


def _unknown(tensor: int) -> BackendUnavailableError:
    shape = (ctypes.c_int64 * _DIMENSIONS).from_address(tensor + _SHAPE_OFFSET)[:]
    kind = ctypes.c_int32.from_address(tensor).value
    count = int(_base.ggml_nelements(tensor))
    return BackendUnavailableError(
        "This build of llama.cpp keeps its numbers in a way that is not known here.",
        "Look inside a model in the native format instead.",
        f"{tensor_name(tensor)}: type {kind}, {shape}, {count} numbers",
    )


def unpack(data: bytes, type_name: str, count: int) -> Numbers:
    """Turn ``count`` stored weights of a type (``Q4_K``, ``F16`` ...) into float32, (count,).

    Raises:
        BackendUnavailableError: llama.cpp has no such type.
    """
    if type_name == "F32":
        return np.frombuffer(data, np.float32, count)
    if type_name == "F16":
        return np.frombuffer(data, np.float16, count).astype(np.float32)
    if type_name == "BF16":
        widened = np.frombuffer(data, np.uint16, count).astype(np.uint32) << 16
        return widened.view(np.float32)
    try:
        function = getattr(_base, "dequantize_row_" + re.sub("_k$", "_K", type_name.lower()))
    except AttributeError as exc:
        raise BackendUnavailableError(
            f"This build of llama.cpp cannot unpack weights of the type {type_name}.",
            "Choose a file with another quantisation to look inside.",
            str(exc),
        ) from exc
    function.restype, function.argtypes = None, (ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64)
    numbers: Numbers = np.empty(count, np.float32)
    function(data, numbers.ctypes.data, count)
    return numbers
