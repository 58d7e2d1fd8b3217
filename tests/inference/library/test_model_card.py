from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.library.model_card import MOST_CHARS, read_card

CARD = """---
license: apache-2.0
language:
- en
- "de"
tags: [text-generation, 'chat']
base_model:
- Qwen/Qwen3-4B-Base
model-index:
- name: x
  results: 5
---

# Qwen3 4B

<p align="center"><img src="https://example.org/logo.png" alt="Logo" width=200></p>

![Chart](https://example.org/chart.png "A chart") and **bold**.
"""


def test_front_matter_becomes_facts_and_is_not_shown() -> None:
    card = read_card(CARD)
    assert card.fact("license") == "apache-2.0"
    assert card.facts["language"] == ("en", "de")
    assert card.facts["tags"] == ("text-generation", "chat")
    assert card.fact("base_model") == "Qwen/Qwen3-4B-Base"
    assert card.fact("missing") == ""
    assert card.markdown.startswith("# Qwen3 4B")
    assert "apache" not in card.markdown


def test_pictures_are_left_out_and_remembered() -> None:
    card = read_card(CARD)
    assert card.images == ("https://example.org/logo.png", "https://example.org/chart.png")
    assert "example.org" not in card.markdown
    assert "Logo" in card.markdown
    assert "Chart and **bold**." in card.markdown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<SCRIPT src='https://x.example/a.js'></SCRIPT >",
        "<script>never closed",
        "<style>body{background:url(https://x.example)}</style>",
        "<iframe src='https://x.example'></iframe>",
        "<svg onload=alert(1)><image href='https://x.example'/></svg>",
        "<!-- <script>alert(1)</script> -->",
        "<object data='https://x.example'></object>",
        "<video src='https://x.example/v.mp4' autoplay></video>",
        "<img src=https://x.example/p.png onerror=alert(1)>",
        "![](https://x.example/p.png)",
        "![a](data:image/png;base64,AAAA)",
        "![a][logo]\n\n[logo]: file:///etc/passwd",
        "[a](javascript:alert(1))",
        "[a](JaVaScRiPt:alert(1))",
        "[a](file:///etc/passwd)",
        "[a](&#106;avascript:alert(1))",
        "<a href='javascript:alert(1)'>a</a>",
        "<javascript:alert(1)>",
        "[a]: javascript:alert(1)",
        "<link rel=stylesheet href='https://x.example/c.css'>",
        "<input onfocus=alert(1) autofocus>",
    ],
)
def test_nothing_that_could_run_or_fetch_is_left(text: str) -> None:
    shown = read_card(f"Before\n\n{text}\n\nAfter").markdown
    assert "alert" not in shown or shown == "Before\n\n&lt;javascript:alert(1)>\n\nAfter"
    assert "x.example" not in shown
    assert "passwd" not in shown
    assert not re.search(r"<\s*[a-z]", shown, re.IGNORECASE)
    assert not re.search(r"\]\(\s*(javascript|file|data):", shown, re.IGNORECASE)
    assert shown.startswith("Before")


def test_a_link_around_a_link_cannot_smuggle_an_address() -> None:
    assert "](" not in read_card("[a[b](c)](javascript:x)").markdown


def test_known_html_becomes_markdown() -> None:
    text = (
        "<h2>Use</h2><p>Ask <b>one</b> <i>thing</i>.<br>Then <code>wait</code>.</p>"
        "<ul><li>first</li><li><a href='https://e.org/x'>second</a></li></ul>"
    )
    shown = read_card(text).markdown
    assert "## Use" in shown
    assert "Ask **one** *thing*." in shown
    assert "`wait`" in shown
    assert "- first" in shown
    assert "- [second](https://e.org/x)" in shown


def test_code_stays_as_it_is() -> None:
    code = '```html\n<img src="https://e.org/p.png"><script>x</script>\n```'
    shown = read_card(f"Text `<script>` and\n\n{code}\n\nend").markdown
    assert code in shown
    assert "`<script>`" in shown


def test_marks_that_are_no_html_stay_readable() -> None:
    shown = read_card("It writes <think> and 1 < 2 and <|im_start|>.").markdown
    assert "&lt;think>" in shown
    assert "1 < 2" in shown
    assert "<|im_start|>" in shown


def test_links_inside_the_repository_lead_to_its_page() -> None:
    text = "[Licence](./LICENSE) [Top](#top) [Web](https://e.org) [Mail](mailto:a@e.org)"
    page = "https://hub.example/org/name"
    assert read_card(text, page).markdown == (
        f"[Licence]({page}/blob/main/LICENSE) Top [Web](https://e.org) [Mail](mailto:a@e.org)"
    )
    assert read_card("[Licence](LICENSE)").markdown == "Licence"


def test_a_badge_that_is_a_link_keeps_its_words() -> None:
    assert read_card("[![Licence](https://e.org/b.svg)](https://e.org/l)").markdown == (
        "[Licence](https://e.org/l)"
    )


def test_a_card_without_an_end_of_its_front_matter_is_shown_whole() -> None:
    assert "license: mit" in read_card("---\nlicense: mit\n\n# Title").markdown
    assert read_card("").markdown == ""
    assert read_card("\ufeff---\nlicense: mit\n---\nx").fact("license") == "mit"


def test_an_endless_card_is_cut_and_read_in_time() -> None:
    for piece in ("<a ", "![[", "<!--", "<script>", "`", "[a](", "<p><b>", "- x\n", "&lt;"):
        began = time.perf_counter()
        card = read_card(piece * (2 * MOST_CHARS // len(piece)))
        assert card.shortened
        assert time.perf_counter() - began < 20, piece


@given(st.text(alphabet="<>/![]()`-abcsriptimg= \"'\n:#&;", max_size=300))
def test_no_text_leaves_a_tag_or_a_picture(text: str) -> None:
    shown = read_card(f"x\n{text}").markdown
    without_code = re.sub(r"(`+)(?:(?!\1).)+?\1|^ {0,3}```.*\Z", "", shown, flags=re.S | re.M)
    assert not re.search(r"<(script|img|iframe|style)\b[^>]*>", without_code, re.IGNORECASE)
