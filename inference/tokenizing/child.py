"""The process that tells of tokenizers: no weights are read, and a crash costs the caller nothing.

Answers go to what was standard output; whatever libraries print goes to standard error.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from inference.errors import CorruptCheckpointError, InferenceError, ModelNotFoundError, wire_name
from inference.host.settle import hold_life_line
from inference.tokenizing.merges import built
from inference.tokenizing.orders import (
    BuildTokens,
    Built,
    Cut,
    CutText,
    Languages,
    NotRead,
    TellLanguages,
    decode_order,
    encode,
)
from inference.tokenizing.rules import read_rules

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from inference.tokenizing.orders import LanguageCost, TokenOrder, Told
    from inference.types import TokenPiece

    Costs = Callable[[tuple[TokenPiece, ...]], tuple[LanguageCost, ...]]


def tell() -> int:
    """Read one order from standard input and answer it; return the process's exit status."""
    answers = os.dup(1)
    os.dup2(2, 1)
    order = decode_order(sys.stdin.buffer.readline())
    hold_life_line()
    for told in _answers(order):
        line = memoryview(encode(told) + b"\n")
        while line:
            line = line[os.write(answers, line) :]
    return 0


def _answers(order: TokenOrder) -> Iterator[Told]:
    if isinstance(order, TellLanguages):
        yield Languages(_costs_by_language(order.said)(order.tokens))
        return
    costs = None
    if isinstance(order, CutText) and order.languages:
        costs = _costs_by_language(order.said)
    for path in order.paths if isinstance(order, CutText) else (order.path,):
        try:
            _check_there(path)
            if isinstance(order, BuildTokens):
                yield _build(order)
                continue
            cut = _cut(Path(path), order)
            yield cut if costs is None else replace(cut, languages=costs(cut.tokens))
        except InferenceError as exc:
            yield NotRead(path, wire_name(exc), exc.message, exc.hint, exc.detail)
        except Exception as exc:  # noqa: BLE001  the others are answered all the same
            yield _damaged(path, exc)


def _costs_by_language(said: tuple[str, ...] = ()) -> Costs:
    """Load what tells languages; return what counts a text's tokens by them."""
    from inference.tokenizing.by_language import by_language  # noqa: PLC0415  with its model
    from inference.tokenizing.languages import teller  # noqa: PLC0415

    tell = teller()
    return lambda tokens: by_language(tokens, tell, said)


def _check_there(path: str) -> None:
    if not Path(path).exists():
        raise ModelNotFoundError(
            f"{path} is not there any longer.", "Put it back, or choose another model."
        )


def _damaged(path: str, exc: Exception) -> NotRead:
    """Return what is said of a file in which something stands that nobody expected."""
    return NotRead(
        path,
        wire_name(CorruptCheckpointError("")),
        "The tokenizer of this model cannot be read: its file holds what no tokenizer has.",
        "Download the model again, or choose another one.",
        "".join(traceback.format_exception(exc)),
    )


def _build(order: BuildTokens) -> Built:
    rules = read_rules(Path(order.path))
    tokens = tuple(built(token_id, rules) for token_id in order.ids)
    return Built(order.path, rules.name, len(rules.ranks), rules.whole_first, tokens)


def _cut(path: Path, order: CutText) -> Cut:
    return _cut_by_file(path, order) if path.is_file() else _cut_by_folder(path, order)


def _cut_by_file(path: Path, order: CutText) -> Cut:
    from inference.gguf.vocabulary_file import opened_vocabulary  # noqa: PLC0415  large library
    from inference.library.gguf_header import read_header  # noqa: PLC0415

    adds_space = read_header(path).metadata.get("tokenizer.ggml.add_space_prefix", True) is True
    with opened_vocabulary(path, adds_space=adds_space) as vocabulary:
        ids = vocabulary.tokenize(order.text, parse_special=order.special)
        return Cut(str(path), vocabulary.show(ids), vocabulary.size)


def _cut_by_folder(folder: Path, order: CutText) -> Cut:
    from inference.library.checkpoint_folder import read_config  # noqa: PLC0415
    from inference.native.tokenizer import CheckpointTokenizer  # noqa: PLC0415  large library
    from inference.prompt.segments import split_specials  # noqa: PLC0415  only for this

    tokenizer = CheckpointTokenizer(folder, read_config(folder))
    if order.special:
        ids = tokenizer.encode_segments(split_specials(order.text, tokenizer.specials))
    else:
        ids = tokenizer.encode(order.text)
    return Cut(str(folder), tuple(map(tokenizer.shown, ids)), tokenizer.size)
