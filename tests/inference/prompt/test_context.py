from __future__ import annotations

import pytest

from inference.errors import ContextOverflowError
from inference.prompt.context import check_fits


def test_a_prompt_with_room_for_one_token_fits() -> None:
    check_fits(4_095, 4_096)


@pytest.mark.parametrize("prompt_tokens", [4_096, 5_012])
def test_a_prompt_without_room_is_refused_with_both_numbers(prompt_tokens: int) -> None:
    with pytest.raises(ContextOverflowError) as caught:
        check_fits(prompt_tokens, 4_096)
    assert f"{prompt_tokens:,}" in caught.value.message
    assert "4,096" in caught.value.message
    assert caught.value.hint
