r"""What llama.cpp calls the way in which a tokenizer cuts text before it merges.

A tokenizer.json says it in full; a GGUF file has only a name, and llama.cpp the rules behind it
(``llama-vocab.cpp``). Names stand here only for rules that are the same ones. One difference
remains: llama.cpp does not compose characters (NFC) before it reads a text, as some of these do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ENDINGS: Final = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_ENDINGS_SPELT: Final = "(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])"
_REST: Final = r"\s*[\r\n]+|\s+(?!\S)|\s+"
_UPPER: Final = r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER: Final = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"


def _words(digits: str) -> str:
    words = rf"{_ENDINGS}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}+|{digits}"
    return rf"{words}| ?[^\s\p{{L}}\p{{N}}]+[\r\n]*|{_REST}"


def _cases(endings: str, digits: str) -> str:
    words = rf"{_UPPER}*{_LOWER}+{endings}|{_UPPER}+{_LOWER}*{endings}|{digits}"
    return rf"{words}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_REST}"


_ONE_DIGIT: Final = r"\p{N}"
_THREE_DIGITS: Final = r"\p{N}{1,3}"

# How it is told here: what cuts, in turn, joined by " > "; then whether whole words win.
_NAMES: Final[Mapping[tuple[str, bool], str]] = {
    ("words", False): "gpt-2",
    ("digits > words", False): "smollm",
    ("punctuation > words > numbers > split [0-9][0-9][0-9]", False): "falcon",
    (f"split {_words(_ONE_DIGIT)}", False): "qwen2",
    (f"split {_words(_THREE_DIGITS)}", True): "llama-bpe",
    (f"split {_words(_THREE_DIGITS)}", False): "dbrx",
    (f"split {_cases('', _ONE_DIGIT)}", True): "tekken",
    (f"split {_cases(_ENDINGS + '?', _THREE_DIGITS)}", False): "gpt-4o",
}


def pre_tokenizer_name(described: Mapping[str, Any]) -> str | None:
    """Return llama.cpp's name for a byte-level tokenizer; None if it has none.

    Args:
        described: The contents of tokenizer.json.
    """
    normalizers = {part.get("type") for part in _flat(described.get("normalizer"))}
    steps = [_step(part) for part in pre_tokenizer_steps(described)]
    if normalizers - {"NFC"} or None in steps:
        return None
    told = " > ".join(step for step in steps if step)
    return _NAMES.get((told, described["model"].get("ignore_merges") is True))


def pre_tokenizer_steps(described: Mapping[str, Any]) -> tuple[dict[str, Any], ...]:
    """Return what cuts a text before merging, sequences taken apart."""
    return tuple(_flat(described.get("pre_tokenizer")))


def _flat(part: object) -> Iterator[dict[str, Any]]:
    """Yield the parts of a sequence, or the part itself."""
    if isinstance(part, dict):
        inner = part.get("pretokenizers", part.get("normalizers"))
        if isinstance(inner, list):
            for item in inner:
                yield from _flat(item)
        else:
            yield part


def _step(part: Mapping[str, Any]) -> str | None:
    """Return how one step is told; nothing for one that does not cut, None for an unknown one."""
    match part:
        case {"type": "ByteLevel", "add_prefix_space": False}:
            return "words" if part.get("use_regex", True) else ""
        case {"type": "Digits"}:
            return "digits" if part.get("individual_digits") else "numbers"
        case {"type": "Punctuation", "behavior": "Contiguous"}:
            return "punctuation"
        case {"type": "Split", "pattern": {"Regex": str(pattern)}, "behavior": "Isolated"}:
            return f"split {pattern.replace(_ENDINGS_SPELT, _ENDINGS)}"
    return None
