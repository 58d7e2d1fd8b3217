"""Which model a person means by a name, part of one, or a path; and what to say when none."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from inference.errors import ModelNotFoundError, UnsupportedRequestError
from inference.library import split_files
from inference.library.checkpoint_folder import is_checkpoint_folder
from inference.library.describe import examine, is_gguf

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.types import ModelInfo

EngineChoice: TypeAlias = Literal["auto", "gguf", "native"]
_MANY = 8


def find_model(name: str, models: tuple[ModelInfo, ...], engine: EngineChoice) -> ModelInfo:
    """Return the model that a person means; see ``Library.find``."""
    wanted = name.strip()
    exact = [info for info in models if info.id.lower() == wanted.lower()]
    found = exact or _by_path(wanted, models) or _by_part(wanted, models)
    if len({_family(info) for info in found}) > 1:
        raise ModelNotFoundError(
            f"Several models match {wanted!r}.", f"Say which one: {_listed(found)}."
        )
    if not found:
        raise ModelNotFoundError(
            f"There is no installed model called {wanted!r}.", nearest(wanted, models)
        )
    return _form(found, models, engine)


def find_removed(name: str, ids: Sequence[str]) -> str:
    """Return the id that a person means among those that can come back.

    Args:
        name: An id, or a unique part of one.
        ids: See ``Library.restorable``.

    Raises:
        ModelNotFoundError: None or several match; the hint lists candidates.
    """
    wanted = name.strip().lower()
    found = [one for one in ids if one.lower() == wanted]
    found = found or [one for one in ids if wanted and wanted in one.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise ModelNotFoundError(
            f"Several removed models match {name!r}.", f"Say which one: {_shortened(found)}."
        )
    hint = "Nothing was removed that could come back."
    if ids:
        hint = f"What can come back: {_shortened(ids)}."
    raise ModelNotFoundError(f"There is no removed model called {name!r}.", hint)


def _by_path(name: str, models: tuple[ModelInfo, ...]) -> list[ModelInfo]:
    path = Path(name).expanduser().absolute()
    is_word = Path(name).name == name  # may happen to be the name of some folder here
    meant = path.is_file() or is_checkpoint_folder(path) or (path.is_dir() and not is_word)
    if not name or not (meant or name.lower().endswith(".gguf")):
        return []
    if is_gguf(path):
        path = split_files.first_part(path)
    installed = [info for info in models if Path(info.path) == path]
    if installed:
        return installed
    info, error = examine(path)
    if isinstance(error, ModelNotFoundError):
        raise error
    return [info]


def _by_part(name: str, models: tuple[ModelInfo, ...]) -> list[ModelInfo]:
    return [info for info in models if name and name.lower() in info.id.lower()]


def _family(info: ModelInfo) -> str:
    """Forms of one shipped model count as one model."""
    return re.sub(r"-(f16|native)$", "", info.id) if info.bundled else info.id


def _form(found: list[ModelInfo], models: tuple[ModelInfo, ...], engine: EngineChoice) -> ModelInfo:
    first = found[0]
    if engine in ("auto", first.engine):
        return first
    for info in models:
        if first.bundled and _family(info) == _family(first) and info.engine == engine:
            return info
    form, other = ("a GGUF file", "gguf") if first.engine == "gguf" else ("a folder", "native")
    raise UnsupportedRequestError(
        f"{first.id} is {form}, and the {engine} engine cannot run that.",
        f"Use --engine {other}, or choose another model.",
    )


def _listed(models: list[ModelInfo]) -> str:
    return _shortened([info.id for info in models])


def _shortened(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MANY} more" if len(ids) > _MANY else ""
    return ", ".join(ids[:_MANY]) + more


def nearest(name: str, models: Sequence[ModelInfo]) -> str:
    """Return a hint with the installed models that a name may have meant."""
    by_word = {word: info.id for info in models for word in (info.id, info.id.rsplit("/")[-1])}
    close = difflib.get_close_matches(name, by_word, n=3, cutoff=0.5)
    if close:
        ids = list(dict.fromkeys(by_word[word] for word in close))
        return f"Did you mean {' or '.join(ids)}?"
    if not models:
        return "No models are installed yet."
    return f"Installed are: {_listed(list(models))}."
