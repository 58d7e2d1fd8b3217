"""The names of the commands, which can be looked at without importing what they need."""

from __future__ import annotations

COMMANDS = ("run", "models", "tokens", "inspect", "bench", "doctor", "chats", "engine-process")
"""First words that are no path of a model."""
