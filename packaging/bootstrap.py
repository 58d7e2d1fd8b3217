"""Set Glasshouse up in ``.venv`` and start or test it; the standard library is enough.

    python3 packaging/bootstrap.py run     open the window (or the terminal chat without a display)
    python3 packaging/bootstrap.py test    lint, types and tests; further words go to pytest

A stamp over pins and build options decides whether anything is to be installed.
``GLASSHOUSE_CMAKE_ARGS`` replaces the build options of llama.cpp, ``GLASSHOUSE_WHEELS`` the folder
in which its wheel is kept, ``GLASSHOUSE_TORCH_INDEX`` names an index for torch (empty: none).
"""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PINS = ROOT / "packaging" / "constraints.txt"
LLAMA = "llama-cpp-python"
# On Linux, PyPI's torch brings gigabytes of CUDA; this index has the build for the processor alone.
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# pip's words, in all its releases, for a server that it could not talk to
_OFFLINE = (
    "Failed to establish a new connection",
    "NameResolutionError",
    "name resolution",
    "ConnectTimeoutError",
    "ProxyError",
    "Connection refused",
    "Network is unreachable",
)
SAMPLE = "What is a token?"


class SetupError(Exception):
    """A sentence and a next step; shown without a traceback."""


def main(argv: list[str]) -> int:
    """Run one command; see the module's text."""
    if sys.version_info < (3, 11):  # noqa: UP036  # this file must say it on older ones
        print("Glasshouse needs Python 3.11 or newer; this is " + platform.python_version() + ".")
        return 1
    if not argv or argv[0] not in {"run", "test"} or (argv[0] == "run" and len(argv) > 2):
        print(__doc__.strip() if __doc__ else "")
        return 2
    os.chdir(ROOT)
    try:
        if argv[0] == "test":
            prepare(test=True)
            return test(argv[1:])
        prepare(test=False)
        return run(argv[1:])
    except (SetupError, OSError) as exc:
        print(f"\n{_sentence(exc)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _sentence(trouble: Exception) -> str:
    if isinstance(trouble, SetupError):
        return str(trouble)
    # A full disk, a folder that belongs to somebody else
    return (
        f"Something could not be read or written: {trouble}.\n"
        "Mend that, then run the same command again."
    )


# --- setting up -----------------------------------------------------------------------------------


def prepare(*, test: bool) -> None:
    """Install what is missing; returns at once when the stamp is right."""
    import machine  # noqa: PLC0415  # only imported where there may be work to do

    args = machine.cmake_args()
    wanted = _fingerprint(args)
    stamps = [VENV / "test.stamp"] if test else [VENV / "run.stamp", VENV / "test.stamp"]
    if python().exists() and any(_holds(stamp, wanted) for stamp in stamps):
        return
    started = time.monotonic()
    wheel_folder = _wheel_folder(args)
    problems = [machine.missing_venv(), machine.missing_qt_libraries()]
    if not _wheels(wheel_folder):
        problems.append(machine.missing_compiler())
    if any(problems):
        raise SetupError("\n".join(problem for problem in problems if problem))
    for stamp in (VENV / "run.stamp", VENV / "test.stamp"):  # from now on neither is true
        stamp.unlink(missing_ok=True)
    if not _environment_works():
        _step("Making .venv", [sys.executable, "-m", "venv", "--clear", str(VENV)])
    _step("Preparing the installer", [*_pip(), "install", "-c", str(PINS), "pip", "setuptools"])
    wheel = _llama_wheel(wheel_folder, args)
    extra = "[test]" if test else ""
    index = _torch_index(has_nvidia=machine.has_nvidia())
    command = [*_pip(), "install", "-c", str(PINS), "--no-build-isolation", *index]
    _step("Installing the packages", [*command, str(wheel), "-e", f".{extra}"])
    stamps[0].write_text(wanted, encoding="utf-8")
    print(f"Ready after {time.monotonic() - started:.0f} s.", flush=True)


def _environment_works() -> bool:
    """Whether ``.venv`` can go on being used: interrupted while being made, it has no pip.

    After an upgrade of the system's Python it may be a Python that does not find its packages.
    """
    ask = "import sys, pip; sys.exit(sys.version_info < (3, 11) or sys.prefix == sys.base_prefix)"
    try:
        done = subprocess.run([str(python()), "-c", ask], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _holds(stamp: Path, wanted: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted


def python() -> Path:
    """Return the environment's Python."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _pip() -> list[str]:
    return [str(python()), "-m", "pip", "--disable-pip-version-check", "--no-input"]


def _fingerprint(build_args: str) -> str:
    parts = (PINS.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), build_args.encode())
    digest = hashlib.sha256(b"\0".join((*parts, platform.python_version().encode())))
    return digest.hexdigest()


def _pin(name: str) -> str:
    for line in PINS.read_text(encoding="utf-8").splitlines():
        found, _, version = line.partition("==")
        if found.strip() == name:
            return version.strip()
    raise SetupError(f"packaging/constraints.txt has no line for {name}.")


def _wheel_folder(build_args: str) -> Path:
    """Return a folder of our own: pip's wheel cache ignores ``CMAKE_ARGS``."""
    chosen = os.environ.get("GLASSHOUSE_WHEELS")
    if chosen:
        root = Path(chosen)
    elif sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "Glasshouse" / "wheels"
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Caches" / "Glasshouse" / "wheels"
    else:
        root = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
        root = root / "Glasshouse" / "wheels"
    machine_text = f"{platform.system()} {platform.machine()} {sys.version_info[:2]} {build_args}"
    key = hashlib.sha256(machine_text.encode()).hexdigest()[:16]
    return root / f"{_pin(LLAMA)}-{key}"


def _wheels(folder: Path) -> list[Path]:
    return sorted(folder.glob("llama_cpp_python-*.whl"))


def _llama_wheel(folder: Path, build_args: str) -> Path:
    """Return the wheel for this processor, built if it is not there yet."""
    import machine  # noqa: PLC0415  # as above

    if not _wheels(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "BUILD.txt").write_text(f"CMAKE_ARGS={build_args}\n", encoding="utf-8")
        requirement = f"{LLAMA}=={_pin(LLAMA)}"
        # Moved to its place when whole: an interrupted build must not leave half a wheel there.
        making = folder / "making"
        command = [*_pip(), "wheel", "--no-cache-dir", "--no-deps", requirement, "-w", str(making)]
        if note := machine.missing_cuda():
            print(note, flush=True)
        aim, time_text = "this processor", "about 10 minutes"
        if "GGML_CUDA=ON" in build_args:
            aim, time_text = "this processor and your NVIDIA card", "about half an hour"
        _step(
            f"Building llama.cpp for {aim} (once; {time_text} on two cores)",
            command,
            {"CMAKE_ARGS": build_args},
        )
        for wheel in _wheels(making):
            wheel.replace(folder / wheel.name)
    return _wheels(folder)[-1]


def _torch_index(*, has_nvidia: bool) -> list[str]:
    """Return pip options that keep CUDA out where no NVIDIA card can use it."""
    chosen = os.environ.get("GLASSHOUSE_TORCH_INDEX")
    if chosen is not None:
        return ["--extra-index-url", chosen] if chosen else []
    if has_nvidia or not sys.platform.startswith("linux"):
        return []
    import urllib.error  # noqa: PLC0415  # heavy, and only needed here
    import urllib.request  # noqa: PLC0415

    try:
        with urllib.request.urlopen(f"{TORCH_CPU_INDEX}/torch/", timeout=4):
            return ["--extra-index-url", TORCH_CPU_INDEX]
    except (urllib.error.URLError, TimeoutError, OSError):
        return []


def _step(title: str, command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run one long command, show that it lives, and on trouble show what it said last."""
    log_path = VENV.parent / ".venv.log"
    live = sys.stdout.isatty()
    print(f"{title} ...", end="" if live else "\n", flush=True)
    started = time.monotonic()
    with log_path.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        next_line_s = 60.0
        try:
            while process.poll() is None:
                time.sleep(0.2)
                elapsed_s = time.monotonic() - started
                if live:
                    print(f"\r{title} ... {elapsed_s:.0f} s ", end="", flush=True)
                elif elapsed_s > next_line_s:
                    print(f"  still at it after {elapsed_s:.0f} s", flush=True)
                    next_line_s += 60.0
        except KeyboardInterrupt:
            process.terminate()
            process.wait()
            raise
    print("" if live else f"  done in {time.monotonic() - started:.0f} s", flush=True)
    if process.returncode != 0:
        text = log_path.read_text(encoding="utf-8", errors="replace")
        last = "\n".join(text.splitlines()[-25:])
        raise SetupError(f"{last}\n\n{_stopped(title, process.returncode, text)}")
    log_path.unlink(missing_ok=True)


def _stopped(title: str, status: int, log: str) -> str:
    go_on = "The same command goes on from here once the cause is mended."
    if any(sign in log for sign in _OFFLINE):
        return (
            f"{title}: the packages could not be fetched, because their server was not reached. "
            "Check the network (behind a proxy, HTTPS_PROXY names it). " + go_on
        )
    return (
        f"{title}: stopped with exit status {status}; the lines above say why. All of it is in "
        f".venv.log. {go_on}"
    )


# --- starting and testing -------------------------------------------------------------------------


def run(arguments: list[str]) -> int:
    """Open the window; without a display the terminal chat; without a terminal two samples."""
    import machine  # noqa: PLC0415

    if machine.has_display():
        return _become([str(python()), "-m", "desktop", *arguments])
    model = arguments[0] if arguments else "starter-instruct"
    if sys.stdin.isatty() and sys.stdout.isatty():
        print("There is no display here, so the chat opens in the terminal.", flush=True)
        return _become([str(python()), "-m", "inference", "run", model])
    print(f'There is neither a display nor a terminal: one sample, "{SAMPLE}"', flush=True)
    for engine in ("gguf", "native"):
        print(f"\n{model} on the {engine} engine:", flush=True)
        command = [str(python()), "-m", "inference", "run", model, SAMPLE]
        status = subprocess.call([*command, "--engine", engine, "--temperature", "0"])
        if status != 0:
            return status
    return 0


def _become(command: list[str]) -> int:
    """Replace this process where the system can, so that nothing of it stays in memory."""
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.call(command)


def test(pytest_arguments: list[str]) -> int:
    """Run linter, formatter check, types and tests; every one runs, the first bad one counts."""
    tool = [str(python()), "-m"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    worst = 0
    for command in (
        [*tool, "ruff", "check", "."],
        [*tool, "ruff", "format", "--check", "."],
        [*tool, "mypy"],
        [*tool, "pytest", *pytest_arguments],
    ):
        print(f"\n$ {' '.join(command[2:])}", flush=True)
        worst = subprocess.call(command, env=environment) or worst
    return worst


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
