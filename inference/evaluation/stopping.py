"""The end that a person asked for."""

from __future__ import annotations

from inference.errors import InferenceError


class StoppedError(InferenceError):
    """Measuring was stopped; what was measured before it stays."""

    def __init__(
        self, message: str = "Measuring was stopped.", hint: str = "", detail: str = ""
    ) -> None:
        super().__init__(message, hint, detail)
