"""``glasshouse doctor``: this computer, the engines, why the GPU is or is not used, the folders."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import psutil

from inference.cli import console
from inference.cli.options import add_json
from inference.host.ask import ask_engine
from inference.host.report import EngineReport
from inference.paths import app_paths

if TYPE_CHECKING:
    import argparse

_PACKAGES = (
    *("glasshouse", "PySide6-Essentials", "torch", "llama-cpp-python", "tokenizers"),
    *("safetensors", "huggingface-hub", "numpy", "scikit-learn", "py3langid", "jinja2", "msgspec"),
)
_FEATURES = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "bmi2", "avx_vnni", "avx512f", "avx512_vnni"),
    *("avx512_vbmi", "avx512_bf16", "amx_tile", "amx_int8", "amx_bf16"),
    *("asimd", "asimddp", "fphp", "asimdhp", "i8mm", "bf16", "sve", "sve2", "sme"),
)


class Machine(msgspec.Struct, frozen=True):
    """What this computer is."""

    system: str
    processor: str
    cores_physical: int
    cores_logical: int
    features: tuple[str, ...]
    memory_bytes: int
    memory_available_bytes: int


class Health(msgspec.Struct, frozen=True):
    """Everything ``doctor`` tells."""

    machine: Machine
    python: str
    versions: dict[str, str]
    engines: dict[str, EngineReport]
    folders: dict[str, str]


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``doctor``."""
    parser = commands.add_parser(
        "doctor",
        help="tell about this computer, its engines and folders",
        description="Tell about this computer: processor features, versions, engines, why the GPU "
        "is or is not used, and where things are kept. Exit status 1 where no engine works.",
    )
    add_json(parser)
    parser.set_defaults(handler=doctor, parser=parser)


def doctor(arguments: argparse.Namespace) -> int:
    """Print what was found; return 0 where at least one engine works."""
    health = Health(
        machine=examine_machine(),
        python=f"{platform.python_version()} ({sys.executable})",
        versions={name: _version(name) for name in _PACKAGES},
        engines={"gguf": ask_engine("gguf"), "native": ask_engine("native")},
        folders=_folders(),
    )
    if arguments.json:
        console.json_line(msgspec.to_builtins(health))
    else:
        _print(health)
    return 0 if any(engine.available for engine in health.engines.values()) else 1


def examine_machine() -> Machine:
    """Return what this computer is."""
    memory = psutil.virtual_memory()
    name, features = _processor()
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=name,
        cores_physical=psutil.cpu_count(logical=False) or 0,
        cores_logical=psutil.cpu_count() or 0,
        features=features,
        memory_bytes=memory.total,
        memory_available_bytes=memory.available,
    )


def _processor() -> tuple[str, tuple[str, ...]]:
    name, flags = platform.processor() or platform.machine(), ""
    with suppress(OSError):
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
        if found := re.search(r"^model name\s*: (.+)$", text, re.MULTILINE):
            name = found[1]
        if found := re.search(r"^(?:flags|Features)\s*: (.+)$", text, re.MULTILINE):
            flags = found[1]
    if sys.platform == "darwin":
        name = _sysctl("machdep.cpu.brand_string") or name
        flags = f"{_sysctl('machdep.cpu.features')} {_sysctl('machdep.cpu.leaf7_features')}".lower()
    known = set(flags.split())
    return name, tuple(feature for feature in _FEATURES if feature in known)


def _sysctl(name: str) -> str:
    with suppress(OSError, subprocess.TimeoutExpired):
        command = ["/usr/sbin/sysctl", "-n", name]
        done = subprocess.run(  # noqa: S603  a system program with fixed arguments
            command, capture_output=True, text=True, timeout=5, check=False
        )
        return done.stdout.strip()
    return ""


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


def _folders() -> dict[str, str]:
    paths = app_paths()
    found: dict[str, str] = {}
    for field in fields(paths):
        folder: Path = getattr(paths, field.name)
        found[field.name] = f"{folder}{_state(folder)}"
    return found


def _state(folder: Path) -> str:
    try:
        there = folder.exists()
    except OSError:  # a folder above it may not be entered
        return " (cannot be read)"
    if not there:
        return " (not made yet)"
    return "" if os.access(folder, os.W_OK) else " (cannot be written)"


def _print(health: Health) -> None:
    machine = health.machine
    console.line("This computer")
    _section(
        {
            "system": machine.system,
            "processor": machine.processor,
            "cores": f"{machine.cores_physical} physical, {machine.cores_logical} logical",
            "features": " ".join(machine.features) or "not known on this system",
            "memory": f"{console.size_text(machine.memory_available_bytes)} available of "
            f"{console.size_text(machine.memory_bytes)}",
            "python": health.python,
        }
    )
    for name, engine in health.engines.items():
        console.line(f"\nEngine: {name}")
        _section(_engine_rows(engine))
    console.line("\nVersions")
    _section(health.versions)
    console.line("\nFolders")
    _section(health.folders)


def _engine_rows(engine: EngineReport) -> dict[str, str]:
    if not engine.available:
        return {"available": "no", "why": engine.problem}
    rows = {
        "available": "yes",
        "device": engine.device,
        "why": engine.reason,
        "GPU in build": "yes" if engine.gpu_in_build else "no",
        "GPUs found": "; ".join(engine.gpus) or "none",
    }
    if engine.backends:
        rows["backends"] = ", ".join(engine.backends)
    if engine.dtypes:
        only = " (on the processor only)" if engine.gpus else ""
        types = (f"int8{only}" if name == "int8" else name for name in engine.dtypes)
        rows["number types"] = ", ".join(types)
    if engine.processor:
        rows["processor"] = engine.processor
    return rows


def _section(rows: dict[str, str]) -> None:
    console.table([(f"  {key}", value) for key, value in rows.items()])
