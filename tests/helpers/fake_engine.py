"""A scripted engine: no weights, real events; runs in the real engine process or in the test's own.

``EngineClient("tests.helpers.fake_engine:open_engine")`` with ``LoadOptions(path="fake:...")``. The
path is the script: ``fake:tokens=20000,rate=500,prefill_s=3,text=the rest, commas included``;
``GLASSHOUSE_FAKE`` gives defaults in the same form. In a test's own process ``FakeEngine.enqueue``
scripts the next answers one by one.
"""

from __future__ import annotations

import itertools
import math
import os
import random
import re
import signal
import sys
import time
import zlib
from collections import deque
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from inference.beam_search import no_beam_tree
from inference.errors import (
    BadChatTemplateError,
    InferenceError,
    UnsupportedRequestError,
    from_wire,
    wire_name,
)
from inference.events import Failed, Finished, PromptProgress, Started
from inference.prompt.context import check_fits
from inference.text.answer import AnswerStream
from inference.types import (
    Candidate,
    LoadedModel,
    RenderedPrompt,
    Timings,
    TokenPiece,
    Usage,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from inference.cancel import CancelToken
    from inference.engine import LoadSink
    from inference.events import EngineEvent
    from inference.inside.questions import Finding, Question
    from inference.types import BeamTree, GenerationRequest, LoadOptions, Message

BOS = TokenPiece(1, "<bos>", special=True)
STEP_S = 0.02
MARKDOWN = """# A heading

Some **bold** and *slanted* words, `code`, and a list:

- one
- two

```python
def square(x: float) -> float:
    return x * x
```

| name | value |
|------|-------|
| a    | 1     |

"""
_WORDS = (
    *("the", "a", "small", "red", "house", "sees", "through", "glass", "and", "tells", "every"),
    *("story", "once", "more", "today"),
)
_TEXT = re.compile(r"(?:^|,)text=")
_PIECES = re.compile(r"\s*\S+|\s+$")


@dataclass(frozen=True)
class Script:
    """What the fake does; times in seconds, counts in tokens.

    ``crash_at`` and ``fail_at`` are token indexes (0 = before the first); ``crash`` names a signal
    or gives an exit code. ``stubborn`` ignores every cancel, as a native call would.
    """

    tokens: int = 0  # 0 = the text once, or 20 words
    rate: float = 0.0  # tokens per second; 0 = as fast as possible
    device: str = "CPU"
    gpu_layers: int = 0
    compile_s: float = 0.0
    prefill_s: float = 0.0
    load_s: float = 0.0
    load_error: str = ""
    crash_load: bool = False
    crash_at: int = -1
    crash: str = "SIGKILL"
    fail_at: int = -1
    stubborn: bool = False
    busy: bool = False
    context: int = 32_768
    trained: int = 0  # context in training; 0 = the same
    base: bool = False
    memory_mb: int = 0
    output: str = ""
    markdown: bool = False
    text: str = ""


def parse(path: str) -> Script:
    """Read ``fake:key=value,...``; anything else is the default script."""
    values: dict[str, str] = {}
    own = path.removeprefix("fake:") if path.startswith("fake:") else ""
    for source in (os.environ.get("GLASSHOUSE_FAKE", ""), own):
        head, *text = _TEXT.split(source, maxsplit=1)
        if text:
            values["text"] = text[0]
        pairs = (part.partition("=") for part in head.split(",") if "=" in part)
        values |= {key: value for key, _, value in pairs}
    kinds = {"int": int, "float": float, "bool": lambda value: value == "1", "str": str}
    known = {field.name: kinds[str(field.type)] for field in fields(Script)}
    return Script(**{key: known[key](value) for key, value in values.items()})


def open_engine(options: LoadOptions, progress: LoadSink, cancel: CancelToken) -> FakeEngine:
    """Open the fake as its script says."""
    script = parse(options.path)
    if script.output:
        sys.stderr.write(script.output + "\n")
    steps = max(1, int(script.load_s / STEP_S))
    for step in range(steps):
        if script.load_s:
            time.sleep(STEP_S)
        if cancel.cancelled and not script.stubborn:
            raise InferenceError("Loading was stopped.")
        progress((step + 1) / steps)
    if script.compile_s:
        for third in range(4):
            progress(third / 3, "compiling")
            time.sleep(script.compile_s / 4)
    if script.crash_load:
        _crash(script)
    if script.load_error:
        raise from_wire(script.load_error, "The file is damaged.", "Take another one.", "detail")
    return FakeEngine(replace(script, context=options.n_ctx or script.context), options)


class FakeEngine:
    """Implements ``inference.engine.Engine`` without a model."""

    def __init__(self, script: Script, options: LoadOptions) -> None:
        self._script = script
        self._queue: deque[Script] = deque()
        self._ballast = bytearray(os.urandom(1 << 20) * script.memory_mb)
        self.closed = 0
        self.loaded = LoadedModel(
            engine=options.engine,
            name="Fake",
            architecture="fake",
            n_ctx=script.context,
            n_ctx_train=script.trained or script.context,
            n_vocab=50_010,
            n_layers=1,
            parameters=0,
            has_chat_template=not script.base,
            device=script.device,
            gpu_layers=script.gpu_layers,
            device_reason="A script needs no device.",
            dtype="none",
            threads=1,
            load_s=script.load_s,
            weights_bytes=len(self._ballast),
            kv_cache_bytes=0,
            adds_bos=True,
            eos_ids=(2,),
        )

    def enqueue(self, scripts: Iterable[str]) -> None:
        """Script the next answers, one each; afterwards the loaded script holds again."""
        self._queue.extend(parse(script) for script in scripts)

    def generate(self, request: GenerationRequest, cancel: CancelToken) -> Iterator[EngineEvent]:
        script = self._queue.popleft() if self._queue else self._script
        try:
            prompt = self._prompt_tokens(request)
            check_fits(prompt, self._script.context)
        except InferenceError as exc:
            yield Failed(request.request_id, wire_name(exc), exc.message, exc.hint, exc.detail)
            return
        yield from _Answering(script, request, cancel, prompt, self._script.context).run()

    def tokenize(
        self, text: str, *, add_bos: bool = False, parse_special: bool = False
    ) -> tuple[TokenPiece, ...]:
        del parse_special
        pieces = tuple(_piece(part) for part in _PIECES.findall(text))
        return (BOS, *pieces) if add_bos else pieces

    def render(
        self,
        messages: tuple[Message, ...],
        template_variables: dict[str, bool | int | str] | None = None,
    ) -> RenderedPrompt:
        del template_variables
        if self._script.base:
            raise BadChatTemplateError("This model has no chat template.", "Use plain text.")
        text = "".join(f"{message.role}: {message.content}\n" for message in messages)
        return RenderedPrompt(text, self.tokenize(text, add_bos=True))

    def score(
        self, token_ids: tuple[int, ...], top_n: int, cancel: CancelToken
    ) -> tuple[tuple[Candidate, ...], ...]:
        del cancel
        return tuple(_candidates(_piece(f" w{token_id}"), top_n) for token_id in token_ids)

    def beam_tree(self, request_id: str) -> BeamTree:
        del request_id
        raise no_beam_tree()

    def forget(self, cache_key: str | None) -> None:
        del cache_key  # nothing is kept here

    def rest(self, cancel: CancelToken) -> None:
        del cancel

    def inspect(self, question: Question, cancel: CancelToken) -> Finding:
        """There is nothing to see."""
        del question, cancel
        raise UnsupportedRequestError("There is nothing inside this engine.")

    def close(self) -> None:
        self.closed += 1
        self._ballast = bytearray()

    def _prompt_tokens(self, request: GenerationRequest) -> int:
        if not 0 <= request.top_n <= 20:
            raise UnsupportedRequestError("Alternatives go from 0 to 20.")
        if request.sampling.strategy in {"beam", "contrastive"}:
            raise UnsupportedRequestError(f"There is no {request.sampling.strategy} here.", "None.")
        if request.messages is not None:
            return len(self.render(request.messages).tokens)
        if request.text is not None:
            return len(self.tokenize(request.text, add_bos=True))
        return len(request.token_ids or ())


class _Answering:
    """One answer under way."""

    def __init__(
        self,
        script: Script,
        request: GenerationRequest,
        cancel: CancelToken,
        prompt_tokens: int,
        context: int,
    ) -> None:
        self._script, self._request, self._cancel = script, request, cancel
        self._prompt_tokens, self._context = prompt_tokens, context
        seed = request.sampling.seed
        self._seed = random.randrange(2**31) if seed is None else seed
        self._prompt_s = 0.0
        self._tokens = 0

    @property
    def _cancelled(self) -> bool:
        return self._cancel.cancelled and not self._script.stubborn

    def run(self) -> Iterator[EngineEvent]:
        request_id = self._request.request_id
        yield Started(request_id, self._context, self._prompt_tokens, 0, self._seed)
        begun = time.monotonic()
        yield from self._read_prompt()
        self._prompt_s = time.monotonic() - begun
        begun = time.monotonic()
        reason = "cancelled" if self._cancelled else ""
        answer = AnswerStream(request_id, self._request.sampling.stop)
        if not reason:
            room = self._context - self._prompt_tokens
            limit = min(self._request.sampling.max_tokens or room, room)
            for index, text in enumerate(self._texts()):
                if self._cancelled or index >= limit:
                    reason = "cancelled" if self._cancelled else "length"
                    break
                if index == self._script.fail_at:
                    yield Failed(request_id, "OutOfMemory", "Memory ran out.", "Close something.")
                    return
                if index == self._script.crash_at:
                    _crash(self._script)
                self._pace(begun, index)
                events, stopped = self._push(answer, text)
                yield from events
                if stopped:
                    break
            yield from answer.finish()
        yield self._finished(reason or "stop", time.monotonic() - begun)

    def _read_prompt(self) -> Iterator[EngineEvent]:
        if self._script.busy:
            yield PromptProgress(self._request.request_id, 0, self._prompt_tokens)
            sum(range(10**12))
        steps = max(1, int(self._script.prefill_s / STEP_S))
        for step in range(steps):
            if self._cancelled:
                return
            if self._script.prefill_s:
                time.sleep(STEP_S)
            done = self._prompt_tokens * (step + 1) // steps
            yield PromptProgress(self._request.request_id, done, self._prompt_tokens)

    def _texts(self) -> Iterator[str]:
        script = self._script
        source = MARKDOWN if script.markdown else script.text
        if source:
            parts = _PIECES.findall(source)
            return itertools.islice(itertools.cycle(parts), script.tokens or len(parts))
        greedy = self._request.sampling.temperature == 0
        draw = random.Random(0 if greedy else self._seed)
        return (f" {draw.choice(_WORDS)}" for _ in range(script.tokens or 20))

    def _pace(self, begun: float, index: int) -> None:
        if self._script.rate:
            time.sleep(max(0.0, begun + index / self._script.rate - time.monotonic()))

    def _push(self, answer: AnswerStream, text: str) -> tuple[list, bool]:
        piece = _piece(text)
        top = _candidates(piece, self._request.top_n)
        self._tokens += 1
        return answer.push(piece.id, text.encode(), top[0].logprob if top else None, top)

    def _finished(self, reason: str, decode_s: float) -> Finished:
        usage = Usage(self._prompt_tokens, self._tokens, 0)
        timings = Timings(
            prompt_s=self._prompt_s,
            decode_s=decode_s,
            prompt_tokens_per_s=self._prompt_tokens / max(self._prompt_s, 1e-9),
            tokens_per_s=self._tokens / max(decode_s, 1e-9),
        )
        return Finished(self._request.request_id, reason, usage, timings)  # type: ignore[arg-type]


def _piece(text: str) -> TokenPiece:
    return TokenPiece(zlib.crc32(text.encode()) % 50_000 + 10, text)


def _candidates(chosen: TokenPiece, top_n: int) -> tuple[Candidate, ...]:
    """The chosen one with probability 1/2, then 1/4, 1/8 and so on."""
    others = (_piece(f" {word}{rank}") for rank, word in enumerate(_WORDS * 2))
    pieces = itertools.islice(itertools.chain((chosen,), others), top_n)
    return tuple(
        Candidate(piece.id, piece.text, logprob=-math.log(2) * (rank + 1))
        for rank, piece in enumerate(pieces)
    )


def _crash(script: Script) -> None:
    sys.stderr.write("about to end\n")
    sys.stderr.flush()
    if script.crash.isdigit():
        os._exit(int(script.crash))
    os.kill(os.getpid(), getattr(signal, script.crash))
    time.sleep(10)
