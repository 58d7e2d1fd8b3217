from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from inference.convert.orders import OFFERED
from inference.convert.places import (
    conversion,
    own_type,
    place_of,
    reduction,
    steps_to,
    types_from,
)
from inference.errors import UnsupportedRequestError
from inference.library.folders import ModelFolders
from inference.paths import AppPaths
from inference.types import ModelInfo

_MODELS = Path("models").absolute()
_FOLDERS = ModelFolders(
    AppPaths(_MODELS, Path("config"), Path("cache"), models=_MODELS, log=Path("log"))
)


def _folder(path: Path, quantization: str = "float16") -> ModelInfo:
    return ModelInfo(
        "tale", "A Tale", str(path), "native", quantization=quantization, license="mit"
    )


def _file(path: Path) -> ModelInfo:
    return ModelInfo("tale", "A Tale", str(path), "gguf", quantization="F16")


def test_a_file_that_is_called_by_its_hash_takes_the_model_s_name() -> None:
    blob = ModelInfo("ollama/tale:1b", "Tale", str(Path("blobs", "sha256-ab").absolute()), "gguf")
    assert place_of(blob, _FOLDERS, "Q6_K") == _MODELS / "tale-1b" / "tale-1b-Q6_K.gguf"


@pytest.mark.parametrize(
    ("info", "place"),
    [
        (_folder(_MODELS / "org" / "Tale"), _MODELS / "org" / "Tale-Q4_K_M.gguf"),
        (_folder(Path("elsewhere", "Tale").absolute()), _MODELS / "Tale" / "Tale-Q4_K_M.gguf"),
        (_file(_MODELS / "org" / "Tale-F16.gguf"), _MODELS / "org" / "Tale-Q4_K_M.gguf"),
        (_file(_MODELS / "tale.bf16.gguf"), _MODELS / "tale-Q4_K_M.gguf"),
        (_file(_MODELS / "Tale-16B.gguf"), _MODELS / "Tale-16B-Q4_K_M.gguf"),
        (
            _file(_MODELS / "Tale-F16-00001-of-00002.gguf"),
            _MODELS / "Tale-Q4_K_M.gguf",
        ),
        (_file(Path("else", "Tale-F16.gguf").absolute()), _MODELS / "Tale" / "Tale-Q4_K_M.gguf"),
    ],
)
def test_the_new_file_lies_where_the_app_finds_it(info: ModelInfo, place: Path) -> None:
    assert place_of(info, _FOLDERS, "Q4_K_M") == place


def test_bfloat16_stays_what_it_is() -> None:
    found = [own_type(_folder(_MODELS, kind)) for kind in ("bfloat16", "float16", "float32")]
    assert found == ["BF16", "F16", "F16"]


def test_a_folder_is_converted_before_it_is_made_smaller() -> None:
    steps = reduction(_folder(_MODELS, "bfloat16"), "Q4_K_M")
    assert [(step.action, step.file_type) for step in steps] == [
        ("convert", "BF16"),
        ("quantize", "Q4_K_M"),
    ]
    assert (steps[0].name, steps[0].license) == ("A Tale", "mit")
    (only,) = reduction(_file(_MODELS / "a.gguf"), "Q6_K", again=True)
    assert (only.action, only.again) == ("quantize", True)


def test_what_is_offered_makes_sense() -> None:
    file = _file(_MODELS / "a.gguf")
    assert types_from(replace(file, parameters=9)) == OFFERED
    assert types_from(replace(file, parameters=9, quantization="Q8_0")) == ()
    assert types_from(replace(file, parameters=9, problem="It is damaged.")) == ()
    folder = replace(_folder(_MODELS / "a", "bfloat16"), parameters=9)
    assert types_from(folder) == ("BF16", *OFFERED)
    for offered in types_from(folder):
        assert steps_to(folder, offered)[-1].file_type == offered
    assert [step.action for step in steps_to(folder, "Q8_0")] == ["convert"]
    assert [step.action for step in steps_to(folder, "Q6_K")] == ["convert", "quantize"]


def test_a_gguf_file_is_not_converted() -> None:
    with pytest.raises(UnsupportedRequestError, match="GGUF file already"):
        conversion(_file(_MODELS / "a.gguf"), "F16")
