"""The same weights in another form: a GGUF model and the checkpoint it was made from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from inference.types import ModelInfo


def native_form(model: ModelInfo, installed: Iterable[ModelInfo]) -> ModelInfo | None:
    """Return the installed checkpoint with the weights of a GGUF model, by name and shape.

    ``None`` where there is none, or it cannot be loaded now. Files do not say what they were made
    from, so name, kind and every count have to be equal.
    """
    found = (
        other
        for other in installed
        if other.engine == "native"
        and not (other.problem or other.absent)
        and _signature(other) == _signature(model)
    )
    return next(found, None) if model.engine == "gguf" and model.parameters else None


def _signature(model: ModelInfo) -> tuple[object, ...]:
    name = model.name.casefold().removesuffix("-gguf").strip()
    return name, model.kind, model.parameters, model.n_layers, model.n_vocab
