"""One token at a time, compiled: the same modules, with tensors whose shapes never change.

Written for GPUs, where the many small steps of a token cost more to start than to do. There
``torch.compile`` makes a few of them (it needs Triton and a C compiler), and all of a token is
recorded as one CUDA graph, which starts at once. The graph hands the likeliest token on to its next
run, so that the GPU is at work while the processor still looks at what came out.

Where nothing can be compiled a GPU runs the recorded steps as they are; where the result differs
from the ordinary pass, that one is kept.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor

from inference.errors import InferenceError, UnsupportedRequestError
from inference.native.layer_cache import StaticCache
from inference.native.scaling import DynamicScaling, LongRopeScaling
from inference.paths import app_paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from inference.engine import ProgressSink
    from inference.native.kv_cache import KVCache
    from inference.native.layer_cache import LayerCache
    from inference.native.network import Block, Network
    from inference.native.rotary import Turn
    from inference.native.session import Session

_AGREEMENT: Final = 0.05  # of the stream's size: rounding of bfloat16, in another order
_CHECKED: Final = 3  # tokens
_WORTH_COMPILING: Final = 200_000_000  # weights
_AS_EVER: Final = "without being compiled"


class Step:
    """One token read: the stream after it, and what may follow.

    Args:
        place: Where it stands.
        token: Its id; None where the step before chose it.
        before: That step.
        stream: After the last block, (1, 1, C).
        logits: Of what follows, float32 on the CPU, (V,); on its way there until ``done``.
        likeliest: The largest one's id, (1, 1); on its way likewise.
        done: Happens when both have arrived; None: they have.
    """

    def __init__(
        self,
        place: int,
        token: int | None,
        before: Step | None,
        *,
        stream: Tensor,
        logits: Tensor,
        likeliest: Tensor,
        done: torch.cuda.Event | None,
    ) -> None:
        self.place = place
        self.stream = stream
        self._token, self._before = token, before
        self._logits, self._likeliest, self._done = logits, likeliest, done

    def read(self, token: int, place: int) -> bool:
        """Whether it is this token that was read, at this place."""
        if self._before is not None:
            self._token, self._before = self._before.likeliest(), None
        return (token, place) == (self._token, self.place)

    def logits(self) -> Tensor:
        """Return the logits of what follows, float32 on the CPU, (V,)."""
        self._wait()
        return self._logits

    def likeliest(self) -> int:
        """Return the id with the largest of them."""
        self._wait()
        return int(self._likeliest)

    def _wait(self) -> None:
        if self._done is not None:
            self._done.synchronize()
            self._done = None


class CompiledStep:
    """Reads one token after another into a session's cache.

    Args:
        network: On its device, ready to run.
        cache: The session's; empty.
        backend: Of ``torch.compile``; None compiles nothing, which is of use on a GPU only.
        tell: Called between the pieces with the fraction that is compiled, 0 to 1.

    Raises:
        NotCompiledError: It does not work here, with the reason.
        InferenceError: Raised by ``tell``, to stop.
    """

    def __init__(
        self,
        network: Network,
        cache: KVCache,
        backend: str | None = "inductor",
        tell: ProgressSink | None = None,
    ) -> None:
        if isinstance(network.config.rope_scaling, DynamicScaling | LongRopeScaling):
            raise NotCompiledError("its positions depend on the length of the text")
        device = cache.layers[0][0].device
        self.on_gpu = device.type == "cuda"
        self._network = network
        self._cache = StaticCache(cache, device, compiled=backend is not None)
        self._token = torch.zeros(1, 1, dtype=torch.long, device=device)  # (1, 1)
        self._graph: torch.cuda.CUDAGraph | None = None
        self._queued: Step | None = None  # the newest; ahead of ``_newest`` by one at most
        self._newest: Step | None = None
        compiled = _compiler(backend, on_gpu=self.on_gpu)
        self._enter, self._through = compiled(network.enter), compiled(_through)
        self._leave = compiled(self._scores)
        try:
            self._compile(tell or _nobody)
            self._check(cache)
        except (NotCompiledError, InferenceError):
            raise
        except Exception as exc:  # whatever compilers raise, the ordinary pass is there
            raise NotCompiledError(_first_line(exc)) from exc
        finally:
            cache.truncate(0)

    @torch.inference_mode()
    def read(self, token: int, place: int) -> Step:
        """Read a token at ``place``, unless ``begin`` has begun just that."""
        ahead = self._queued if self._queued is not self._newest else None
        if ahead is None or not ahead.read(token, place):
            ahead = self._queue(token, place)
        self._newest = ahead
        return ahead

    @torch.inference_mode()
    def begin(self, token: int | None, place: int) -> None:
        """Let a GPU start with the next token; ``read`` or ``forget`` has to follow.

        Args:
            token: None is the likeliest one after what was read last; nothing is begun where that
                was not read here.
            place: Where it will stand.
        """
        if not self.on_gpu:
            return
        if self._queued is not self._newest:
            if token is None or (self._queued is not None and self._queued.read(token, place)):
                return
        elif token is None and (self._newest is None or self._newest.place != place - 1):
            return
        self._queue(token, place)

    def forget(self) -> None:
        """Drop what was begun, and where the text ended: something else was read or taken back."""
        self._queued = self._newest = None

    def _queue(self, token: int | None, place: int) -> Step:
        if token is not None:
            self._token.fill_(token)
            self._cache.place.fill_(place)
        if self._cache.grow(place) and self.on_gpu:
            self._record()
        if self._graph is None:
            stream, logits = self._pass()
            likeliest = self._token.clone()
        else:
            self._graph.replay()
            stream, logits, likeliest = self._stream.clone(), self._logits, self._token
        before = self._newest if token is None else None
        logits, likeliest, done = _to_host(logits), _to_host(likeliest), None
        if self.on_gpu:
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record()
        self._queued = Step(
            place, token, before, stream=stream, logits=logits, likeliest=likeliest, done=done
        )
        return self._queued

    def _pass(self) -> tuple[Tensor, Tensor]:
        """Read ``_token``; leave the likeliest next one there, with its place."""
        x, turns = self._enter(self._token, self._cache)  # (1, 1, C)
        for block, turn, layer in zip(self._network.blocks, turns, self._cache.layers, strict=True):
            x = self._through(block, x, turn, layer)  # (1, 1, C)
        logits, likeliest = self._leave(x)  # (V,), (1,)
        self._token.copy_(likeliest)
        self._cache.place.add_(1)
        return x, logits

    def _scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        logits = self._network.score(x)[0, 0].float()  # (V,)
        return logits, logits.argmax(-1, keepdim=True)  # (V,), (1,)

    def _record(self) -> None:
        """Record a pass as a CUDA graph; one goes before it, to compile what needs compiling."""
        token, place = self._token.clone(), self._cache.place.clone()
        self._pass()
        self._token.copy_(token)
        self._cache.place.copy_(place)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._stream, self._logits = self._pass()

    @torch.inference_mode()
    def _compile(self, tell: ProgressSink) -> None:
        """Run each piece once, which compiles it; blocks that are alike take no time then.

        The way in, the blocks and the way out count as a third each.
        """
        tell(0.0)
        self._network.enter(self._token, self._cache)  # makes what every later way in finds made
        x, turns = self._enter(self._token, self._cache)  # (1, 1, C)
        tell(1 / 3)
        layers = list(zip(self._network.blocks, turns, self._cache.layers, strict=True))
        for done, (block, turn, layer) in enumerate(layers, start=1):
            x = self._through(block, x, turn, layer)  # (1, 1, C)
            tell((1 + done / len(layers)) / 3)
        self._leave(x)
        tell(1.0)

    @torch.inference_mode()
    def _check(self, cache: KVCache) -> None:
        """Hold a few tokens against the ordinary pass."""
        for place in range(min(_CHECKED, cache.n_ctx)):
            token = place % self._network.config.vocab_size
            expected = self._network.read(torch.full_like(self._token, token), cache)  # (1, 1, C)
            if place == 0 and self.on_gpu:
                self._record()
            found = self.read(token, place).stream  # (1, 1, C)
            apart = (found.float() - expected.float()).norm() / expected.float().norm()
            if not apart < _AGREEMENT:
                raise NotCompiledError("the compiled network computes something else")
        self.forget()


def _through(block: Block, x: Tensor, turn: Turn | None, cache: LayerCache) -> Tensor:
    """Return the stream after one block; compiled once for all that are alike."""
    found: Tensor = block(x, turn, cache)
    return found


def _nobody(fraction: float) -> None:
    del fraction


def _to_host(tensor: Tensor) -> Tensor:
    """Return the tensor on the CPU; from a GPU it is still on its way."""
    if tensor.device.type == "cpu":
        return tensor
    host = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    return host.copy_(tensor, non_blocking=True)


def _compiler(backend: str | None, *, on_gpu: bool) -> Callable[[Callable[..., Any]], Any]:
    if backend is None:
        return lambda function: function
    torch.compiler.reset()  # what earlier networks compiled counts against a limit
    options: dict[str, Any] | None = None
    if backend == "inductor":
        # Kept: what lies in the system's own folder for passing files is gone some day.
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(app_paths().cache / "compiled"))
        torch._inductor.config.compile_threads = 1  # noqa: SLF001  no processes beside ours
        # Products with one vector as kernels of its own, tuned for the memory's speed.
        options = {"coordinate_descent_tuning": True} if on_gpu else None
    return lambda function: torch.compile(function, dynamic=False, backend=backend, options=options)


def compiled_if_asked(
    session: Session,
    choice: str,
    device: torch.device,
    parameters: int,
    tell: ProgressSink | None = None,
) -> str:
    """Compile a session's single tokens; return a sentence about it, or nothing where none is due.

    Args:
        session: Nothing is read yet.
        choice: ``LoadOptions.compile``.
        device: Where it runs.
        parameters: Weights of the network; ``auto`` only records a small one, which is fast enough
            and takes a second instead of half a minute.
        tell: As for ``CompiledStep``.

    Raises:
        UnsupportedRequestError: There is no such choice.
        InferenceError: Raised by ``tell``, to stop.
    """
    if choice not in {"auto", "on", "off"}:
        raise UnsupportedRequestError(
            f"The network cannot be compiled {choice!r:.20}.", "Choose auto, on or off."
        )
    if choice == "off" or (choice == "auto" and device.type != "cuda"):
        return ""
    if choice == "auto" and parameters < _WORTH_COMPILING:
        return f" It reads single tokens {_recorded(session)}, because it is small."
    try:
        session.compile(tell=tell)
    except NotCompiledError as exc:
        how = _recorded(session) if device.type == "cuda" else _AS_EVER
        return f" It reads single tokens {how}, because {exc}."
    return " It reads single tokens compiled."


def _recorded(session: Session) -> str:
    """Record single tokens as they are, on a GPU; say what came of it."""
    try:
        session.compile(None)
    except NotCompiledError:
        return _AS_EVER
    return "recorded, without being compiled"


class NotCompiledError(Exception):
    """The compiled step cannot be used; the text ends a sentence that begins with "because"."""


def _first_line(error: BaseException) -> str:
    """Return the innermost cause's first line: PyTorch wraps it several times."""
    while error.__cause__ is not None:
        error = error.__cause__
    text = str(error).strip().partition("\n")[0] or type(error).__name__
    return f"PyTorch's compiler stopped ({text:.160})"
