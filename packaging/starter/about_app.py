"""What Glasshouse can do and how; only what the app really has."""

from __future__ import annotations

from starter.topics import Topic, read_topics


def about_app() -> tuple[Topic, ...]:
    """Return the topics of ``texts/app.txt``."""
    return read_topics("app")
