"""The engine process: ``python -m inference.host.server``, driven over its standard streams.

The main thread reads commands, so that a cancel arrives in the middle of a long prefill; one worker
thread owns the engine for life. What native libraries print goes to standard error, which the
client keeps. The process ends when its parent does, whatever the worker is doing.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import re
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from inference.cancel import CancelToken
from inference.host.protocol import (
    Cancel,
    FrameError,
    FrameReader,
    Generate,
    Memory,
    MemoryUse,
    Shutdown,
    decode_command,
    encode,
)
from inference.host.report import card_speed, report
from inference.host.settle import hold_life_line, settle_in
from inference.host.worker import EngineWorker, Job, load_factory, open_real_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from inference.host.protocol import Command, Reply


class Connection:
    """The private ends of the two pipes: one thread reads, any thread writes whole frames."""

    def __init__(self, command_fd: int, reply_fd: int) -> None:
        self._command_fd = command_fd
        self._reply_fd = reply_fd
        self._write_lock = threading.Lock()
        self._frames = FrameReader(self._read)

    def receive(self) -> Command | None:
        """Wait for the next command; ``None`` when the parent is gone or has closed the pipe."""
        body = self._frames.next_body()
        return None if body is None else decode_command(body)

    def send(self, reply: Reply) -> None:
        """Write one reply at once; where nobody reads any more the process ends."""
        frame = memoryview(encode(reply))
        try:
            with self._write_lock:
                while frame:
                    frame = frame[os.write(self._reply_fd, frame) :]
        except OSError:
            os._exit(0)

    def _read(self, size: int) -> bytes:
        try:
            return os.read(self._command_fd, size)
        except OSError:  # a broken pipe on Windows
            return b""


class Server:
    """Hands commands to the worker, and answers at once what cannot wait."""

    def __init__(self, connection: Connection, worker: EngineWorker) -> None:
        self._connection = connection
        self._worker = worker
        self._cancels: dict[str, CancelToken] = {}
        self._lock = threading.Lock()

    def run(self) -> bool:
        """Read commands until the end; return whether the client said goodbye."""
        while (command := self._connection.receive()) is not None:
            match command:
                case Shutdown():
                    with self._lock:
                        for cancel in self._cancels.values():
                            cancel.cancel()
                    return True
                case Cancel(id=job_id):
                    with self._lock:
                        known = self._cancels.get(job_id)
                    if known is not None:
                        known.cancel()
                case Memory(id=job_id):
                    resident, peak = memory_use()
                    self._connection.send(MemoryUse(job_id, resident, peak))
                case Generate(request=request):
                    self._queue(request.request_id, command)
                case _:
                    self._queue(command.id, command)
        return False

    def _queue(self, job_id: str, command: Command) -> None:
        cancel = CancelToken()
        with self._lock:
            self._cancels[job_id] = cancel
        self._worker.submit(Job(command, cancel, lambda: self._forget(job_id, cancel)))

    def _forget(self, job_id: str, cancel: CancelToken) -> None:
        with self._lock:
            if self._cancels.get(job_id) is cancel:
                del self._cancels[job_id]


def memory_use() -> tuple[int, int]:
    """Return resident memory of this process now and at its highest, in bytes."""
    import psutil  # noqa: PLC0415  only when asked: start-up stays light

    info = psutil.Process().memory_info()
    if sys.platform == "win32":
        peak = info.peak_wset
    else:
        peak = _high_water() or _largest_ever()
    return info.rss, peak


def _high_water() -> int:
    """Return what Linux says of this program alone, 0 elsewhere.

    ``getrusage`` counts the parent in as well: the child is its copy until it begins a program.
    """
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"^VmHWM:\s*(\d+) kB", lines, re.MULTILINE)
    return int(found[1]) * 1024 if found else 0


def _largest_ever() -> int:
    import resource  # noqa: PLC0415  POSIX only

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def take_over_streams() -> Connection:
    """Keep the pipes to ourselves: libraries that print or read must not meet the protocol."""
    command_fd, reply_fd = os.dup(0), os.dup(1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  Windows only

        msvcrt.setmode(command_fd, os.O_BINARY)
        msvcrt.setmode(reply_fd, os.O_BINARY)
    return Connection(command_fd, reply_fd)


def main(argv: Sequence[str] | None = None) -> NoReturn:
    """Run an engine process until its client says goodbye or is gone."""
    parser = argparse.ArgumentParser(prog="engine-process")
    parser.add_argument("--factory", help="module:function that opens engines")
    parser.add_argument("--report", choices=("gguf", "native"), help="tell about an engine, end")
    parser.add_argument("--bandwidth", metavar="CARD", help="measure a card's memory, end")
    parser.add_argument("--make", metavar="ORDER", help="write one file, end")
    parser.add_argument("--tokens", action="store_true", help="tell of tokenizers, end")
    parser.add_argument("--life-line", action="store_true", help="end when standard input does")
    arguments = parser.parse_args(argv)
    settle_in()
    if arguments.life_line:
        hold_life_line()
    if arguments.report is not None:
        print(report(arguments.report), flush=True)  # noqa: T201  to whoever asked
        os._exit(0)
    if arguments.bandwidth is not None:
        print(card_speed(arguments.bandwidth), flush=True)  # noqa: T201  to whoever asked
        os._exit(0)
    if arguments.make is not None:
        from inference.convert.child import make  # noqa: PLC0415  only such a child needs it

        os._exit(make(arguments.make))
    if arguments.tokens:
        from inference.tokenizing.child import tell  # noqa: PLC0415  only such a child needs it

        os._exit(tell())
    connection = take_over_streams()
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # real streams here
    factory = arguments.factory
    opener = open_real_engine if factory is None else load_factory(factory)
    worker = EngineWorker(connection.send, opener)
    worker.start()
    try:
        polite = Server(connection, worker).run()
    except FrameError as exc:
        print(f"the command pipe: {exc}", file=sys.stderr, flush=True)  # noqa: T201  to the ring
        os._exit(3)
    if polite:
        worker.close()
    # Not sys.exit: libraries have been seen to die in their own tear-down, and nothing is left.
    os._exit(0)


if __name__ == "__main__":
    main()
