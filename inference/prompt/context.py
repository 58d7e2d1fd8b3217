"""Whether a prompt fits into the context window."""

from __future__ import annotations

from inference.errors import ContextOverflowError


def check_fits(prompt_tokens: int, n_ctx: int) -> None:
    """Refuse a prompt that leaves no room for even one token of an answer.

    Args:
        prompt_tokens: Length of the prompt in tokens.
        n_ctx: Context of the loaded model in tokens.

    Raises:
        ContextOverflowError: With both numbers in its sentence.
    """
    if prompt_tokens < n_ctx:
        return
    raise ContextOverflowError(
        f"The prompt has {prompt_tokens:,} tokens, and the context of this model holds {n_ctx:,}, "
        "the answer included.",
        "Load the model with a larger context, shorten the text, or start a new chat.",
        f"prompt_tokens={prompt_tokens} n_ctx={n_ctx}",
    )
