from __future__ import annotations

from inference.prompt.digest import prompt_digest


def test_other_ids_another_order_and_another_length_give_another_digest() -> None:
    texts = ([], [1], [2], [1, 2], [2, 1], [1, 2, 0], [258], [2, 1, 0])
    digests = {prompt_digest(ids) for ids in texts}
    assert len(digests) == len(texts)
    assert all(len(digest) == 16 for digest in digests)


def test_the_same_ids_give_the_same_digest_in_every_process() -> None:
    assert prompt_digest((1, 258, 70_000)) == prompt_digest([1, 258, 70_000]) == "a026399dfc726a80"
