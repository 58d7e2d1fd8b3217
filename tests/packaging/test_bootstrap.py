"""The script that sets everything up, as far as it runs without installing."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPO / "packaging"))

import bootstrap  # noqa: E402  # lies beside a script, not in a package
import machine  # noqa: E402

sys.path.remove(str(REPO / "packaging"))


@pytest.mark.skipif(not machine.is_x86(), reason="the options are those of x86-64")
@pytest.mark.parametrize(
    ("flags", "on", "off"),
    [
        ({"avx", "avx2", "fma", "f16c", "bmi2"}, "GGML_AVX2", "GGML_AVX512"),
        (
            {"avx", "avx512f", "avx512cd", "avx512vl", "avx512dq", "avx512bw"},
            "GGML_AVX512",
            "GGML_AVX2",
        ),
        (set(), "GGML_NATIVE=OFF -DGGML_AVX=OFF -DGGML_AVX2=OFF -DGGML_FMA", "GGML_BMI2"),
    ],
)
def test_build_options_name_each_feature_and_never_amx(
    monkeypatch: pytest.MonkeyPatch, flags: set[str], on: str, off: str
) -> None:
    monkeypatch.delenv("GLASSHOUSE_CMAKE_ARGS", raising=False)
    args = machine.cmake_args(frozenset(flags | {"amx_tile"}))
    assert args.startswith("-DGGML_NATIVE=OFF")
    assert f"-D{on}=O" in args
    assert f"-D{off}=OFF" in args
    assert "AMX" not in args


def test_a_persons_own_build_options_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLASSHOUSE_CMAKE_ARGS", "-DGGML_VULKAN=ON")
    assert machine.cmake_args() == "-DGGML_VULKAN=ON"


NVML = """
int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 3; return 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **card) {
    *card = (void *)(unsigned long)(index + 1);
    return 0;
}
int nvmlDeviceGetCudaComputeCapability(void *card, int *major, int *minor) {
    *major = card == (void *)1 ? 12 : 8;
    *minor = card == (void *)1 ? 0 : 6;
    return 0;
}
"""


@pytest.mark.skipif(sys.platform != "linux" or not shutil.which("cc"), reason="no cc on Linux here")
def test_a_card_with_its_compiler_gets_kernels_of_its_own_kind(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "nvml.c").write_text(NVML, encoding="utf-8")
    library, compiler = tmp_path / "libnvml.so", tmp_path / "bin" / "nvcc"
    subprocess.run(["cc", "-shared", "-o", str(library), str(tmp_path / "nvml.c")], check=True)
    compiler.parent.mkdir()
    compiler.write_text("", encoding="utf-8")
    compiler.chmod(0o755)
    monkeypatch.setattr(machine, "_NVML", str(library))
    monkeypatch.setattr(machine, "_CUDA_HOMES", ())
    monkeypatch.setattr(machine, "has_nvidia", lambda: True)
    for name in ("GLASSHOUSE_CMAKE_ARGS", "CUDA_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("CUDA_HOME", str(tmp_path))  # not on PATH, as CUDA's installers leave it
    options = machine.cmake_args().split()
    assert options[-3:] == [
        "-DGGML_CUDA=ON",
        f"-DCMAKE_CUDA_COMPILER={compiler}",
        "-DCMAKE_CUDA_ARCHITECTURES=86;120",
    ]
    assert machine.missing_cuda() == ""


def test_a_card_without_cudas_compiler_gets_a_build_for_the_processor_and_a_word(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(machine, "has_nvidia", lambda: True)
    monkeypatch.setattr(machine, "_CUDA_HOMES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    for name in ("GLASSHOUSE_CMAKE_ARGS", "CUDA_PATH", "CUDA_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert "CUDA" not in machine.cmake_args()
    assert "Install the CUDA toolkit" in machine.missing_cuda()
    monkeypatch.setattr(machine, "has_nvidia", lambda: False)
    assert machine.missing_cuda() == ""


def test_wheels_of_different_builds_lie_in_different_folders(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GLASSHOUSE_WHEELS", str(tmp_path))
    one, other = bootstrap._wheel_folder("-DA=ON"), bootstrap._wheel_folder("-DA=OFF")
    assert one != other
    assert one.parent == tmp_path
    assert one.name.startswith(bootstrap._pin("llama-cpp-python"))


def test_every_runtime_package_is_pinned_to_one_version() -> None:
    import tomllib

    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + project["optional-dependencies"]["test"]
    for requirement in wanted:
        name = requirement.split(">=")[0].split("==")[0].strip().lower().replace("-", "_")
        pins = (REPO / "packaging" / "constraints.txt").read_text(encoding="utf-8").splitlines()
        assert [p for p in pins if p.lower().replace("-", "_").startswith(name + "==")], name


def test_the_missing_compiler_is_named_with_a_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("looks at PATH as Linux has it")
    (tmp_path / "apt-get").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert "apt-get install -y build-essential" in machine.missing_compiler()


def test_wrong_usage_is_said_with_status_2() -> None:
    run = subprocess.run(
        [sys.executable, str(REPO / "packaging" / "bootstrap.py"), "frobnicate"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert "bootstrap.py run" in run.stdout


def test_without_display_and_terminal_both_engines_answer_the_sample() -> None:
    """The stamp of the running environment stands, so nothing is installed here."""
    if Path(sys.prefix) != bootstrap.VENV or not (bootstrap.VENV / "test.stamp").exists():
        pytest.skip("these tests do not run in the environment that bootstrap.py made")
    environment = {k: v for k, v in os.environ.items() if k not in {"DISPLAY", "WAYLAND_DISPLAY"}}
    run = subprocess.run(
        [sys.executable, str(REPO / "packaging" / "bootstrap.py"), "run"],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        env=environment,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert "on the gguf engine" in run.stdout
    assert "on the native engine" in run.stdout
    assert run.stdout.lower().count("token") >= 3


@pytest.mark.parametrize("name", ["bootstrap.py", "machine.py"])
def test_an_older_python_can_read_the_files_and_so_say_that_it_is_too_old(name: str) -> None:
    source = (REPO / "packaging" / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 8))


def _copy_with_spaces(folder: Path) -> Path:
    """Return a checkout, as far as the set-up needs it, whose ``.venv`` was left half made."""
    root = folder / "my projects" / "glass house"
    shutil.copytree(REPO / "packaging", root / "packaging", ignore=lambda *_: ["__pycache__"])
    shutil.copy(REPO / "pyproject.toml", root)
    if sys.platform != "win32":
        (root / ".venv" / "bin").mkdir(parents=True)
        (root / ".venv" / "bin" / "python").symlink_to(sys.executable)
    return root


def test_without_a_network_a_half_made_environment_is_mended_and_the_cause_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if machine.missing_venv() or machine.missing_qt_libraries() or machine.missing_compiler():
        pytest.skip("something that comes before the network is missing here")
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    root = _copy_with_spaces(tmp_path)
    nowhere = {"PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "1"}
    nowhere["PIP_INDEX_URL"] = "http://127.0.0.1:9/simple"  # the port at which nobody listens
    run = subprocess.run(
        [sys.executable, str(root / "packaging" / "bootstrap.py"), "run"],
        capture_output=True,
        text=True,
        env=os.environ | nowhere,
        check=False,
    )
    assert run.returncode == 1
    assert "Making .venv" in run.stdout
    assert "their server was not reached" in run.stderr
    assert "Traceback" not in run.stderr
    assert (root / ".venv" / "pyvenv.cfg").is_file()
    assert not list((root / ".venv").glob("*.stamp"))


@pytest.mark.skipif(sys.platform == "win32", reason="a device that is always full")
def test_a_folder_that_cannot_be_written_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "file" / ".venv")
    monkeypatch.setattr(machine, "missing_qt_libraries", lambda: "")
    monkeypatch.setattr(machine, "missing_compiler", lambda: "")
    monkeypatch.chdir(REPO)
    assert bootstrap.main(["run"]) == 1
    assert "could not be read or written" in capsys.readouterr().err
