from __future__ import annotations

import pytest

from inference.inside.code import excerpt


@pytest.mark.parametrize(
    ("file", "name", "words"),
    [
        ("network.py", "Block.forward", "def forward(self, x: Tensor"),
        ("attention.py", "attend", "def attend("),
        ("layers.py", "MLP", "class MLP"),
        ("network.py", "Network.score", "def score("),
        ("network.py", "Network._embed", "def _embed("),
        ("layers.py", "RMSNorm", "class RMSNorm"),
    ],
)
def test_an_excerpt_is_the_part_of_the_file_that_it_names(file: str, name: str, words: str) -> None:
    found = excerpt(file, name)
    assert found.text.startswith(words)
    assert found.first_line > 1
    assert found.file == file


def test_what_is_not_there_is_an_error() -> None:
    with pytest.raises(LookupError, match="no Nothing"):
        excerpt("network.py", "Nothing")
