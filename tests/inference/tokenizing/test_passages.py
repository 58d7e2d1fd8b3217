from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.tokenizing.passages import passages

if TYPE_CHECKING:
    from inference.tokenizing.passages import Passage


def smallest(passage: Passage) -> list[Passage]:
    if not passage.parts:
        return [passage]
    return [one for part in passage.parts for one in smallest(part)]


def pieces(text: str) -> list[str]:
    return [text[one.start : one.end] for one in smallest(passages(text))]


@given(st.text(alphabet="ab .!?\n`~。猫のжя\r\u0e01\udc80", max_size=60))
def test_parts_put_together_are_the_text(text: str) -> None:
    def check(passage: Passage) -> None:
        if passage.parts:
            edges = [passage.start, *(part.end for part in passage.parts)]
            assert [part.start for part in passage.parts] == edges[:-1]
            assert edges[-1] == passage.end
            for part in passage.parts:
                check(part)

    whole = passages(text)
    assert (whole.start, whole.end) == (0, len(text))
    check(whole)


@pytest.mark.parametrize(
    "cut",
    [
        ["One here. ", 'Two ("there!") ', "Three… ", "four"],
        ["a line\n", "another\n\n\n", "a paragraph"],
        ["这是什么？", "那是猫。", "好"],
        ["क्या? ", "हाँ। ", "नहीं"],
        ["Version 2.1 of example.org is here"],
        ["Before.\n", "```python\nx = 1. Or not.\n```\n", "After"],
        ["~~~\nnever closed. At all"],
        ["This is my friend from far away ", "这是我的朋友和他的猫"],
        ["the word 猫 is short"],
        ["AI技術についてのとても長い文章"],
    ],
)
def test_a_text_is_cut_where_sentences_lines_and_scripts_end(cut: list[str]) -> None:
    assert pieces("".join(cut)) == cut


def test_only_what_is_fenced_is_code() -> None:
    text = "Say ``x`` now.\n```\nx. y\n```\nDone."
    coded = [text[one.start : one.end] for one in smallest(passages(text)) if one.code]
    assert coded == ["```\nx. y\n```\n"]
