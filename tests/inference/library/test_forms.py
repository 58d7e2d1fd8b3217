from __future__ import annotations

import msgspec

from inference.library.forms import native_form
from inference.types import ModelInfo

GGUF = ModelInfo(
    "a", "Little 1B Instruct", "/a.gguf", "gguf", "instruct", "llama", 1_000, n_layers=4, n_vocab=9
)
NATIVE = msgspec.structs.replace(GGUF, id="b", path="/b", engine="native")


def test_the_checkpoint_of_the_same_name_and_shape_is_the_native_form() -> None:
    assert native_form(GGUF, (GGUF, NATIVE)) == NATIVE
    assert native_form(msgspec.structs.replace(GGUF, name="little 1b instruct-GGUF"), (NATIVE,))


def test_other_names_kinds_and_counts_are_other_weights() -> None:
    for change in (
        {"name": "Little 1B"},
        {"kind": "base"},
        {"parameters": 1_001},
        {"n_vocab": 10},
        {"problem": "A file is missing."},
        {"absent": True},
        {"engine": "gguf"},
    ):
        other = msgspec.structs.replace(NATIVE, **change)  # type: ignore[arg-type]  as the fields
        assert native_form(GGUF, (other,)) is None


def test_a_native_model_and_one_of_unknown_size_have_no_other_form() -> None:
    assert native_form(NATIVE, (NATIVE,)) is None
    unknown = msgspec.structs.replace(GGUF, parameters=0)
    assert native_form(unknown, (msgspec.structs.replace(NATIVE, parameters=0),)) is None
