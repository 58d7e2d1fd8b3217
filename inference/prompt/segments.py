"""Cut a rendered prompt at special tokens, but only at those that the template wrote.

If a person types ``<|im_end|>``, it has to reach the model as those ten characters, not as the
token that ends a turn. After rendering, both look the same. So before rendering, an invisible mark
(a Unicode noncharacter, which no text contains) goes into every special string within the person's
texts; the prompt is cut at the special strings that are still whole; then the marks are removed.
Everything else of the text stays as it was, so a template can trim it, split it at ``</think>``
and look into it as always.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from inference.types import Message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from inference.prompt.chat_template import ChatTemplate

_NONCHARACTERS = tuple(map(chr, [*range(0xFDD0, 0xFDF0), 0xFFFE, 0xFFFF]))


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a prompt: one special token's text, or text that never counts as special."""

    text: str
    special: bool


class _Guard:
    """Hides special strings in a text from the cut, and brings the text back."""

    def __init__(self, specials: Collection[str], taken: str) -> None:
        """Choose marks that do not occur in ``taken`` (all texts and the template together)."""
        free = [char for char in _NONCHARACTERS if char not in taken and _escape(char) not in taken]
        if not free:  # somebody typed all of them: they mean nothing, one is given up
            free = [_NONCHARACTERS[0]]
        self._mark = free[0]
        self._specials = [special for special in specials if len(special) > 1]
        self._beginnings = {special[:n] for special in specials for n in range(1, len(special))}
        self._endings = {special[n:] for special in specials for n in range(1, len(special))}
        self._longest = max(map(len, self._specials), default=0)
        # A special token of one character has no inside to put a mark into: it is replaced whole.
        single = [special for special in specials if len(special) == 1]
        self._replaced = dict(zip(single, free[1:], strict=False))

    def hide(self, text: str) -> str:
        text = text.replace(self._mark, "")
        cuts: set[int] = set()
        for special in self._specials:
            at = text.find(special)
            while at >= 0:
                cuts.add(at + 1)
                at = text.find(special, at + 1)
        cuts |= self._borders(text)
        edges = [0, *sorted(cuts), len(text)]
        pieces = (text[a:b] for a, b in itertools.pairwise(edges))
        text = self._mark.join(pieces)
        for special, replacement in self._replaced.items():
            text = text.replace(special, replacement)
        return text

    def _borders(self, text: str) -> set[int]:
        """Find where a text could become special together with what the template puts beside it.

        Templates often strip whitespace, so the borders of the stripped text count too.
        """
        start, end = len(text) - len(text.lstrip()), len(text.rstrip())
        lengths = range(1, self._longest)
        found = {
            border
            for border in (end, len(text))
            if any(text[max(border - n, 0) : border] in self._beginnings for n in lengths)
        }
        found |= {
            border
            for border in (start, 0)
            if any(text[border : border + n] in self._endings for n in lengths)
        }
        whole = text[start:end]
        if 0 < len(whole) < self._longest and any(whole in special for special in self._specials):
            found.add(end)
        return found

    def reveal(self, text: str) -> str:
        text = text.replace(self._mark, "").replace(_escape(self._mark), "")
        for special, replacement in self._replaced.items():
            text = text.replace(replacement, special)
        return text


def _escape(char: str) -> str:
    """Return how JSON with ASCII only writes it: a template may pass texts through ``tojson``."""
    return f"\\u{ord(char):04x}"


@lru_cache(maxsize=16)
def _pattern(specials: frozenset[str]) -> re.Pattern[str]:
    longest_first = sorted(specials, key=lambda special: (-len(special), special))
    return re.compile("(" + "|".join(map(re.escape, longest_first)) + ")")


def split_specials(text: str, specials: Collection[str]) -> tuple[Segment, ...]:
    """Cut ``text`` at every special string, the longest first where several begin."""
    wanted = frozenset(filter(None, specials))
    if not wanted:
        return (Segment(text, special=False),) if text else ()
    # re.split with one group gives text, special, text, special, ..., text.
    parts = _pattern(wanted).split(text)
    return tuple(Segment(part, special=i % 2 == 1) for i, part in enumerate(parts) if part)


def render_segments(
    template: ChatTemplate,
    messages: Sequence[Message],
    variables: Mapping[str, bool | int | str] | None,
    specials: Collection[str],
    *,
    add_generation_prompt: bool = True,
) -> tuple[Segment, ...]:
    """Render a conversation and cut it at the special tokens that the template wrote.

    An engine turns a special segment into its id and tokenizes the others without looking for
    special tokens; the segments' texts, joined, are the prompt.

    Args:
        template: The model's chat template.
        messages: The turns, oldest first.
        variables: Extra template variables; their texts are guarded like messages.
        specials: The text of every control token (those that a tokenizer calls special). Tags that
            are ordinary tokens, such as ``<think>`` in most models, do not belong here: templates
            look for them in the assistant's texts.
        add_generation_prompt: Whether the prompt ends where the assistant begins to write.

    Raises:
        BadChatTemplateError: As ``ChatTemplate.render``.
    """
    variables = variables or {}
    texts = [message.content for message in messages]
    texts += [value for value in variables.values() if isinstance(value, str)]
    wanted = frozenset(filter(None, specials))
    guard = _Guard(wanted, "".join([*texts, template.source, *wanted]))
    rendered = template.render(
        [Message(message.role, guard.hide(message.content)) for message in messages],
        {
            name: guard.hide(value) if isinstance(value, str) else value
            for name, value in variables.items()
        },
        add_generation_prompt=add_generation_prompt,
    )
    return tuple(
        part if part.special else Segment(text, special=False)
        for part in split_specials(rendered, wanted)
        if (text := guard.reveal(part.text)) or part.special
    )
