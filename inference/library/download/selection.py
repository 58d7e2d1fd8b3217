"""Which files of a repository make a model that can run here.

Pickle files are never among them: opening one runs whatever program its author put inside.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from inference.errors import NothingRunnableError, RepositoryNotFoundError
from inference.library import split_files
from inference.library.checkpoint_folder import INDEX, PICKLES
from inference.library.sizes import format_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.library.download.values import Listing, RemoteFile

_PREFERRED = ("q4_k_m", "q4_k_s", "q5_k_m", "q4_0", "q8_0")
"""What is taken when nobody said: the usual compromise of size and quality, then its neighbours."""

_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")
_COMPANIONS = frozenset(
    {
        "config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt",
        "tokenizer.model", "chat_template.jinja", "chat_template.json", "README.md", "LICENSE",
        "LICENSE.txt", "LICENSE.md",
    }
)  # fmt: skip
_MOST_NAMED = 12
CHECKPOINT = "*.safetensors"
"""Asks for the safetensors with what belongs to them, also where there are GGUF files."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Files that belong together; ``main`` stands for them, empty means the folder does."""

    files: tuple[RemoteFile, ...]
    main: str = ""

    @property
    def size_bytes(self) -> int:
        """Bytes of all files."""
        return sum(file.size_bytes for file in self.files)


def gguf_choices(listing: Listing) -> tuple[Choice, ...]:
    """Return each GGUF model of a repository; the parts of a split one count once."""
    by_name = {file.path: file for file in listing.files}
    choices: list[Choice] = []
    for name in sorted(by_name):
        path = Path(name)
        if not name.lower().endswith(".gguf") or path.name.lower().startswith("mmproj"):
            continue
        if split_files.first_part(path) != path:
            continue
        parts = [part.as_posix() for part in split_files.parts(path)]
        if all(part in by_name for part in parts):
            choices.append(Choice(tuple(by_name[part] for part in parts), name))
    return tuple(choices)


def checkpoint_choice(listing: Listing) -> Choice | None:
    """Return the safetensors files with what an engine needs beside them, if there are any."""
    by_name = {file.path: file for file in listing.files}
    weights = [name for name in by_name if _SHARD.fullmatch(name)] if INDEX in by_name else []
    if not weights and "model.safetensors" in by_name:
        weights = ["model.safetensors"]
    if not weights or "config.json" not in by_name:
        return None
    names = {*weights, *(_COMPANIONS & set(by_name))}
    if len(weights) > 1:
        names.add(INDEX)
    return Choice(tuple(by_name[name] for name in sorted(names)))


def choose(listing: Listing, wanted: str = "") -> Choice:
    """Return what to download.

    Args:
        listing: The repository.
        wanted: A file, a part of a GGUF file's name such as ``Q4_K_M``, ``CHECKPOINT``, or empty.

    Raises:
        NothingRunnableError: Nothing here can run it; the sentence says why.
        RepositoryNotFoundError: No such file; the hint lists what there is.
    """
    choices = gguf_choices(listing) if wanted != CHECKPOINT else ()
    if wanted and wanted != CHECKPOINT:
        return _named(listing, choices, wanted)
    if choices:
        return _usual(listing, choices)
    checkpoint = checkpoint_choice(listing)
    if checkpoint is None:
        raise _nothing(listing)
    return checkpoint


def _named(listing: Listing, choices: tuple[Choice, ...], wanted: str) -> Choice:
    if PurePosixPath(wanted).suffix.lower() in PICKLES:
        raise NothingRunnableError(
            f"{wanted} is a pickle file. Opening one can run any program, so the app never "
            "downloads it.",
            "Look for the same model as GGUF or with .safetensors files.",
        )
    for choice in choices:
        if wanted in {file.path for file in choice.files}:
            return choice
    exact = [file for file in listing.files if file.path == wanted]
    if exact:
        return Choice((exact[0],), wanted)
    part = [choice for choice in choices if wanted.lower() in choice.main.lower()]
    if len(part) == 1:
        return part[0]
    raise RepositoryNotFoundError(
        f"{listing.repo} has no file {wanted}."
        if not part
        else f"Several files of {listing.repo} match {wanted}.",
        _offer(part or choices) or "Choose another file.",
    )


def _usual(listing: Listing, choices: tuple[Choice, ...]) -> Choice:
    if len(choices) == 1:
        return choices[0]
    for kind in _PREFERRED:
        found = [choice for choice in choices if kind in choice.main.lower()]
        if len(found) == 1:
            return found[0]
    raise RepositoryNotFoundError(
        f"{listing.repo} holds {len(choices)} GGUF models; say which one.", _offer(choices)
    )


def _nothing(listing: Listing) -> NothingRunnableError:
    names = [file.path for file in listing.files]
    pickles = [name for name in names if PurePosixPath(name).suffix in PICKLES]
    if any(name.endswith(".safetensors") for name in names):
        why = "its .safetensors files are not laid out as a model with a config.json"
    elif pickles:
        why = f"its weights are in {pickles[0]}, a pickle file that could run any program"
    else:
        why = "it has neither GGUF nor .safetensors files"
    return NothingRunnableError(
        f"{listing.repo} cannot run here: {why}.",
        "Look for the same model as GGUF; its name often ends in -GGUF.",
    )


def _offer(choices: Iterable[Choice]) -> str:
    rows = [f"{choice.main} ({format_bytes(choice.size_bytes)})" for choice in choices]
    if not rows:
        return ""
    more = f" and {len(rows) - _MOST_NAMED} more" if len(rows) > _MOST_NAMED else ""
    return f"There is: {', '.join(rows[:_MOST_NAMED])}{more}."
