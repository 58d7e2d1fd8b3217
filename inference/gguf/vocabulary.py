"""A loaded model's vocabulary: text to ids, ids to bytes, and which tokens are special.

Knows nothing of conversations or chat templates beyond handing out the template's source.
"""

from __future__ import annotations

import ctypes
import itertools
import re
from typing import TYPE_CHECKING, Final

from inference.errors import CorruptCheckpointError, UnsupportedRequestError
from inference.gguf.library import api
from inference.types import TokenPiece

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llama_cpp.llama_cpp import llama_model_p, llama_vocab_p

_TURN_MARKER: Final = re.compile("<[|\uff5c].*[|\uff5c]>", re.DOTALL)  # U+FF5C: DeepSeek's bars
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_NEWLINE: Final = "\n"


class Vocabulary:
    """Tokenizes exactly as llama.cpp does, with the person's text kept apart from special tokens.

    Some files declare the markers of turns (``<|user|>``) as user-defined tokens, which llama.cpp
    makes out of typed text even without special parsing. Here they count as special like control
    tokens, and typed text is cut inside them. Other user-defined tokens (``<think>``, runs of
    spaces) are ordinary text, as for the tokenizers library.

    Args:
        model: A loaded ``llama_model``; must outlive this object.
        metadata: The file's metadata as texts, as ``GgufModel.metadata`` has it.
    """

    def __init__(self, model: llama_model_p, metadata: Mapping[str, str]) -> None:
        vocabulary = api.llama_model_get_vocab(model)
        # Asking a missing vocabulary for anything ends the process (GGML_ASSERT).
        if not vocabulary or api.llama_vocab_type(vocabulary) == api.LLAMA_VOCAB_TYPE_NONE:
            raise CorruptCheckpointError(
                "The file has no vocabulary, so the model cannot read or write text.",
                "Choose another model, or convert this one again.",
            )
        self._vocab: llama_vocab_p = vocabulary
        self._buffer = ctypes.create_string_buffer(256)
        self._pieces: dict[int, bytes] = {}
        self._displayed: dict[int, str] = {}
        self.size: int = api.llama_vocab_n_tokens(self._vocab)
        self.bos_id: int = api.llama_vocab_bos(self._vocab)
        self.adds_bos: bool = api.llama_vocab_get_add_bos(self._vocab)
        self.is_spm: bool = api.llama_vocab_type(self._vocab) == api.LLAMA_VOCAB_TYPE_SPM
        # llama.cpp puts a space before SentencePiece text unless the file says otherwise.
        prefix = metadata.get("tokenizer.ggml.add_space_prefix", "true")
        self.adds_space: bool = self.is_spm and prefix == "true"
        self.specials: dict[str, int] = {}
        self._control: set[int] = set()
        self.swallowing: set[int] = set()
        self._find_specials()
        self.eog_ids: tuple[int, ...] = self._find_eog()
        markers = sorted(
            (text for text, token in self.specials.items() if token not in self._control),
            key=len,
            reverse=True,
        )
        self._markers = re.compile("|".join(map(re.escape, markers))) if markers else None

    @property
    def handle(self) -> llama_vocab_p:
        """The vocabulary in C."""
        return self._vocab

    def text_of(self, token: int) -> str:
        """Return the text that stands for a token in the file; empty for -1 (no such token)."""
        if not 0 <= token < self.size:
            return ""
        return (api.llama_vocab_get_text(self._vocab, token) or b"").decode("utf-8", "replace")

    @property
    def bos_text(self) -> str:
        """The BOS token's text, empty when there is none."""
        return self.text_of(self.bos_id)

    @property
    def eos_text(self) -> str:
        """The EOS token's text, empty when there is none."""
        return self.text_of(api.llama_vocab_eos(self._vocab))

    def is_control(self, token: int) -> bool:
        """Whether a token is a control token, which has no text of its own."""
        return token in self._control

    def is_special(self, token: int) -> bool:
        """Whether a token is a control token or a marker of turns."""
        return token in self._control or self.text_of(token) in self.specials

    def tokenize(self, text: str, *, parse_special: bool = False) -> list[int]:
        """Split text into ids; nothing is put before or after it.

        Args:
            text: Any text; lone surrogates become U+FFFD.
            parse_special: Read special tokens written in the text as such. Without it the text
                is what a person typed, and no special token comes out.
        """
        if parse_special or self._markers is None:
            return self._split(text, parse_special=parse_special)
        found = [match.start() + 1 for match in self._markers.finditer(text)]
        if not found:
            return self._split(text, parse_special=False)
        cuts = [0, *found, len(text)]
        parts = [text[start:end] for start, end in itertools.pairwise(cuts)]
        ids = self._split(parts[0], parse_special=False)
        for part in parts[1:]:
            ids += self._split_onward(part)
        return ids

    def piece(self, token: int) -> bytes:
        """Return a token's bytes as they appear in an answer; control tokens have none.

        The bytes of one token may be part of a character.
        """
        known = self._pieces.get(token)
        if known is None:
            known = self._pieces[token] = self._read_piece(token, special=False)
        return known

    def display(self, token: int) -> str:
        """Return a token's text for display, special ones by name; U+FFFD where incomplete."""
        known = self._displayed.get(token)
        if known is None:
            data = self._read_piece(token, special=True)
            known = self._displayed[token] = data.decode("utf-8", "replace")
        return known

    def identity(self, token: int) -> tuple[bytes, str]:
        """Return what tells a token from every other: its bytes, and its text in the file."""
        return self.piece(token), self.text_of(token)

    def show(self, tokens: Iterable[int]) -> tuple[TokenPiece, ...]:
        """Return tokens for display, special ones with their text."""
        return tuple(map(self.shown, tokens))

    def shown(self, token: int) -> TokenPiece:
        """Return one token for display."""
        text = self.display(token)
        raw = self.piece(token) if "\ufffd" in text else b""
        return TokenPiece(token, text, self.is_special(token), raw)

    def check_ids(self, tokens: Sequence[int]) -> None:
        """Make sure that every id exists.

        Raises:
            UnsupportedRequestError: One does not.
        """
        for token in tokens:
            if not 0 <= token < self.size:
                raise UnsupportedRequestError(
                    f"Token id {token} does not exist in this model.",
                    f"Ids go from 0 to {self.size - 1:,}.",
                )

    def _find_specials(self) -> None:
        control = api.LLAMA_TOKEN_ATTR_CONTROL
        user = api.LLAMA_TOKEN_ATTR_USER_DEFINED
        get_attr = api.llama_vocab_get_attr
        for token in range(self.size):
            attr = get_attr(self._vocab, token)
            if attr & api.LLAMA_TOKEN_ATTR_RSTRIP:
                self.swallowing.add(token)
            if not attr & (control | user):
                continue
            text = self.text_of(token)
            if attr & control:
                self._control.add(token)
            elif not _TURN_MARKER.fullmatch(text):
                continue
            if text:
                self.specials[text] = token

    def _find_eog(self) -> tuple[int, ...]:
        named = {api.llama_vocab_eos(self._vocab), api.llama_vocab_eot(self._vocab)}
        maybe = (named | self._control | set(self.specials.values())) - {-1}
        return tuple(sorted(t for t in maybe if api.llama_vocab_is_eog(self._vocab, t)))

    def _split_onward(self, part: str) -> list[int]:
        """Tokenize text that goes on from other text: no space is put before it."""
        if not self.adds_space:
            return self._split(part, parse_special=False)
        lead = self._split(_NEWLINE, parse_special=False)
        ids = self._split(_NEWLINE + part, parse_special=False)
        if ids[: len(lead)] != lead:
            return self._split(part, parse_special=False)
        return ids[len(lead) :]

    def _split(self, text: str, *, parse_special: bool) -> list[int]:
        if not text:
            return []
        data = _LONE_SURROGATE.sub("\ufffd", text).encode("utf-8")
        room = len(data) + 8
        while True:
            ids = (api.llama_token * room)()
            count = api.llama_tokenize(
                self._vocab, data, len(data), ids, room, False, parse_special
            )
            if count >= 0:
                return list(ids[:count])
            room = -count

    def _read_piece(self, token: int, *, special: bool) -> bytes:
        while True:
            buffer = self._buffer
            length = api.llama_token_to_piece(self._vocab, token, buffer, len(buffer), 0, special)
            if length >= 0:
                return buffer.raw[:length]
            self._buffer = ctypes.create_string_buffer(-length)
