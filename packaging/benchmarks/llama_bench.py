"""Build llama.cpp's own programs from the very release that llama-cpp-python brings.

With its build options; ``llama-bench`` unless another one is asked for.

The source archive is fetched with pip once; source and build lie in the user's cache folder, keyed
by version and options, never in the repository.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import os
import shlex
import subprocess
import sys
import tarfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "packaging")]

import machine  # noqa: E402  packaging/ is no package: its scripts find each other by path

from inference.paths import app_paths  # noqa: E402

_NAME = "llama-cpp-python"
_NOT_NEEDED = ("models", "media", "docs", "tests", "examples")  # folders of vendor/llama.cpp
_CONFIGURE = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=ON",
    "-DLLAMA_BUILD_COMMON=ON",
    "-DLLAMA_BUILD_TOOLS=ON",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_SERVER=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
)


def work_folder() -> Path:
    """Return the cache folder of the benchmarks, made if needed."""
    folder = app_paths().cache / "benchmarks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def llama_bench(sdist: Path | None = None) -> Path:
    """Return the built ``llama-bench``; see ``built``."""
    return built("llama-bench", sdist)


def built(name: str, sdist: Path | None = None) -> Path:
    """Return a built program; the first call takes about ten minutes on two cores.

    Args:
        name: Of the program, which is that of its target too.
        sdist: The release's source archive, where it is at hand already.

    Raises:
        subprocess.CalledProcessError: Fetching, configuring or building ended with an error.
    """
    version = importlib.metadata.version(_NAME)
    options = machine.cmake_args()
    key = hashlib.sha256(options.encode()).hexdigest()[:12]
    folder = work_folder() / f"llama.cpp-{version}-{key}"
    program = folder / "build" / "bin" / f"{name}{'.exe' if sys.platform == 'win32' else ''}"
    if not program.exists():
        folder.mkdir(exist_ok=True)
        source = _source(folder, version, sdist)
        build = folder / "build"
        print(f"Building {name} {version} with {options}", flush=True)
        command = ["cmake", "-S", str(source), "-B", str(build), *_CONFIGURE, *shlex.split(options)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        jobs = str(os.cpu_count() or 1)
        command = ["cmake", "--build", str(build), "--config", "Release", "-j", jobs]
        subprocess.run([*command, "--target", name], check=True)
    return program


def measure(program: Path, model: Path, threads: int, prompt: int, decoded: int) -> float:
    """Run one test of llama-bench and return its tokens per second.

    Args:
        program: From ``llama_bench``.
        model: The GGUF file.
        threads: For prompt and decode alike.
        prompt: Tokens of a prompt to read, or 0.
        decoded: Tokens to decode from an empty context, or 0.
    """
    command = [str(program), "-m", str(model), "-t", str(threads), "-r", "1", "-o", "json"]
    command += ["-p", str(prompt), "-n", str(decoded)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (result,) = json.loads(done.stdout)
    return float(result["avg_ts"])


def _source(folder: Path, version: str, sdist: Path | None) -> Path:
    unpacked = folder / f"llama_cpp_python-{version}" / "vendor" / "llama.cpp"
    if (unpacked / "CMakeLists.txt").exists():
        return unpacked
    if sdist is None:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*command, f"{_NAME}=={version}", "-d", str(folder)], check=True)
        (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        wanted = [member for member in archive if _is_needed(member.name)]
        archive.extractall(folder, wanted, filter="data")
    return unpacked


def _is_needed(name: str) -> bool:
    parts = name.split("/")  # llama_cpp_python-x.y.z/vendor/llama.cpp/...
    return parts[1:3] == ["vendor", "llama.cpp"] and parts[3:4] not in [[n] for n in _NOT_NEEDED]


if __name__ == "__main__":
    print(llama_bench(Path(sys.argv[1]) if len(sys.argv) > 1 else None))
