"""A checkpoint's tokenizer as the vocabulary of a GGUF file, held against the original.

Two kinds of tokenizer.json have a counterpart: byte-level BPE (``gpt2`` in GGUF) and BPE over
SentencePiece's alphabet with byte fallback (``llama``), whose merges become scores there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gguf import TokenType

from inference.convert.pre_tokenizer import pre_tokenizer_name, pre_tokenizer_steps
from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError
from inference.library.checkpoint_folder import read_json
from inference.library.template_facts import TURN_ENDS
from inference.native.tokenizer import CheckpointTokenizer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONE_BYTE: Final = re.compile(r"<0x[0-9A-Fa-f]{2}>")
_NO_SPACE: Final = (
    "Texts without a chat begin without the space that the folder's tokenizer puts there; GGUF can "
    "have it in chats, too, or not at all, and chats are cut as they were."
)
_TWO_SPACES: Final = (
    "A text that itself begins with a space gets another one, which the folder's tokenizer leaves "
    "out."
)
_HINT: Final = "It runs from its folder as it is."


@dataclass(frozen=True, slots=True)
class GgufVocabulary:
    """What the new file will say about its tokens.

    Attributes:
        tokenizer: The original, which the new one must agree with.
        model: GGUF's name of the kind.
        pre: llama.cpp's name of the cuts before merging; empty where there are none.
        tokens: Text of every id, as the vocabulary writes it.
        types: What every token is.
        merges: Pairs, first come first merged; for byte-level BPE.
        scores: Of every token, the highest is merged first; for the other kind.
        adds_space: A space is put before every text that is cut; for the other kind.
        doubles_space: A text that begins with a space gets another one, unlike in the original.
        notes: Sentences for the person: what differs from the original.
    """

    tokenizer: CheckpointTokenizer
    model: str
    pre: str
    tokens: tuple[str, ...]
    types: tuple[TokenType, ...]
    merges: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    adds_space: bool = False
    doubles_space: bool = False
    notes: tuple[str, ...] = ()

    def original_ids(self, text: str) -> list[int]:
        """Return what the original makes of a text that is cut as the file's texts will be."""
        return self.tokenizer.encode(
            text, at_start=self.adds_space or self.tokenizer.leading_space == "never"
        )


def read_vocabulary(
    folder: Path, config_json: Mapping[str, Any], vocab_size: int
) -> GgufVocabulary:
    """Read a checkpoint's tokenizer.

    Args:
        folder: The checkpoint.
        config_json: Its config.json.
        vocab_size: Ids that the network knows.

    Raises:
        CorruptCheckpointError: A file is missing or damaged, or has more tokens than the network.
        UnsupportedArchitectureError: The tokenizer has no counterpart in GGUF.
    """
    tokenizer = CheckpointTokenizer(folder, dict(config_json))
    described = read_json(folder / "tokenizer.json")
    model = described.get("model")
    if not isinstance(model, dict) or not isinstance(model.get("vocab"), dict):
        kind = model.get("type") if isinstance(model, dict) else None
        raise _refused(f"its tokenizer is of the kind {kind!r:.40}, not BPE")
    texts = {int(token_id): str(text) for text, token_id in model["vocab"].items()}
    texts |= {token.id: token.text for token in tokenizer.added.values()}
    if max(texts, default=-1) >= vocab_size:
        raise CorruptCheckpointError(
            f"The tokenizer has tokens up to id {max(texts):,}, and the network knows "
            f"{vocab_size:,}.",
            "Download the model again, with its tokenizer files.",
        )
    tokens = tuple(texts.get(token_id, f"[PAD{token_id}]") for token_id in range(vocab_size))
    if model.get("type") == "BPE" and model.get("byte_fallback"):
        return _sentencepiece(tokenizer, described, texts, tokens)
    return _byte_level(tokenizer, described, texts, tokens)


def _byte_level(
    tokenizer: CheckpointTokenizer,
    described: Mapping[str, Any],
    texts: Mapping[int, str],
    tokens: tuple[str, ...],
) -> GgufVocabulary:
    pre = pre_tokenizer_name(described)
    if pre is None or described["model"].get("type") != "BPE":
        raise _refused("its tokenizer cuts text in a way that llama.cpp has no name for")
    types = tuple(_type(tokenizer, texts, token_id) for token_id in range(len(tokens)))
    merges = tuple(" ".join(pair) for pair in _pairs(described))
    return GgufVocabulary(tokenizer, "gpt2", pre, tokens, types, merges=merges)


def _sentencepiece(
    tokenizer: CheckpointTokenizer,
    described: Mapping[str, Any],
    texts: Mapping[int, str],
    tokens: tuple[str, ...],
) -> GgufVocabulary:
    unknown = described["model"].get("unk_token")
    types = tuple(
        TokenType.BYTE
        if _LONE_BYTE.fullmatch(text)
        else TokenType.UNKNOWN
        if text == unknown
        else _type(tokenizer, texts, token_id)
        for token_id, text in enumerate(tokens)
    )
    # GGUF knows "before every text" and "never". In chats texts follow special tokens.
    in_chats_only = tokenizer.leading_space == "first" and tokenizer.chat_template is not None
    adds_space = not (in_chats_only or tokenizer.leading_space == "never")
    steps = pre_tokenizer_steps(described)
    doubles_space = adds_space and any(step.get("type") == "Metaspace" for step in steps)
    ranks: dict[str, int] = {}
    for rank, pair in enumerate(_pairs(described)):
        ranks.setdefault("".join(pair), rank)
    scores = tuple(0.0 - ranks.get(text, 0) for text in tokens)
    return GgufVocabulary(
        tokenizer,
        "llama",
        "default",
        tokens,
        types,
        scores=scores,
        adds_space=adds_space,
        doubles_space=doubles_space,
        notes=(_NO_SPACE,) if in_chats_only else (_TWO_SPACES,) if doubles_space else (),
    )


def _type(tokenizer: CheckpointTokenizer, texts: Mapping[int, str], token_id: int) -> TokenType:
    added = tokenizer.added.get(token_id)
    if added is not None:
        return TokenType.CONTROL if added.control else TokenType.USER_DEFINED
    return TokenType.NORMAL if token_id in texts else TokenType.UNUSED


def _pairs(described: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the merges; older files write a pair as one text."""
    pairs: list[tuple[str, str]] = []
    for merge in described["model"].get("merges") or ():
        parts = merge.split(" ") if isinstance(merge, str) else merge
        if not (isinstance(parts, list) and len(parts) == 2 and all(map(_is_text, parts))):
            raise CorruptCheckpointError(
                "The model's tokenizer cannot be used: tokenizer.json has a merge that is no pair.",
                "Download the model again, with its tokenizer files.",
            )
        pairs.append((parts[0], parts[1]))
    return pairs


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def write_vocabulary(writer: Any, vocabulary: GgufVocabulary) -> None:  # noqa: ANN401 - gguf's writer has no stable type
    """Add the vocabulary's keys to a ``gguf.GGUFWriter``."""
    tokenizer = vocabulary.tokenizer
    writer.add_tokenizer_model(vocabulary.model)
    writer.add_tokenizer_pre(vocabulary.pre)
    writer.add_token_list(vocabulary.tokens)
    writer.add_token_types(vocabulary.types)
    if vocabulary.model == "gpt2":
        writer.add_token_merges(vocabulary.merges)
    else:
        writer.add_token_scores(vocabulary.scores)
        writer.add_add_space_prefix(vocabulary.adds_space)
        if TokenType.UNKNOWN in vocabulary.types:
            writer.add_unk_token_id(vocabulary.types.index(TokenType.UNKNOWN))
    _write_begin(writer, tokenizer)
    _write_ends(writer, tokenizer)


def _write_begin(writer: Any, tokenizer: CheckpointTokenizer) -> None:  # noqa: ANN401 - as above
    """Name the token that begins a text, and write the template that may begin with it.

    Where none is named llama.cpp takes token 11, so the one that ends is named, which stands
    between texts in such models; a template must not write it all the same.
    """
    template = tokenizer.chat_template
    begins = tokenizer.bos_id
    if begins is None:
        begins = tokenizer.eos_id
        if template is not None and "bos_token" in template:
            template = "{%- set bos_token = '' -%}" + template
    if begins is not None:
        writer.add_bos_token_id(begins)
    writer.add_add_bos_token(tokenizer.adds_bos)
    if template is not None:
        writer.add_chat_template(template)


def _write_ends(writer: Any, tokenizer: CheckpointTokenizer) -> None:  # noqa: ANN401 - as above
    """Name the tokens that end an answer; those in ``TURN_ENDS`` llama.cpp knows by their text."""
    if tokenizer.eos_id is None:
        return
    writer.add_eos_token_id(tokenizer.eos_id)
    others = [
        token_id
        for token_id in tokenizer.eos_ids
        if token_id != tokenizer.eos_id and tokenizer.text(token_id) not in TURN_ENDS
    ]
    for token_id, add in zip(
        others, (writer.add_eot_token_id, writer.add_eom_token_id), strict=False
    ):
        add(token_id)


def _refused(what: str) -> UnsupportedArchitectureError:
    return UnsupportedArchitectureError(f"This model cannot become a GGUF file: {what}.", _HINT)
