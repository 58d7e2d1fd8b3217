"""How language models work: tokens, sampling, attention, files, and what base and instruct mean."""

from __future__ import annotations

from starter.topics import Topic, read_topics


def about_models() -> tuple[Topic, ...]:
    """Return the topics of ``texts/models.txt``."""
    return read_topics("models")
