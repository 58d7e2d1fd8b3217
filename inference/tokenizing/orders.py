"""What a process that tells of tokenizers is asked, and what it answers: one JSON object a line."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from inference.tokenizing.merges import BuiltToken
from inference.types import TokenPiece


class CutText(msgspec.Struct, frozen=True, tag="cut"):
    """Cut a text as each of these models would; nothing is put before it."""

    paths: tuple[str, ...]
    text: str


class BuildTokens(msgspec.Struct, frozen=True, tag="build"):
    """Tell how tokens of one model came about."""

    path: str
    ids: tuple[int, ...]


class Cut(msgspec.Struct, frozen=True, tag="cut_text"):
    """One model's tokens; ``n_vocab`` is how many it knows."""

    path: str
    tokens: tuple[TokenPiece, ...]
    n_vocab: int


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


TokenOrder: TypeAlias = CutText | BuildTokens
Told: TypeAlias = Cut | Built | NotRead

_ORDERS: Final = msgspec.json.Decoder(CutText | BuildTokens)
_TOLD: Final = msgspec.json.Decoder(Cut | Built | NotRead)
encode = msgspec.json.encode
decode_order = _ORDERS.decode
decode_told = _TOLD.decode
