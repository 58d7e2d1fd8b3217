"""The native engine: one checkpoint folder, answered from by PyTorch.

Ties the parts of this room together and speaks the contract of ``inference.engine``.
"""

from __future__ import annotations

import gc
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec
import torch

from inference.beam_search import no_beam_tree
from inference.errors import (
    BadChatTemplateError,
    InferenceError,
    UnsupportedRequestError,
)
from inference.events import failed
from inference.inside.answering import answer
from inference.library.template_facts import TemplateFacts
from inference.library.turn_ends import TurnEnds, find_turn_ends
from inference.native.answering import Answer, candidates
from inference.native.compiled import compiled_if_asked
from inference.native.device import (
    choose_device,
    choose_precision,
    device_name,
    memory_errors_translated,
)
from inference.native.drafting import DraftNetwork
from inference.native.inside import NativeSource
from inference.native.loading import load_with
from inference.native.past import past_work
from inference.native.session import Session, StoppedError
from inference.native.tokenizer import CheckpointTokenizer
from inference.native.weights import open_checkpoint
from inference.past.keeper import memory_limit
from inference.prompt.chat_template import ChatTemplate
from inference.prompt.context import check_fits
from inference.prompt.segments import render_segments, split_specials
from inference.prompt.turn_stops import with_turn_stops
from inference.repetition import find_breakers
from inference.sampling_rules import check_alternatives
from inference.threads import choose_threads
from inference.types import LoadedModel, RenderedPrompt, TokenPiece

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.beam_search import BeamSearch
    from inference.cancel import CancelToken
    from inference.engine import LoadSink
    from inference.events import EngineEvent
    from inference.inside.questions import Finding, Question
    from inference.native.network import Network
    from inference.past.keeper import PastWork
    from inference.repetition import Breakers
    from inference.types import BeamTree, Candidate, GenerationRequest, LoadOptions, Message

_DEFAULT_N_CTX = 4096


def open_engine(options: LoadOptions, progress: LoadSink, cancel: CancelToken) -> NativeEngine:
    """Load a checkpoint folder; see ``inference.engine.OpenEngine``.

    The context is never longer than the one the network was trained for.

    Raises:
        InferenceError: One of its children; the base class when ``cancel`` was set.
    """
    started = perf_counter()
    device, reason = choose_device(options.device)
    checkpoint = open_checkpoint(Path(options.path))
    tokenizer = CheckpointTokenizer(checkpoint.folder, checkpoint.config_json)
    config = checkpoint.config
    n_ctx = min(options.n_ctx or _DEFAULT_N_CTX, config.context)
    if n_ctx < 1:
        raise UnsupportedRequestError(
            f"A context of {options.n_ctx} tokens holds nothing.", "Choose at least 1."
        )
    precision = choose_precision(options.dtype, checkpoint.dtype, checkpoint.parameters, device)
    threads = choose_threads(options.threads, checkpoint.parameters)
    torch.set_num_threads(threads)

    def compiling(fraction: float) -> None:
        if cancel.cancelled:
            raise InferenceError("Loading was stopped.")
        progress(fraction, "compiling")

    with memory_errors_translated("loading the model"):
        network, weights_bytes = load_with(precision, checkpoint, device, progress, cancel)
        session = Session(network, n_ctx, precision.cache, device)
        choice, size = options.compile, checkpoint.parameters
        reason += compiled_if_asked(session, choice, device, size, compiling)
        draft = None
        if options.draft:
            draft = DraftNetwork(options, tokenizer, n_ctx, device, cancel)
    template = options.chat_template or tokenizer.chat_template
    ends = _turn_ends(template, tokenizer, config.family)
    past = past_work(session, checkpoint, f"{precision.name}, {device_name(device)}", options.past)
    loaded = LoadedModel(
        engine="native",
        name=checkpoint.folder.name,
        architecture=config.family,
        n_ctx=n_ctx,
        n_ctx_train=config.context,
        n_vocab=config.vocab_size,
        n_layers=config.n_layers,
        parameters=checkpoint.parameters,
        has_chat_template=bool(template),
        device=device_name(device),
        gpu_layers=0 if device.type == "cpu" else config.n_layers,
        device_reason=reason,
        dtype=precision.name,
        threads=threads,
        load_s=perf_counter() - started,
        weights_bytes=weights_bytes,
        kv_cache_bytes=session.cache_bytes,
        adds_bos=tokenizer.adds_bos,
        eos_ids=tuple(dict.fromkeys((*tokenizer.eos_ids, *ends.ids))),
        turn_stops=ends.texts,
        past_bytes=memory_limit(options.past),
    )
    if draft is not None:
        loaded = _with_draft(loaded, draft)
    return NativeEngine(
        network, session, tokenizer, loaded, template=template, past=past, draft=draft
    )


def _with_draft(loaded: LoadedModel, draft: DraftNetwork) -> LoadedModel:
    return msgspec.structs.replace(
        loaded,
        draft=draft.name,
        weights_bytes=loaded.weights_bytes + draft.weights_bytes,
        kv_cache_bytes=loaded.kv_cache_bytes + draft.kv_cache_bytes,
    )


def _turn_ends(template: str | None, tokenizer: CheckpointTokenizer, family: str) -> TurnEnds:
    facts = TemplateFacts(
        template or "",
        tokenizer.bos_token,
        tokenizer.eos_token,
        adds_bos=tokenizer.adds_bos,
        ends=frozenset(map(tokenizer.text, tokenizer.eos_ids)),
        specials=frozenset(tokenizer.specials),
        architecture=family,
    )
    return find_turn_ends(facts, tokenizer.specials)


class NativeEngine:
    """One loaded checkpoint; the contract is ``inference.engine.Engine``.

    Args:
        network: Ready to run.
        session: Its cache.
        tokenizer: Of the same checkpoint.
        loaded: What ``loaded`` returns.
        template: The chat template in use, ``None`` where there is none.
        past: What is kept of earlier texts.
        draft: Guesses tokens where a request asks for it.
    """

    def __init__(
        self,
        network: Network,
        session: Session,
        tokenizer: CheckpointTokenizer,
        loaded: LoadedModel,
        *,
        template: str | None,
        past: PastWork,
        draft: DraftNetwork | None = None,
    ) -> None:
        self._open_past: PastWork | None = past
        self._draft = draft
        self._network: Network | None = network
        self._open_session: Session | None = session
        self._tokenizer = tokenizer
        self._loaded = loaded
        self._source: NativeSource | None = None
        self._searched: tuple[str, BeamSearch] | None = None
        self._breakers: dict[Sequence[str], Breakers] = {}
        self._template = (
            ChatTemplate(template, tokenizer.bos_token, tokenizer.eos_token) if template else None
        )

    @property
    def loaded(self) -> LoadedModel:
        """Facts about the loaded model."""
        return self._loaded

    @property
    def network(self) -> Network:
        """The network itself, to look inside."""
        if self._network is None:
            raise RuntimeError("the engine is closed")
        return self._network

    @property
    def _past(self) -> PastWork:
        if self._open_past is None:
            raise RuntimeError("the engine is closed")
        return self._open_past

    @property
    def _session(self) -> Session:
        if self._open_session is None:
            raise RuntimeError("the engine is closed")
        return self._open_session

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        """Answer one request; see ``inference.engine.Engine``."""
        try:
            yield from self._answer(request, cancel)
        except InferenceError as error:
            yield failed(request.request_id, error)

    def tokenize(
        self, text: str, *, add_bos: bool = False, parse_special: bool = False
    ) -> tuple[TokenPiece, ...]:
        """Split a text into tokens; special ones are read as such only with ``parse_special``."""
        tokenizer = self._tokenizer
        if parse_special:
            ids = tokenizer.encode_segments(split_specials(text, tokenizer.specials))
        else:
            ids = tokenizer.encode(text)
        return self._pieces(self._after_bos(ids) if add_bos else ids)

    def render(
        self,
        messages: tuple[Message, ...],
        template_variables: dict[str, bool | int | str] | None = None,
    ) -> RenderedPrompt:
        """Show the exact prompt a conversation becomes; see ``inference.engine.Engine``."""
        text, ids = self._rendered(messages, template_variables or {})
        return RenderedPrompt(text, self._pieces(ids))

    def score(
        self, token_ids: tuple[int, ...], top_n: int, cancel: CancelToken
    ) -> tuple[tuple[Candidate, ...], ...]:
        """Return the likeliest next tokens after each position; see ``inference.engine.Engine``.

        Raises:
            ContextOverflowError: More ids than the context holds.
            UnsupportedRequestError: An id does not exist, or more than 20 alternatives.
            InferenceError: It was cancelled.
        """
        check_alternatives(top_n)
        self._check_ids(token_ids)
        check_fits(len(token_ids) - 1, self._loaded.n_ctx)
        found: list[tuple[Candidate, ...]] = []
        self._past.prepare((), "")
        try:
            with memory_errors_translated("reading the text"):
                for logits in self._session.scored(token_ids, cancel):  # (T, V)
                    found.extend(
                        candidates(row.log_softmax(0), top_n, self._tokenizer) for row in logits
                    )
        except StoppedError:
            raise InferenceError("Reading the text was stopped.") from None
        return tuple(found)

    def beam_tree(self, request_id: str) -> BeamTree:
        """Return what the latest beam search looked at; see ``inference.engine.Engine``."""
        if self._searched is None or self._searched[0] != request_id:
            raise no_beam_tree()
        return self._searched[1].tree(request_id, self._tokenizer.shown)

    def forget(self, cache_key: str | None) -> None:
        """Drop what is kept of one chat, or of all; see ``inference.engine.Engine``."""
        self._past.forget(cache_key)

    def rest(self, cancel: CancelToken) -> None:
        """Write kept work to the disk; see ``inference.engine.Engine``."""
        self._past.rest(cancel)

    def inspect(self, question: Question, cancel: CancelToken) -> Finding:
        """Look inside the network; see ``inference.engine.Engine``."""
        if self._source is None:
            self._source = NativeSource(
                self.network,
                self._session,
                self._loaded.n_ctx,
                self._tokenizer.text,
                self._check_ids,
                ends=self._loaded.eos_ids,
                piece=self._tokenizer.shown,
                make_ready=lambda ids: self._past.prepare(ids, ""),
            )
        try:
            with memory_errors_translated("looking inside"):
                return answer(question, self._source, cancel)
        finally:
            self._source.release()

    def close(self) -> None:
        """Write kept work to the disk, and free the memory."""
        if self._open_past is not None:
            self._open_past.close()
        self._open_past = None  # it holds the session
        self._network = self._open_session = self._draft = self._source = None
        gc.collect()  # blocks and their hooks point at each other
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _answer(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        check_alternatives(request.top_n)
        request = with_turn_stops(request, self._loaded.turn_stops)
        ids = self._prompt_ids(request)
        check_fits(len(ids), self._loaded.n_ctx)
        answer = Answer(
            request,
            ids,
            self._session,
            self._tokenizer,
            self._loaded,
            breakers=self._find_breakers,
            draft=self._draft,
        )
        self._past.prepare(ids, request.cache_key)
        try:
            yield from answer.events(cancel)
        finally:
            if answer.search is not None:
                self._searched = request.request_id, answer.search

    def _find_breakers(self, texts: Sequence[str]) -> Breakers:
        """Look through the vocabulary for DRY's breakers; once for each choice of them."""
        if texts not in self._breakers:
            tokenizer = self._tokenizer
            pieces = [
                tokenizer.piece(token) or tokenizer.text(token).encode()
                for token in range(self._loaded.n_vocab)
            ]
            self._breakers[texts] = find_breakers(
                texts, pieces, lambda text: tokenizer.encode(text, at_start=False)
            )
        return self._breakers[texts]

    def _prompt_ids(self, request: GenerationRequest) -> list[int]:
        """Return the prompt's ids from whichever of the three forms was given."""
        given = [request.messages, request.text, request.token_ids]
        if sum(form is not None for form in given) != 1:
            raise UnsupportedRequestError(
                "A request needs messages, a text or token ids, and only one of them."
            )
        if request.messages is not None:
            ids = self._rendered(request.messages, request.template_variables)[1]
        elif request.text is not None:
            ids = self._tokenizer.encode(request.text)
            if self._tokenizer.adds_bos or not ids:  # something has to come before the first token
                ids = self._after_bos(ids)
        else:
            ids = list(request.token_ids or ())
        if not ids:
            raise UnsupportedRequestError("There is nothing to continue.", "Write some text first.")
        self._check_ids(ids)
        return ids

    def _rendered(
        self, messages: tuple[Message, ...], variables: dict[str, bool | int | str]
    ) -> tuple[str, list[int]]:
        if self._template is None:
            raise BadChatTemplateError(
                "This model brings no chat template, so it cannot take a conversation.",
                "Use it as a completion: it continues a text.",
            )
        tokenizer = self._tokenizer
        segments = render_segments(self._template, messages, variables, tokenizer.specials)
        text = "".join(part.text for part in segments)
        ids = tokenizer.encode_segments(segments)
        if not tokenizer.adds_bos:
            return text, ids
        # A template may leave BOS to the tokenizer; the GGUF engine does the same.
        complete = self._after_bos(ids)
        return (text if complete == ids else tokenizer.bos_token + text), complete

    def _after_bos(self, ids: list[int]) -> list[int]:
        """Put BOS before ids that do not begin with it, where there is one."""
        bos = self._tokenizer.bos_id
        return ids if bos is None or ids[:1] == [bos] else [bos, *ids]

    def _check_ids(self, ids: Sequence[int]) -> None:
        for token in ids:
            if not 0 <= token < self._loaded.n_vocab:
                raise UnsupportedRequestError(
                    f"Token id {token} does not exist in this model.",
                    f"Ids go from 0 to {self._loaded.n_vocab - 1:,}.",
                )

    def _pieces(self, ids: Sequence[int]) -> tuple[TokenPiece, ...]:
        return tuple(map(self._tokenizer.shown, ids))
