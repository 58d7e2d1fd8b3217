"""What a process that tells of tokenizers is asked, and what it answers: one JSON object a line."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from inference.tokenizing.merges import BuiltToken
from inference.types import TokenPiece


class CutText(msgspec.Struct, frozen=True, tag="cut"):
    """Cut a text as each of these models would; nothing is put before it.

    ``languages``: tell what each language costs, too; ``said`` as in ``TellLanguages``.
    ``special``: Read special tokens written in the text as such, each model its own.
    """

    paths: tuple[str, ...]
    text: str
    languages: bool = False
    special: bool = False
    said: tuple[str, ...] = ()


class BuildTokens(msgspec.Struct, frozen=True, tag="build"):
    """Tell how tokens of one model came about."""

    path: str
    ids: tuple[int, ...]


class TellLanguages(msgspec.Struct, frozen=True, tag="languages"):
    """Tell what each language of a text costs.

    Attributes:
        tokens: The text, as one model cuts it.
        said: What was written in a chat, in order; the rest is its template's. None: all of it.
    """

    tokens: tuple[TokenPiece, ...]
    said: tuple[str, ...] = ()


class LanguageCost(msgspec.Struct, frozen=True):
    """How much of a text is in one language, and its tokens.

    Attributes:
        language: ISO 639 code; empty for what is in none, or in one that is not told.
        name: For people.
        words: None where words are not counted: the language is written without spaces.
        characters: Of its passages, spaces and signs included; ``n_bytes`` the same as UTF-8.
        tokens: How many.
    """

    language: str
    name: str
    words: int | None
    characters: int
    n_bytes: int
    tokens: int


class Languages(msgspec.Struct, frozen=True, tag="told_languages"):
    """What each language costs, most tokens first, and what is in none."""

    costs: tuple[LanguageCost, ...]


class Cut(msgspec.Struct, frozen=True, tag="cut_text"):
    """One model's tokens; ``n_vocab`` is how many it knows, ``languages`` told if asked for."""

    path: str
    tokens: tuple[TokenPiece, ...]
    n_vocab: int
    languages: tuple[LanguageCost, ...] = ()


class Built(msgspec.Struct, frozen=True, tag="built_tokens"):
    """How tokens came about.

    Attributes:
        method: For people: ``Byte-level BPE`` ...
        n_merges: Length of the list of merges; 0 where scores decide, or nothing is merged.
        whole_first: Whether the tokenizer looks a whole word up before it merges.
        tokens: In the order asked for.
    """

    path: str
    method: str
    n_merges: int
    whole_first: bool
    tokens: tuple[BuiltToken, ...]


class NotRead(msgspec.Struct, frozen=True, tag="not_read"):
    """A tokenizer could not be read: an ``InferenceError`` by its wire name."""

    path: str
    error: str
    message: str
    hint: str = ""
    detail: str = ""


TokenOrder: TypeAlias = CutText | BuildTokens | TellLanguages
Told: TypeAlias = Cut | Built | Languages | NotRead

_ORDERS: Final = msgspec.json.Decoder(TokenOrder)
_TOLD: Final = msgspec.json.Decoder(Told)
encode = msgspec.json.encode
decode_order = _ORDERS.decode
decode_told = _TOLD.decode
