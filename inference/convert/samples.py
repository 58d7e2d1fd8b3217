"""Texts by which a vocabulary is held against its original: where tokenizers stumble.

Composed characters only (NFC): llama.cpp does not compose them, and some tokenizers do.
"""

from __future__ import annotations

from typing import Final

SAMPLES: Final = (
    "Once upon a time there was a little girl who loved to play.",
    "She'll say it's John's; they've DONE it, I'D go, WE'RE here, you'Re there.",
    "In 1984, 3.14159 and 1,234,567 made 100% of 12345678901234567890.",
    "  two leading, two trailing  ",
    "one  two   three    four     five\tsix\t\tseven",
    "line\nline\n\nline\n\n\n\nline\r\nline \n  line\n \n",
    "def f(x: int) -> list[str]:\n    return [f'{x!r}' for _ in range(10)]  # done\n",
    'if (a != b && c <= d || !e) { x += y << 2; }  /* ok */ // <tag attr="v"/>',
    "https://example.org/a_b-c?d=e&f=%20#g  user@example.org  C:\\Users\\x",
    "Übergröße, naïve café, señor, façade, Ærøskøbing, İstanbul, ﬁne, ½ ² Ⅷ",
    "Съешь же ещё этих мягких французских булок. Ελληνικά. עברית. العربية ١٢٣.",
    "我能吞下玻璃而不伤身体。日本語のテキスト。한국어 문장입니다. ภาษาไทย हिन्दी १२३",
    "🙂 🙃👍🏽 👩‍👩‍👧‍👦 🇩🇪 ♥️ ✓ → ∑ ≠ ∞ €",
    "...!!! ??? --- *** ___ ``` \"\"\" ''' ((())) [[[]]] {{{}}} ;:,.",
    "\u00a0non-breaking\u00a0 \u2003em \u200bzero\u200d \u3000wide \ufeffmark",
    "\x00\x01\x1f\x7f control \u0085 \u2028 \u2029 end",
    "<|endoftext|> <|im_start|>user\nhi<|im_end|> <s>[INST] x [/INST]</s> <0x0A> <think>a</think>",
    "aAbBcC HTMLParser iPhone XMLHttpRequest camelCase snake_case SHOUTING MiXeD",
    "a",
    " ",
    "\n",
    "\u2581under\u2581score \u0120 \u010a",
)
