"""Whether this build of llama.cpp survives this processor, found out once in a throw-away process.

Some virtual machines report processor features (AMX) that trap when used: the first quantised
prompt of two tokens or more then ends the process with an illegal instruction. A child process runs
such a prompt; its fate is remembered per build and processor. Imports llama.cpp only in that child.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from inference.errors import BackendUnavailableError
from inference.files import replace_file
from inference.gguf.tiny_file import VOCABULARY, write_tiny_file
from inference.host.settle import hold_life_line, settle_in
from inference.host.spawn import engine_environment, life_line, no_window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Outcome: TypeAlias = Literal["works", "dies", "unknown"]
"""What a child met; ``unknown``: it ended for a reason that says nothing about the processor."""

Verdict: TypeAlias = Literal["all", "plain", "none"]
"""``all``: everything works; ``plain``: without extra buffer types; ``none``: not at all."""

_VERDICTS: Final[dict[object, Verdict]] = {"all": "all", "plain": "plain", "none": "none"}
_FILE_NAME: Final = "llama-cpp-probe.json"
_TIMEOUT_S: Final = 120.0
_PROMPT_TOKENS: Final = 40
_DEADLY_SIGNALS: Final = ("SIGILL", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGABRT", "SIGTRAP")
_WINDOWS_ERRORS: Final = range(0xC000_0000, 0xE000_0000)  # NTSTATUS errors, e.g. C000001D


@dataclass(frozen=True, slots=True)
class LoadFlags:
    """What the processor can stand.

    ``use_extra_bufts``: weights may be repacked for special instructions, which is faster.
    """

    use_extra_bufts: bool = True


def safe_load_flags(cache_dir: Path) -> LoadFlags:
    """Return how models have to be loaded here; runs a child process the first time only.

    Args:
        cache_dir: Where the verdict is remembered; made if needed.

    Raises:
        BackendUnavailableError: This build does not run on this processor at all.
    """
    if getattr(sys, "frozen", False):  # no interpreter to run a child with: the safe way
        return LoadFlags(use_extra_bufts=False)
    store = cache_dir / _FILE_NAME
    key = build_key()
    known = _recall(store, key)
    if known is None:
        with tempfile.TemporaryDirectory(prefix="probe-", ignore_cleanup_errors=True) as folder:
            file = Path(folder) / "probe.gguf"
            write_tiny_file(file)
            known, certain = decide(lambda extra: run_child(_command(file, extra_bufts=extra)))
        if certain:
            _remember(store, key, known)
    if known == "none":
        raise BackendUnavailableError(
            "The GGUF engine does not run on this processor: llama.cpp was built for another one.",
            "Set the app up again with packaging/bootstrap.py on this computer, or use a model in "
            "the native format.",
            f"probe verdict in {store}",
        )
    return LoadFlags(use_extra_bufts=known == "all")


def decide(run: Callable[[bool], Outcome]) -> tuple[Verdict, bool]:
    """Return the verdict and whether it is certain enough to be remembered.

    Args:
        run: Tries a prompt, with extra buffer types or without, and tells the outcome.
    """
    match run(True):
        case "works":
            return "all", True
        case "unknown":
            return "all", False
        case "dies":
            plain = run(False)
            return ("none" if plain == "dies" else "plain"), plain != "unknown"


def run_child(command: Sequence[str]) -> Outcome:
    """Run a command to its end and judge how it ended."""
    try:
        with life_line() as stdin:
            done = subprocess.run(  # noqa: S603  our own interpreter and module, no shell
                command,
                stdin=stdin,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=engine_environment(),
                timeout=_TIMEOUT_S,
                check=False,
                creationflags=no_window(),
            )
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return judge(done.returncode)


def judge(returncode: int) -> Outcome:
    """Return what an exit status says: an unlucky kill from outside is no verdict."""
    if returncode == 0:
        return "works"
    deadly = {-int(getattr(signal, name)) for name in _DEADLY_SIGNALS if hasattr(signal, name)}
    if returncode in deadly or returncode in _WINDOWS_ERRORS:
        return "dies"
    return "unknown"


def build_key() -> str:
    """Return what identifies this build and this processor."""
    parts = [importlib.metadata.version("llama-cpp-python"), _processor()]
    for library in sorted(_library_folder().glob("*ggml*")):
        with suppress(OSError):
            facts = library.stat()
            parts.append(f"{library.name} {facts.st_size} {facts.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _library_folder() -> Path:
    override = os.environ.get("LLAMA_CPP_LIB_PATH")
    if override:
        return Path(override)
    spec = importlib.util.find_spec("llama_cpp")
    if spec is None or spec.origin is None:
        return Path()
    return Path(spec.origin).parent / "lib"


def _processor() -> str:
    """Return the processor's name and features; a virtual machine may move to another one."""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
        wanted = ("model name", "flags", "Features", "CPU part")
        facts = {line for line in lines if line.startswith(wanted)}
        if facts:
            return "\n".join(sorted(facts))
    return f"{platform.machine()} {platform.processor()}"


def _recall(store: Path, key: str) -> Verdict | None:
    with suppress(OSError, ValueError):
        remembered = json.loads(store.read_text(encoding="utf-8"))
        if isinstance(remembered, dict) and remembered.get("key") == key:
            return _VERDICTS.get(remembered.get("verdict"))
    return None


def _remember(store: Path, key: str, verdict: Verdict) -> None:
    text = json.dumps({"key": key, "verdict": verdict})
    with suppress(OSError):  # a cache that cannot be written costs a probe per start, no more
        replace_file(store, text.encode())


def _command(file: Path, *, extra_bufts: bool) -> list[str]:
    mode = "all" if extra_bufts else "plain"
    return [sys.executable, "-P", "-X", "utf8", "-m", "inference.gguf.probe", str(file), mode]


def main(arguments: Sequence[str]) -> int:
    """Be the child: run a prompt and a token through the tiny file; 1 when that was refused."""
    settle_in()
    hold_life_line()
    from inference.gguf.library import api, start  # noqa: PLC0415  only in the child

    start()
    model_params = api.llama_model_default_params()
    model_params.n_gpu_layers = 0
    model_params.use_extra_bufts = arguments[1] == "all"
    model = api.llama_model_load_from_file(os.fsencode(arguments[0]), model_params)
    if not model:
        return 1
    params = api.llama_context_default_params()
    params.n_ctx = 64
    context = api.llama_init_from_model(model, params)
    if not context:
        return 1
    for count in (_PROMPT_TOKENS, 2, 1):
        ids = (api.llama_token * count)(*(index % VOCABULARY for index in range(count)))
        if api.llama_decode(context, api.llama_batch_get_one(ids, count)) != 0:
            return 1
    api.llama_synchronize(context)
    return 0


if __name__ == "__main__":
    # Not sys.exit: a library that dies in its own tear-down says nothing about the processor.
    os._exit(main(sys.argv[1:]))
