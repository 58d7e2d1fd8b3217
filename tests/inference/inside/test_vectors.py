"""Names of words on a map, and what is told of contexts, from a real engine."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import numpy as np

from inference.cancel import CancelToken
from inference.inside.questions import Array, AskContext, AskMap, WordMap
from tests.inference.small_engines import opened

if TYPE_CHECKING:
    from pathlib import Path


def test_part_of_a_letter_is_named_by_its_bytes_and_a_whole_one_by_itself(tmp_path: Path) -> None:
    with closing(opened("gguf", tmp_path, draft="")) as engine:
        tea = tuple(piece.id for piece in engine.tokenize("茶"))
        plain = tuple((piece.id,) for piece in engine.tokenize("a b c d e f"))
        assert len(tea) > 1
        found = engine.inspect(AskMap((tea, tea[-1:], *plain)), CancelToken())
    assert isinstance(found, WordMap)
    assert found.names[0].strip() == "茶"
    assert found.names[1] == f"{'茶'.encode()[-1]:02X}"
    assert "\ufffd" not in "".join(found.names)


def test_a_text_without_pairs_leaves_what_the_other_tells_of_any_two(tmp_path: Path) -> None:
    with closing(opened("gguf", tmp_path, draft="")) as engine:
        ids = tuple(piece.id for piece in engine.tokenize("one two three four"))
        alone = engine.inspect(AskContext(ids, 2), CancelToken())
        both = engine.inspect(AskContext(ids, 2, (ids[2],), 0), CancelToken())
        neither = engine.inspect(AskContext(ids[:1], 0), CancelToken())
    assert isinstance(alone, Array)
    assert isinstance(both, Array)
    assert isinstance(neither, Array)
    np.testing.assert_array_equal(both.numbers()[-1], alone.numbers()[-1])
    assert not np.isnan(both.numbers()).any()
    assert np.isnan(neither.numbers()[-1]).all()
