"""Hello, who are you, thanks, goodbye."""

from __future__ import annotations

from starter.topics import Topic, read_topics


def greetings() -> tuple[Topic, ...]:
    """Return the topics of ``texts/greetings.txt``."""
    return read_topics("greetings")
