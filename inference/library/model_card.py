"""A model card made safe to show: facts from its front matter, Markdown without strangers' code.

A card is written by strangers. Nothing of it is run and nothing is fetched: pictures, scripts,
frames and styles go, known HTML becomes Markdown, and links keep only addresses a browser may open.
Code blocks stay as they are. Front matter is read as plain keys and lists, not as YAML, which could
name types and grow without end.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_CHARS = 400_000
"""Longer cards are cut."""
_MOST_FRONT = 64_000
_MOST_VALUES = 200
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_KEY = re.compile(r"([A-Za-z_][\w-]*):[ \t]*(.*)")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)")
_NOT_SHOWN = re.compile(
    r"<(script|style|iframe|object|embed|svg|video|audio|noscript|template|form|head|title|math)\b"
    r"[^>]*(?:/>|>(?:(?!</\1\b).)*(?:</\1\s*>|\Z))",
    re.IGNORECASE | re.DOTALL,
)
_COMMENT = re.compile(r"<!--(?:(?!-->).)*(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)((?:\s[^<>]*)?)/?>")
_ATTRIBUTE = re.compile(r"""([a-z-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_IMAGE = re.compile(
    r"!\[([^\[\]]{0,500})\](?:\(([^()\s]{0,2000})[^()\n]{0,300}\)|\[[^\[\]]{0,80}\])"
)
_LINK = re.compile(
    r"(?<!!)\[([^\[\]]{0,1000})\]\(\s*<?((?:[^()\s<>]|\([^()\s<>]{0,500}\)){0,2000})>?[^()\n]{0,300}\)"
)
_DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,200}\]:[ \t]*<?([^\s>]+)>?.*$", re.MULTILINE)
_LAST = (
    (re.compile(r"!+\["), "["),
    (re.compile(r"<(?=[A-Za-z/!?])(?!https?://|mailto:)"), "&lt;"),
    (re.compile(r"\]\((?=\s*<?\s*(?!https?://|mailto:)[A-Za-z][A-Za-z0-9+.-]*:)", re.I), "] ("),
)
"""What is still there after all that would be a picture, a tag or an unsafe link: defused."""
_BLANKS = re.compile(r"\n{3,}")
_CODE_SPAN = re.compile(r"(`+)(?:(?!\1).)+?\1(?!`)", re.DOTALL)

_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`", "s": "~~", "del": "~~"}
_OPENS = {
    **{f"h{level}": f"\n\n{'#' * level} " for level in range(1, 7)},
    "li": "\n- ",
    "tr": "\n",
    "td": " | ",
    "th": " | ",
    "br": "  \n",
    "hr": "\n\n---\n\n",
    "summary": "\n\n**",
    "blockquote": "\n\n> ",
    "pre": "\n\n",
}
_CLOSES = {"summary": "**\n\n"}
_BLOCKS = frozenset(
    {
        "p", "div", "center", "details", "table", "thead", "tbody", "ul", "ol", "section",
        "article", "figure", "figcaption", "header", "footer", "dl", "dt", "dd", "main", "nav",
        "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre",
    }
)  # fmt: skip
_DROPPED = frozenset(
    {
        "span", "font", "u", "small", "big", "sub", "sup", "kbd", "picture", "source", "label",
        "button", "input", "abbr", "cite", "mark", "ins", "tt", "var", "samp", "q", "colgroup",
        "col", "caption", "wbr", "link", "meta", "base", "body", "html", "map", "area", "select",
        "option", "textarea", "canvas", "param", "track",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What can be shown.

    Attributes:
        facts: Front matter: every key with its values as texts, e.g. ``{"license": ("mit",)}``.
        markdown: The text; holds no HTML, no pictures and no unsafe links.
        images: Addresses of the pictures that were left out (``https``), to show on request.
        shortened: Whether the card was longer than can be shown.
    """

    facts: Mapping[str, tuple[str, ...]]
    markdown: str
    images: tuple[str, ...] = ()
    shortened: bool = False

    def fact(self, key: str) -> str:
        """Return the first value of a key, or nothing."""
        return next(iter(self.facts.get(key, ())), "")


def read_card(text: str, page: str = "") -> ModelCard:
    """Make a README.md safe to show.

    Args:
        text: The whole file.
        page: Address of the model's page; links inside the repository lead there. Empty: they
            become plain text.
    """
    shortened = len(text) > MOST_CHARS
    text = text[:MOST_CHARS].removeprefix("\ufeff").replace("\r\n", "\n").replace("\0", "")
    front, body = _split_front(text)
    images: list[str] = []
    pieces = [piece if is_code else _clean(piece, images, page) for piece, is_code in _pieces(body)]
    markdown = _BLANKS.sub("\n\n", "".join(pieces)).strip()
    return ModelCard(_facts(front), markdown, tuple(dict.fromkeys(images)), shortened)


def _split_front(text: str) -> tuple[str, str]:
    lines = text.lstrip("\n").split("\n")
    if lines[0].rstrip() != "---":
        return "", text
    length = 0
    for number, line in enumerate(lines[1:], 1):
        length += len(line) + 1
        if length > _MOST_FRONT:
            break
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    return "", text


def _facts(front: str) -> dict[str, tuple[str, ...]]:
    """Read ``key: value``, ``key: [a, b]`` and lists below a key; deeper nesting is left out."""
    facts: dict[str, list[str]] = {}
    values: list[str] | None = None
    for line in front.split("\n"):
        key, item = _KEY.fullmatch(line.rstrip()), _ITEM.fullmatch(line.rstrip())
        if key:
            values = facts.setdefault(key[1], [])
            inline = key[2].strip()
            if inline.startswith("[") and inline.endswith("]"):
                values += filter(None, map(_plain, inline[1:-1].split(",")))
            elif inline and inline not in ("|", ">", "|-", ">-"):
                values.append(_plain(inline))
        elif item and values is not None and len(values) < _MOST_VALUES and ": " not in item[1]:
            values.append(_plain(item[1]))
    return {key: tuple(values) for key, values in facts.items()}


def _plain(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _pieces(body: str) -> Iterator[tuple[str, bool]]:
    """Cut a text into prose and fenced code blocks."""
    prose: list[str] = []
    code: list[str] = []
    fence = ""
    for line in body.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if fence:
            code.append(line)
            closing = mark and mark[1].startswith(fence) and not line.strip().strip(fence[0])
            if closing:
                yield "".join(code), True
                code, fence = [], ""
        elif mark:
            yield "".join(prose), False
            prose, code, fence = [], [line], mark[1]
        else:
            prose.append(line)
    yield "".join(prose), False
    if code:
        yield "".join(code), True


def _clean(prose: str, images: list[str], page: str) -> str:
    """Clean what is not code; code spans are put aside meanwhile."""
    spans: list[str] = []

    def keep(match: re.Match[str]) -> str:
        spans.append(match[0])
        return f"\0{len(spans) - 1}\0"

    text = _CODE_SPAN.sub(keep, prose)
    text = _NOT_SHOWN.sub("", _COMMENT.sub("", text))
    text = _markdown_of(text, images)
    text = _IMAGE.sub(lambda match: _noted(match[1], match[2] or "", images), text)
    text = _LINK.sub(lambda match: _link(match[1], match[2], page), text)
    text = _DEFINITION.sub(lambda match: match[0] if _is_open(match[1]) else "", text)
    for wrong, right in _LAST:
        text = wrong.sub(right, text)
    return re.sub(r"\0(\d+)\0", lambda match: spans[int(match[1])], text)


def _markdown_of(text: str, images: list[str]) -> str:
    """Turn known HTML tags into Markdown; what is no HTML (``<think>``) stays as it is."""
    targets: list[str] = []

    def replaced(match: re.Match[str]) -> str:
        closes, name, rest = bool(match[1]), match[2].lower(), match[3]
        if name == "a":
            return _anchor(closes, rest, targets)
        if name == "img":
            attributes = _attributes(rest)
            return _noted(attributes.get("alt", ""), attributes.get("src", ""), images)
        if name in _MARKS:
            return _MARKS[name]
        if closes:
            return _CLOSES.get(name, "\n\n" if name in _BLOCKS else _left(match, name))
        return _OPENS.get(name, "\n\n" if name in _BLOCKS else _left(match, name))

    return _TAG.sub(replaced, text) + "".join(f"]({target})" for target in reversed(targets))


def _left(match: re.Match[str], name: str) -> str:
    return "" if name in _DROPPED or name in _OPENS else match[0]


def _anchor(closes: bool, rest: str, targets: list[str]) -> str:
    if not closes:
        target = _attributes(rest).get("href", "")
        targets.append(target)
        return "["
    return f"]({targets.pop()})" if targets else ""


def _attributes(text: str) -> dict[str, str]:
    return {
        match[1].lower(): html.unescape(match[2] or match[3] or match[4] or "")
        for match in _ATTRIBUTE.finditer(text)
    }


def _noted(alt: str, address: str, images: list[str]) -> str:
    """Replace a picture by its description and remember where it is."""
    if address.startswith("https://"):
        images.append(address)
    return re.sub(r"[\[\]<>\n]", " ", alt).strip()


def _link(text: str, target: str, page: str) -> str:
    if not text.strip():
        return ""
    if target.startswith("#"):
        return text
    if _is_open(target):
        return f"[{text}]({target})"
    inside = page and ":" not in target and not target.startswith(("//", "\\")) and target
    return f"[{text}]({page}/blob/main/{target.lstrip('./')})" if inside else text


def _is_open(target: str) -> bool:
    """Tell whether a browser may be given that address."""
    return target.lower().startswith(("https://", "http://", "mailto:"))
