"""One answer: read the prompt, then draw and compute token by token, as events.

Knows nothing of messages, templates or files.
"""

from __future__ import annotations

import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Final

from inference.beam_search import PROMPT
from inference.errors import UnsupportedRequestError
from inference.events import Finished, PromptProgress, Started
from inference.gguf.beam import BeamDecoder
from inference.gguf.probabilities import Distribution, check_finite
from inference.gguf.sampler import Sampler
from inference.gguf.samples import SequenceRows
from inference.gguf.session import BATCH_TOKENS
from inference.prompt.context import check_fits
from inference.samples import Drawn, SampleBatch
from inference.sampling_rules import check_alternatives, check_params, pick_seed
from inference.text.answer import AnswerStream
from inference.types import Timings, Usage

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from inference.beam_search import BeamSearch
    from inference.cancel import CancelToken
    from inference.events import EngineEvent
    from inference.gguf.probabilities import Logits
    from inference.gguf.session import Session
    from inference.gguf.vocabulary import Vocabulary
    from inference.types import Candidate, FinishReason, GenerationRequest, SamplingParams

_NOT_WITH_BEAMS: Final = {
    "repeat_penalty": 1,
    "frequency_penalty": 0,
    "presence_penalty": 0,
    "dry_multiplier": 0,
    "no_repeat_ngram": 0,
    "logit_bias": (),
}


class Generation:
    """The work on one request; made for it and thrown away.

    Args:
        session: The context; what it holds from earlier requests is reused.
        vocabulary: The model's.
        request: Sampling, alternatives and stops are read from it.
        prompt: Its ids, at least one.
        load_s: Seconds the model took to load, for the timings.

    Raises:
        UnsupportedRequestError: A setting has no meaning.
        ContextOverflowError: The prompt does not fit.
    """

    def __init__(
        self,
        session: Session,
        vocabulary: Vocabulary,
        request: GenerationRequest,
        prompt: Sequence[int],
        load_s: float,
    ) -> None:
        check_alternatives(request.top_n)
        check_params(request.sampling, vocabulary.size)
        _check_strategy(request.sampling)
        check_fits(len(prompt), session.n_ctx)
        self._session = session
        self._vocabulary = vocabulary
        self._request = request
        self._prompt = prompt
        self._load_s = load_s
        self._eog = frozenset(vocabulary.eog_ids)
        room = session.n_ctx - len(prompt)
        asked = request.sampling.max_tokens
        self._limit = room if asked is None else min(asked, room)
        self.search: BeamSearch | None = None
        self._batch: SampleBatch | None = None
        self._reused = 0
        self._read = 0
        self._drawn = 0
        self._steps = 0
        self._prompt_s = 0.0
        self._decode_s = 0.0
        # SentencePiece writes the space before a word into the word; at the very beginning of a
        # text, or after a special token, no space is meant.
        self._drops_space = vocabulary.adds_space and vocabulary.is_control(prompt[-1])

    def events(self, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Yield the events from ``Started`` to ``Finished``; breaking off ends the work.

        Raises:
            InferenceError: llama.cpp could not go on; what the cache holds stays sound.
        """
        request = self._request
        seed = pick_seed(request.sampling)
        self._reused = self._session.reuse(self._prompt)
        yield Started(
            request.request_id, self._session.n_ctx, len(self._prompt), self._reused, seed
        )
        reason: FinishReason = "cancelled"
        if (yield from self._read_prompt(cancel)):
            if request.sampling.strategy == "beam":
                reason = yield from self._search(cancel)
            elif request.sampling.samples > 1:
                reason = yield from self._draw_samples(seed, cancel)
            else:
                with closing(self._sampler(seed)) as sampler:
                    reason = yield from self._answer(sampler, cancel)
        samples = () if self._batch is None else self._batch.ends
        yield Finished(request.request_id, reason, self._usage(), self._timings(), samples)

    def _sampler(self, seed: int) -> Sampler:
        return Sampler(self._request.sampling, seed, self._vocabulary, self._prompt)

    def _read_prompt(self, cancel: CancelToken) -> Generator[EngineEvent, None, bool]:
        """Read what is new of the prompt in chunks; return whether it was read to its end."""
        total = len(self._prompt)
        for start in range(self._reused, total, BATCH_TOKENS):
            if cancel.cancelled:
                return False
            began = time.perf_counter()
            chunk = self._prompt[start : start + BATCH_TOKENS]
            complete = self._session.read(chunk, cancel)
            self._prompt_s += time.perf_counter() - began
            if not complete:
                return False
            self._read += len(chunk)
            yield PromptProgress(self._request.request_id, start + len(chunk), total)
        return True

    def _answer(
        self, sampler: Sampler, cancel: CancelToken
    ) -> Generator[EngineEvent, None, FinishReason]:
        """Draw tokens until something ends the answer; return the reason."""
        stream = AnswerStream(self._request.request_id, self._request.sampling.stop)
        reason = yield from self._draw_tokens(sampler, stream, cancel)
        yield from stream.finish()
        return reason

    def _draw_tokens(
        self, sampler: Sampler, stream: AnswerStream, cancel: CancelToken
    ) -> Generator[EngineEvent, None, FinishReason]:
        session = self._session
        while self._drawn < self._limit:
            if cancel.cancelled:
                return "cancelled"
            began = time.perf_counter()
            logits = session.logits()
            check_finite(logits)
            token = sampler.sample(session.context, logits)
            if token in self._eog:
                self._decode_s += time.perf_counter() - began
                return "stop"
            shown = self._shown(token, logits)
            self._drawn += 1
            events, stopped = stream.push(token, self._piece(token), *shown)
            self._decode_s += time.perf_counter() - began
            yield from events
            if stopped:
                return "stop"
            if self._drawn < self._limit and not self._compute(token, cancel):
                return "cancelled"
        return "length"

    def _draw_samples(
        self, seed: int, cancel: CancelToken
    ) -> Generator[EngineEvent, None, FinishReason]:
        """Draw several answers side by side."""
        if self._limit < 1:
            return "length"
        batch = self._batch = SampleBatch(
            self._request, seed, limit=self._limit, ends=self._eog, drops_space=self._drops_space
        )
        with ExitStack() as stack:
            samplers = [stack.enter_context(closing(self._sampler(own))) for own in batch.seeds]
            rows = SequenceRows(self._session, samplers, self._limit, self._tell, cancel)
            stack.callback(rows.close)
            reason = yield from batch.events(rows, cancel)
        self._drawn, self._steps, self._decode_s = batch.written, batch.steps, batch.decode_s
        return reason

    def _tell(self, token: int, logits: Logits) -> Drawn:
        return Drawn(token, self._vocabulary.piece(token), *self._shown(token, logits))

    def _shown(self, token: int, logits: Logits) -> tuple[float | None, tuple[Candidate, ...]]:
        if not self._request.top_n:
            return None, ()
        distribution = Distribution.of(logits)
        top = distribution.top(self._request.top_n, self._vocabulary.display)
        return distribution.logprob(token), top

    def _search(self, cancel: CancelToken) -> Generator[EngineEvent, None, FinishReason]:
        """Follow several answers at once; then tell the best one."""
        if self._limit < 1:
            return "length"
        began = time.perf_counter()
        tops: dict[int, tuple[Candidate, ...]] = {}
        top_n = self._request.top_n

        def look(distribution: Distribution, node: int) -> None:
            tops[node] = distribution.top(top_n, self._vocabulary.display)

        decoder = BeamDecoder(
            self._session, self._request.sampling, limit=self._limit, ends=self._eog, look=look
        )
        search = self.search = decoder.search
        complete = decoder.run(cancel)
        self._steps = max(0, search.length - 1)
        self._decode_s = time.perf_counter() - began
        stream = AnswerStream(self._request.request_id, self._request.sampling.stop)
        path = search.path(search.winner)
        tokens = search.tokens(search.winner)
        reason: FinishReason = "length" if complete else "cancelled"
        for node, before, token in zip(path, (PROMPT, *path), tokens, strict=False):
            stopped = token in self._eog
            if not stopped:
                self._drawn += 1
                logprob = search.logprob(node) if top_n else None
                events, stopped = stream.push(token, self._piece(token), logprob, tops[before])
                yield from events
            if stopped:
                reason = "stop"
                break
        yield from stream.finish()
        return reason

    def _compute(self, token: int, cancel: CancelToken) -> bool:
        began = time.perf_counter()
        complete = self._session.read((token,), cancel)
        self._decode_s += time.perf_counter() - began
        self._steps += complete
        return complete

    def _piece(self, token: int) -> bytes:
        piece = self._vocabulary.piece(token)
        if self._drops_space and self._drawn == 1:
            return piece.removeprefix(b" ")
        return piece

    def _usage(self) -> Usage:
        return Usage(len(self._prompt), self._drawn, self._reused)

    def _timings(self) -> Timings:
        return Timings(
            load_s=self._load_s,
            prompt_s=self._prompt_s,
            decode_s=self._decode_s,
            prompt_tokens_per_s=self._read / self._prompt_s if self._prompt_s else 0.0,
            tokens_per_s=self._steps / self._decode_s if self._decode_s else 0.0,
        )


def _check_strategy(params: SamplingParams) -> None:
    if params.strategy == "contrastive":
        raise UnsupportedRequestError(
            "The gguf engine has no strategy contrastive.",
            "Choose another strategy, or load the model's folder with the native engine.",
        )
    if params.strategy != "beam":
        return
    for name, off in _NOT_WITH_BEAMS.items():
        if getattr(params, name) != off:
            raise UnsupportedRequestError(
                f"The gguf engine has no {name.replace('_', ' ')} in beam search.",
                "Leave it out, or load the model's folder with the native engine.",
            )
