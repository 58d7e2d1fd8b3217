"""Colours of code: right when complete, cheap while it grows."""

from __future__ import annotations

from time import monotonic, sleep

from desktop.widgets.markdown import highlight
from desktop.widgets.markdown.highlight import Colours, Recolouring

CODE = [
    "import os",
    "",
    "def f(x):",
    '    """Doc',
    "    more",
    '    """',
    "    return x + 12  # end",
]


def ready(name: str) -> None:
    """Wait until the reader of a language is there."""
    highlight.prepare(name)
    end = monotonic() + 20
    while not highlight._LEXERS.ask(name)[0]:
        assert monotonic() < end, f"no reader for {name}"
        sleep(0.01)


def shades(colours: Colours, line: int) -> list[tuple[str, str]]:
    return [(CODE[line][start:end], shade) for start, end, shade in colours.lines[line]]


def test_keywords_names_numbers_strings_and_comments_get_their_colours() -> None:
    ready("python")
    colours = Colours("python")
    colours.grow(CODE, len(CODE))
    assert ("import", "code_key") in shades(colours, 0)
    assert ("f", "code_fn") in shades(colours, 2)
    assert shades(colours, 4) == [("    more", "code_str")]
    assert shades(colours, 6)[-2:] == [("12", "code_num"), ("# end", "code_com")]


def test_lines_coloured_one_by_one_equal_all_at_once() -> None:
    ready("python")
    whole, grown = Colours("py"), Colours("py")
    ready("py")
    whole.grow(CODE, len(CODE))
    for count in range(1, len(CODE) + 1):
        grown.grow(CODE, count)
    assert grown.lines == whole.lines
    assert grown.is_exact


def test_long_code_is_mended_by_the_exact_pass() -> None:
    ready("python")
    lines = ['text = """', *["not = 1 a keyword: import"] * 60, '"""', "x = 1"]
    colours = Colours("python")
    for count in range(1, len(lines) + 1):
        colours.grow(lines, count)
    assert not colours.is_exact
    job = Recolouring(colours, "python", lines)
    while job.step():
        pass
    assert colours.is_exact
    assert {shade for _, _, shade in colours.lines[40]} == {"code_str"}
    assert len(colours.lines) == len(lines)


def test_an_unknown_language_stays_plain() -> None:
    ready("no-such-language")
    colours = Colours("no-such-language")
    colours.grow(["a", "b"], 2)
    assert colours.lines == [(), ()]
    assert highlight.language_name("no-such-language") == "no-such-language"
    assert highlight.suffix("python") == ".py"
    assert highlight.suffix("") == ".txt"
