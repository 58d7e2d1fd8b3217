"""Contrastive search (Su et al. 2022, "A Contrastive Framework for Neural Text Generation")."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch.nn import functional as F  # noqa: N812 - the name PyTorch's own pages use

from inference.native.sampling import check_finite

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from inference.cancel import CancelToken
    from inference.native.penalties import Penalties
    from inference.native.session import Session
    from inference.types import SamplingParams


def contrastive_tokens(
    session: Session,
    params: SamplingParams,
    penalties: Penalties,
    seen: Tensor,
    *,
    prompt: Sequence[int],
    limit: int,
    cancel: CancelToken,
) -> Iterator[tuple[int, Tensor]]:
    """Yield tokens that are likely and yet say something new, with the logits before each, (V,).

    Of the ``top_k`` likeliest tokens v, the one with the largest
    ``(1 - alpha) * p(v) - alpha * max_j cosine(h_v, h_j)`` is taken (equation 5); h is the stream
    after the last norm, j goes over all that was read.

    Args:
        session: It has read the prompt.
        params: ``top_k`` and ``penalty_alpha`` are read.
        penalties: They act before the candidates are chosen.
        seen: h of every token of the prompt, (S, C).
        prompt: Its ids, for the penalties.
        limit: Most tokens that may be asked for.
        cancel: Ends the work in the middle of a pass.

    Raises:
        StoppedError: A stop was asked for.
        CorruptCheckpointError: The scores are not numbers.
    """
    logits = session.next_logits()  # (V,)
    count = min(params.top_k, logits.numel())
    branches = session.branch(count, limit)
    history = list(prompt)
    alpha = params.penalty_alpha
    n_seen = seen.shape[0]
    directions = seen.new_empty(n_seen + limit, seen.shape[1], dtype=torch.float32)
    directions[:n_seen] = F.normalize(seen.float(), dim=-1)  # (S, C)
    while True:
        check_finite(logits)
        chances = penalties.apply(logits, history).softmax(0)  # (V,)
        likely, ids = chances.topk(count)  # (K,) each
        stream = branches.read(ids.tolist(), cancel)  # (K, 1, C)
        candidates = F.normalize(session.represent(stream)[:, 0].float(), dim=-1)  # (K, C)
        likeness = (candidates @ directions[:n_seen].T).amax(1)  # (K,)
        worth = (1 - alpha) * likely - alpha * likeness.cpu()  # (K,)
        place = int(worth.argmax())
        token = int(ids[place])
        yield token, logits
        history.append(token)
        directions[n_seen] = candidates[place]
        n_seen += 1
        branches.keep([place] * count, 1)
        logits = branches.score(stream[place : place + 1])[0]  # (V,)
