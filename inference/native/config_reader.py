"""Typed access to a ``config.json`` from anywhere: every complaint names the key.

Knows no family; nothing in the file is trusted.
"""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from inference.errors import CorruptCheckpointError, UnsupportedArchitectureError

if TYPE_CHECKING:
    from collections.abc import Mapping

_GGUF_HINT = (
    "Look for this model as GGUF on the Models page, or with `glasshouse models search NAME --form "
    "gguf`: that engine knows many more models."
)
_DOWNLOAD_HINT = "Download the model again, or ask its author for a sound config.json."


def corrupt(what: str) -> CorruptCheckpointError:
    """Return the error for a value that cannot be true; ``what`` completes its sentence."""
    return CorruptCheckpointError(
        f"The model's config.json cannot be used: {what}.", _DOWNLOAD_HINT
    )


def unsupported(what: str) -> UnsupportedArchitectureError:
    """Return the error for what no network here computes; ``what`` completes its sentence."""
    return UnsupportedArchitectureError(
        f"The native engine cannot run this model: {what}.", _GGUF_HINT
    )


def quantized_elsewhere(form: str) -> UnsupportedArchitectureError:
    """Return the error for weights in a form of another program, as ``foreign`` names it."""
    return unsupported(f"its weights are quantized as {form}, which it does not read")


class ConfigReader:
    """One JSON object of a ``config.json``; a key that is null counts as absent.

    Every method raises ``CorruptCheckpointError`` for a value that cannot be true.
    """

    __slots__ = ("_config",)

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._config = config

    def __contains__(self, key: str) -> bool:
        """Whether the key is there, be it null."""
        return key in self._config

    def raw(self, key: str) -> Any:  # noqa: ANN401 - JSON, of any type until looked at
        """Return the value as found, None if absent."""
        return self._config.get(key)

    def inner(self, key: str) -> ConfigReader | None:
        """Return the object under ``key``, None if absent."""
        value = self._config.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise corrupt(f"{key} is not an object")
        return ConfigReader(value)

    def count(self, key: str, default: int | None = None, *, most: int) -> int:
        """Return a whole number from 1 to ``most``."""
        value = self._config.get(key)
        if value is None:
            value = default
        if value is None:
            raise corrupt(f"it does not say {key}")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
            raise corrupt(f"{key} is {value!r:.40}, where a number from 1 to {most} belongs")
        return value

    def number(self, key: str, default: float | None = None) -> float:
        """Return a number above zero."""
        value = self._config.get(key)
        if value is None:
            value = default
        if value is None:
            raise corrupt(f"it does not say {key}")
        return _positive(key, value)

    def optional_number(self, key: str) -> float | None:
        """Return a number above zero, None if absent."""
        return None if self._config.get(key) is None else self.number(key)

    def numbers(self, key: str) -> tuple[float, ...]:
        """Return a list of numbers above zero."""
        value = self._config.get(key)
        if not isinstance(value, list) or not value:
            raise corrupt(f"{key} is not a list of numbers")
        return tuple(_positive(key, item) for item in value)

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self._config.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise corrupt(f"{key} is {value!r:.40}, where true or false belongs")
        return value

    def only(self, key: str, allowed: tuple[object, ...], why: str) -> None:
        """Refuse a variant whose computation the network does not have.

        Raises:
            UnsupportedArchitectureError: The key is there, and its value not in ``allowed``.
        """
        value = self._config.get(key)
        if value is not None and value not in allowed:
            raise unsupported(f"{why} ({key}: {value!r:.40})")


def _positive(key: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise corrupt(f"{key} is {value!r:.40}, where a number belongs")
    if not (isfinite(value) and 0 < value <= 1e12):
        raise corrupt(f"{key} is {value!r:.40}, where a number above zero belongs")
    return float(value)
