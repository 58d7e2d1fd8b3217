"""Every tensor of every family is explained, and the lines named for it exist."""

from __future__ import annotations

import importlib.resources
from pathlib import Path

import pytest

from desktop.views.inside.part_words import CODE, part_words, tensor_words
from inference.inside.code import excerpt
from inference.library.anatomy import Tensor
from inference.library.checkpoint_folder import read_weights
from inference.library.gguf_header import read_header
from tests.inference.native.reference import VARIANTS, reference_network


@pytest.mark.parametrize(("kind", "place"), [(k, p) for k in CODE for p in CODE[k]])
def test_the_lines_named_for_a_part_exist(kind: str, place: tuple[str, str]) -> None:
    found = excerpt(*place)
    assert found.text
    assert part_words(kind).endswith(".")


def _first_of_each_family() -> list[str]:
    first: dict[str, str] = {}
    for name, (family, _) in VARIANTS.items():
        first.setdefault(family, name)
    return list(first.values())


@pytest.mark.parametrize("variant", _first_of_each_family())
def test_every_weight_of_every_family_has_words_and_lines(variant: str, tmp_path: Path) -> None:
    reference_network(tmp_path, variant)
    names = [one.name for one in read_weights(tmp_path).tensors]
    assert len(names) > 10
    places = {place for kind in CODE.values() for place in kind}
    for name in names:
        known = tensor_words(Tensor(name, (4,), "F32", 4))
        assert known is not None, name
        assert known.code in places


def test_every_weight_of_a_gguf_file_has_words() -> None:
    folder = Path(str(importlib.resources.files("resources"))) / "starter"
    for tensor in read_header(folder / "starter-base-Q8_0.gguf").tensors:
        assert tensor_words(Tensor(tensor.name, tensor.shape, "Q8_0", 1)) is not None, tensor.name


def test_a_name_that_nobody_knows_is_not_explained() -> None:
    assert tensor_words(Tensor("blk.0.ssm_conv1d.weight", (4,), "F32", 4)) is None
