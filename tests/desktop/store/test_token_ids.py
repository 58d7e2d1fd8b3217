from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from desktop.store.token_ids import TokenIds, unpack

IDS = st.lists(st.integers(0, 2**32 - 1))


@given(st.integers(0, 2**31), st.lists(IDS))
def test_ids_come_back_as_they_were_written(start: int, batches: list[list[int]]) -> None:
    ids = TokenIds(start)
    for batch in batches:
        ids.extend(batch)
    written = tuple(one for batch in batches for one in batch)
    assert unpack(ids.packed()) == ((start, written) if written else (0, ()))


def test_they_are_little_endian_32_bit_numbers_behind_the_start() -> None:
    ids = TokenIds(2)
    ids.extend((1, 258))
    assert ids.packed() == b"\x02\0\0\0\x01\0\0\0\x02\x01\0\0"


def test_what_is_no_row_of_numbers_is_as_good_as_nothing() -> None:
    assert unpack(b"\x02\0\0\0\x01") == (0, ())
