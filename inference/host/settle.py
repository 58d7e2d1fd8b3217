"""What every child process of this program does first: it leaves Ctrl+C alone and ends in time.

Used by the engine process and by the short-lived children that ask a library something; knows
nothing of what they do afterwards. ``spawn.life_line`` is the parent's side.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def settle_in() -> None:
    """Leave Ctrl+C to the parent, end when it ends, and leave no core file.

    On Linux the parent's end sends SIGKILL, which acts inside native calls too. Elsewhere the end
    of a pipe does it, and on Windows a job object (``job``). A core file of a process that holds a
    model takes long to write, and the parent would learn of the crash only then.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        import resource  # noqa: PLC0415  POSIX only

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  Linux only

        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def hold_life_line() -> None:
    """End this process when standard input does: its other end is the parent's alone.

    For children that read nothing; a native call in another thread does not hold it up.
    """
    threading.Thread(target=_wait_for_the_end, name="life-line", daemon=True).start()


def _wait_for_the_end() -> None:
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os._exit(1)
