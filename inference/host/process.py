"""One running engine process as its parent sees it: replies sorted by id, output kept, end told.

Two threads: the reader starts the process, hands out its replies and reaps it; the drain keeps the
last lines that native libraries print. Knows nothing of models; ``client`` does.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections import Counter, deque
from contextlib import contextmanager, suppress
from queue import SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from inference.errors import BackendUnavailableError, EngineCrashedError, InferenceError
from inference.events import Failed, Finished
from inference.host.endings import describe_exit
from inference.host.job import end_with_this_process
from inference.host.protocol import FrameError, FrameReader, decode_reply, encode, reply_id
from inference.host.spawn import spawn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from inference.host.protocol import Command, Reply

_RING_LINES = 200
_LINE_CHARS = 2000
_REAP_S = 2.0


class Ended(msgspec.Struct, frozen=True):
    """The last mail: the process is gone; ``error`` is ``None`` where that was wanted."""

    error: InferenceError | None


Mail: TypeAlias = "Reply | Ended"


class EngineProcess:
    """A started engine process; its methods may be called from any thread.

    Args:
        command: From ``spawn.engine_command``.

    Raises:
        BackendUnavailableError: The system does not start the process.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._lock = threading.Lock()  # mailboxes, abandoned ids, the end
        self._write_lock = threading.Lock()
        self._mailboxes: dict[str, SimpleQueue[Mail]] = {}
        self._abandoned: Counter[str] = Counter()
        self._ring: deque[str] = deque(maxlen=_RING_LINES)
        self._wanted = False
        self._ended: Ended | None = None
        self._started = threading.Event()
        self._gone = threading.Event()
        self._popen: subprocess.Popen[bytes] | None = None
        self._spawn_error: OSError | None = None
        # The reader starts the process: Linux's parent-death signal fires when the *thread* that
        # started a child ends, and this thread lives exactly as long as the process.
        self._reader = threading.Thread(target=self._run, name="engine-reader", daemon=True)
        self._reader.start()
        self._started.wait()
        self._check_started()

    def _check_started(self) -> None:
        if self._spawn_error is not None:
            self._reader.join()
            raise BackendUnavailableError(
                "The engine process cannot be started.",
                "Check that the program is completely installed.",
                str(self._spawn_error),
            ) from self._spawn_error

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether the process still runs and can be talked to."""
        return not self._gone.is_set()

    @property
    def ended(self) -> Ended | None:
        """How it ended; ``None`` while it runs."""
        return self._ended

    def last_output(self) -> str:
        """Return the last lines that the process and its libraries printed."""
        return "\n".join(self._ring.copy())

    @contextmanager
    def mailbox(self, mail_id: str) -> Iterator[SimpleQueue[Mail]]:
        """Receive the replies to one command for the length of a ``with`` block."""
        box: SimpleQueue[Mail] = SimpleQueue()
        with self._lock:
            if mail_id in self._mailboxes:
                raise InferenceError(f"The request {mail_id!r} is already being answered.")
            self._mailboxes[mail_id] = box
            if self._ended is not None:
                box.put(self._ended)
        try:
            yield box
        finally:
            with self._lock:
                del self._mailboxes[mail_id]

    def abandon(self, request_id: str, mailbox: SimpleQueue[Mail]) -> None:
        """Drop what still comes of a request that nobody listens to, up to its end."""
        with self._lock:
            while not mailbox.empty():
                if isinstance(mailbox.get_nowait(), Finished | Failed | Ended):
                    return
            self._abandoned[request_id] += 1

    def send(self, command: Command) -> None:
        """Write one command.

        Raises:
            InferenceError: The command does not fit into a frame. That the process is gone is no
                error here: the mailbox says it.
        """
        try:
            frame = memoryview(encode(command))
        except FrameError as exc:
            raise InferenceError(
                "This request cannot be sent to the engine.", "Shorten the text.", str(exc)
            ) from exc
        with suppress(OSError, ValueError), self._write_lock:
            stdin = self._process.stdin
            assert stdin is not None  # noqa: S101  for the type checker: it is always a pipe
            while frame:
                frame = frame[stdin.write(frame) or 0 :]

    def expect_end(self) -> None:
        """Say that an end from now on is wanted, not a crash."""
        self._wanted = True

    def kill(self) -> None:
        """End it now; harmless when it is gone."""
        self.expect_end()
        self._process.kill()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is gone and reaped; return whether it is."""
        if not self._gone.wait(timeout_s):
            return False
        if threading.current_thread() is not self._reader:
            self._reader.join(_REAP_S)
        return True

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        if self._popen is None:
            raise BackendUnavailableError("The engine process was not started.")
        return self._popen

    def _run(self) -> None:
        try:
            popen = self._popen = spawn(self._command)
        except OSError as exc:
            self._spawn_error = exc
            self._gone.set()
            self._started.set()
            return
        release_job = end_with_this_process(popen.pid)
        drain = threading.Thread(target=self._drain, name="engine-output", daemon=True)
        drain.start()
        self._started.set()
        trouble = self._read_replies(popen)
        code = _reap(popen)
        release_job()
        drain.join(_REAP_S)
        with self._write_lock:
            _close_pipes(popen)
        self._finish(code, trouble)

    def _read_replies(self, popen: subprocess.Popen[bytes]) -> str:
        assert popen.stdout is not None  # noqa: S101  for the type checker: it is always a pipe
        fd = popen.stdout.fileno()
        frames = FrameReader(lambda size: os.read(fd, size))
        try:
            while (body := frames.next_body()) is not None:
                self._deliver(decode_reply(body))
        except FrameError as exc:
            if popen.poll() is not None:
                return ""  # it died in the middle of a frame: the exit code says why
            popen.kill()
            return str(exc)
        except OSError:  # a broken pipe on Windows: the end, like an empty read elsewhere
            return ""
        return ""

    def _deliver(self, reply: Reply) -> None:
        mail_id = reply_id(reply)
        with self._lock:
            if self._abandoned and self._abandoned[mail_id]:
                if isinstance(reply, Finished | Failed):
                    self._abandoned[mail_id] -= 1
                return
            if mail_id in self._mailboxes:
                self._mailboxes[mail_id].put(reply)

    def _drain(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None  # noqa: S101  for the type checker: it is always a pipe
        fd = stderr.fileno()
        rest = b""
        with suppress(OSError):
            while chunk := os.read(fd, 65536):
                *lines, rest = (rest + chunk).split(b"\n")
                self._ring.extend(_shown(line) for line in lines[-_RING_LINES:])
                rest = rest[-_LINE_CHARS:]
        if rest:
            self._ring.append(_shown(rest))

    def _finish(self, code: int, trouble: str) -> None:
        error: InferenceError | None = None
        if trouble:
            error = EngineCrashedError(
                "The engine sent something unreadable and was stopped.",
                "Try again: the model is loaded anew.",
                f"{trouble}\n{self.last_output()}",
            )
        elif not self._wanted:
            error = describe_exit(code, self.last_output())
        with self._lock:
            self._ended = Ended(error)
            for box in self._mailboxes.values():
                box.put(self._ended)
        self._gone.set()


def _reap(popen: subprocess.Popen[bytes]) -> int:
    """Wait for a process whose reply pipe has ended; one that lingers is ended."""
    try:
        return popen.wait(_REAP_S)
    except subprocess.TimeoutExpired:
        popen.kill()
        return popen.wait()


def _close_pipes(popen: subprocess.Popen[bytes]) -> None:
    for pipe in (popen.stdin, popen.stdout, popen.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()


def _shown(line: bytes) -> str:
    return line[:_LINE_CHARS].decode("utf-8", "replace").rstrip("\r")
