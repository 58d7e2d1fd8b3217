"""What this computer has: processor features, compiler, Qt's system libraries, a display.

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import ctypes
import os
import platform
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

# Qt's own wheels bring Qt; these come from the system. (library, what asks for it)
_QT_LIBRARIES = ("libEGL.so.1", "libGL.so.1", "libxkbcommon.so.0", "libfontconfig.so.1")
_QT_LIBRARIES_X11 = ("libxcb-cursor.so.0", "libxkbcommon-x11.so.0", "libxcb-icccm.so.4")

_INSTALL_QT = {
    "apt-get": (
        "apt-get install -y libegl1 libgl1 libxkbcommon-x11-0 libfontconfig1 libdbus-1-3 "
        "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xinerama0 "
        "libxcb-image0 libxcb-render-util0 libxcb-randr0 libxcb-xkb1"
    ),
    "dnf": (
        "dnf install -y mesa-libEGL mesa-libGL libxkbcommon-x11 fontconfig xcb-util-cursor "
        "xcb-util-wm xcb-util-keysyms xcb-util-image xcb-util-renderutil"
    ),
    "pacman": "pacman -S --needed libglvnd libxkbcommon-x11 fontconfig xcb-util-cursor xcb-util-wm",
    "zypper": "zypper install Mesa-libEGL1 Mesa-libGL1 libxkbcommon-x11-0 libxcb-cursor0",
}
_INSTALL_COMPILER = {
    "apt-get": "apt-get install -y build-essential",
    "dnf": "dnf install -y gcc-c++ make",
    "pacman": "pacman -S --needed base-devel",
    "zypper": "zypper install -y gcc-c++ make",
}
_NVML = "nvml.dll" if sys.platform == "win32" else "libnvidia-ml.so.1"
_CUDA_HOMES = ("/usr/local/cuda", "/opt/cuda")
# cmake option: processor flags that it needs, as Linux names them
_X86_OPTIONS = (
    ("GGML_AVX", ("avx",)),
    ("GGML_AVX2", ("avx2",)),
    ("GGML_FMA", ("fma",)),
    ("GGML_F16C", ("f16c",)),
    ("GGML_BMI2", ("bmi2",)),
    ("GGML_AVX512", ("avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw")),
    ("GGML_AVX512_VBMI", ("avx512f", "avx512vbmi")),
    ("GGML_AVX512_VNNI", ("avx512f", "avx512_vnni")),
    ("GGML_AVX512_BF16", ("avx512f", "avx512_bf16")),
)


def is_x86() -> bool:
    """Whether this is a 64-bit Intel or AMD processor."""
    return platform.machine().lower() in {"x86_64", "amd64"}


def has_nvidia() -> bool:
    """Whether an NVIDIA driver is loaded; a toolkit without a card does not count."""
    if sys.platform.startswith("linux"):  # the second one is Windows' driver, seen from WSL
        signs = ("/proc/driver/nvidia/version", "/usr/lib/wsl/lib/libcuda.so.1")
        return any(Path(sign).exists() for sign in signs)
    return shutil.which("nvidia-smi") is not None


def cuda_compiler() -> str:
    """Return the path of CUDA's compiler, or nothing; its installers leave PATH as it was."""
    found = shutil.which("nvcc")
    homes = (os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), *_CUDA_HOMES)
    for home in filter(None, homes):
        found = found or shutil.which("nvcc", path=str(Path(home) / "bin"))
    return found or ""


def cuda_architectures() -> str:
    """Return the kinds of the cards that are here, as cmake names them (``86;90``), or nothing.

    Without a choice llama.cpp's kernels are built for six kinds, which takes six times as long.
    Asks the driver's library: ``nvidia-smi`` asks it too, but takes longer than a start may.
    """
    try:
        nvml = ctypes.CDLL(_NVML)
    except OSError:
        return ""
    count, found = ctypes.c_uint(0), set()
    if nvml.nvmlInit_v2() != 0:
        return ""
    nvml.nvmlDeviceGetCount_v2(ctypes.byref(count))
    for index in range(count.value):
        card, major, minor = ctypes.c_void_p(), ctypes.c_int(), ctypes.c_int()
        ask = nvml.nvmlDeviceGetCudaComputeCapability
        if nvml.nvmlDeviceGetHandleByIndex_v2(index, ctypes.byref(card)) == 0 and (
            ask(card, ctypes.byref(major), ctypes.byref(minor)) == 0
        ):
            found.add(f"{major.value}{minor.value}")
    nvml.nvmlShutdown()
    return ";".join(sorted(found, key=int))


def missing_cuda() -> str:
    """Return a sentence when a card is here that llama.cpp cannot be built for, else nothing."""
    if not has_nvidia() or cuda_compiler() or "GLASSHOUSE_CMAKE_ARGS" in os.environ:
        return ""
    return (
        "There is an NVIDIA card, but not CUDA's compiler (nvcc): GGUF models will run on the "
        "processor.\nInstall the CUDA toolkit and run the same command again to use the card."
    )


def processor_flags() -> frozenset[str]:
    """Return the processor's features in Linux's spelling; empty where they cannot be read."""
    if sys.platform.startswith("linux"):
        return _linux_flags()
    if sys.platform == "darwin":
        keys = ("machdep.cpu.features", "machdep.cpu.leaf7_features")
        found = subprocess.run(
            ["sysctl", "-n", *keys], capture_output=True, text=True, check=False
        ).stdout.lower()
        return frozenset(found.replace("avx1.0", "avx").split())
    if sys.platform == "win32":
        ask = ctypes.windll.kernel32.IsProcessorFeaturePresent
        flags = {"avx"} if ask(39) else set()
        flags |= {"avx2", "fma", "f16c", "bmi2"} if ask(40) else set()
        return frozenset(flags)
    return frozenset()


def _linux_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # a sandbox without it
        return frozenset()
    for line in text.splitlines():
        if line.startswith("flags"):
            return frozenset(line.partition(":")[2].split())
    return frozenset()


def cmake_args(flags: frozenset[str] | None = None) -> str:
    """Return llama.cpp's build options for this processor.

    A build with ``-march=native`` takes AMX from processors and virtual machines that report it and
    trap on it, so every x86 feature is named and AMX is not among them. Other processors build
    native. ``GLASSHOUSE_CMAKE_ARGS`` replaces the whole choice.
    """
    chosen = os.environ.get("GLASSHOUSE_CMAKE_ARGS")
    if chosen is not None:
        return chosen
    options: list[str] = []
    if is_x86():
        have = processor_flags() if flags is None else flags
        # Where nothing is known, the x86-64 baseline runs everywhere.
        options.append("-DGGML_NATIVE=OFF")
        options += [
            f"-D{name}={'ON' if have.issuperset(needed) else 'OFF'}"
            for name, needed in _X86_OPTIONS
        ]
    if has_nvidia():
        options += _cuda_args()
    return " ".join(options)


def _cuda_args() -> list[str]:
    compiler = cuda_compiler()
    if not compiler:
        return []
    options = ["-DGGML_CUDA=ON"]
    if not shutil.which("nvcc"):
        options.append(f"-DCMAKE_CUDA_COMPILER={shlex.quote(Path(compiler).as_posix())}")
    if kinds := cuda_architectures():
        options.append(f"-DCMAKE_CUDA_ARCHITECTURES={kinds}")
    return options


def has_display() -> bool:
    """Whether a window can be opened."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _command(table: dict[str, str]) -> str:
    for manager, command in table.items():
        if shutil.which(manager):
            root = hasattr(os, "geteuid") and os.geteuid() == 0
            return command if root else f"sudo {command}"
    return table["apt-get"]


def missing_qt_libraries() -> str:
    """Return a sentence and a command when Qt's system libraries are missing, else nothing."""
    if not sys.platform.startswith("linux"):
        return ""
    wanted = _QT_LIBRARIES + (_QT_LIBRARIES_X11 if os.environ.get("DISPLAY") else ())
    absent = [name for name in wanted if not _loads(name)]
    if not absent:
        return ""
    return (
        f"The window needs {', '.join(absent)} from your system. Install with:\n"
        f"  {_command(_INSTALL_QT)}"
    )


def missing_compiler() -> str:
    """Return a sentence and a command when no C++ compiler is here, else nothing.

    cmake and ninja need no check: the build takes them from the system or fetches their wheels.
    """
    if sys.platform == "win32":
        installer = Path(os.environ.get("PROGRAMFILES(X86)", "")) / "Microsoft Visual Studio"
        if (installer / "Installer" / "vswhere.exe").exists() or shutil.which("cl"):
            return ""
        return (
            "llama.cpp is built once for your processor and needs a C++ compiler. Install with:\n"
            "  winget install Microsoft.VisualStudio.2022.BuildTools --override "
            '"--wait --passive --add Microsoft.VisualStudio.Workload.VCTools"'
        )
    if sys.platform == "darwin":
        found = subprocess.run(["xcode-select", "-p"], capture_output=True, check=False)
        command = "" if found.returncode == 0 else "xcode-select --install"
    else:
        named = os.environ.get("CXX")
        there = shutil.which(named) if named else shutil.which("g++") or shutil.which("clang++")
        command = "" if there else _command(_INSTALL_COMPILER)
    if not command:
        return ""
    return (
        "llama.cpp is built once for your processor and needs a C++ compiler. Install with:\n"
        f"  {command}"
    )


def missing_venv() -> str:
    """Return a sentence and a command when Python cannot make environments, else nothing."""
    try:
        import ensurepip  # noqa: F401, PLC0415  # only its presence counts; Debian splits it off
    except ImportError:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        table = {**_INSTALL_COMPILER, "apt-get": f"apt-get install -y python{version}-venv"}
        return f"This Python cannot make environments. Install with:\n  {_command(table)}"
    return ""
