from __future__ import annotations

import os

from inference.threads import choose_threads

TINY, LARGE = 3_000_000, 1_000_000_000


def test_a_persons_choice_wins_within_reason() -> None:
    assert choose_threads(3, TINY) == 3
    assert choose_threads(0, LARGE) == 1


def test_large_models_take_the_cores_and_tiny_ones_one_thread() -> None:
    assert choose_threads(None, TINY) == 1
    assert 1 <= choose_threads(None, LARGE) <= (os.cpu_count() or 1)
