from __future__ import annotations

import stat
import sys
from typing import TYPE_CHECKING

import pytest

from inference.errors import StoreError
from inference.library import keyring

if TYPE_CHECKING:
    from pathlib import Path

# Stands in for the desktop's Secret Service, with the command line of libsecret's secret-tool.
TOOL = """#!{python}
import sys, pathlib
folder = pathlib.Path(__file__).parent
with (folder / "arguments").open("a") as log:
    print(*sys.argv[1:], file=log)
secret = folder / "secret"
if (folder / "locked").exists():
    sys.exit(1)
if sys.argv[1] == "store":
    secret.write_text(sys.stdin.read())
elif sys.argv[1] == "clear":
    secret.unlink(missing_ok=True)
elif secret.exists():
    sys.stdout.write(secret.read_text())
else:
    sys.exit(1)
"""


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if sys.platform in ("win32", "darwin"):
        pytest.skip("the Secret Service is Linux's keyring")
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture
def tool(tools: Path) -> Path:
    path = tools / "secret-tool"
    path.write_text(TOOL.format(python=sys.executable))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_a_token_is_kept_found_and_forgotten(tool: Path) -> None:
    assert keyring.read_token() == ""
    keyring.store_token("hf_secret")
    assert keyring.read_token() == "hf_secret"
    keyring.store_token("")
    assert keyring.read_token() == ""


def test_the_token_is_never_an_argument_of_a_process(tool: Path) -> None:
    keyring.store_token("hf_secret")
    keyring.read_token()
    said = (tool.parent / "arguments").read_text()
    assert "Glasshouse" in said
    assert "hf_secret" not in said


def test_a_locked_or_missing_keyring_is_a_sentence(tools: Path) -> None:
    assert not keyring.available()
    assert keyring.read_token() == ""
    with pytest.raises(StoreError) as caught:
        keyring.store_token("hf_secret")
    assert "HF_TOKEN" in caught.value.hint
    assert "hf_secret" not in str(caught.value)


def test_a_locked_keyring_refuses(tool: Path) -> None:
    (tool.parent / "locked").touch()
    assert keyring.available()
    with pytest.raises(StoreError):
        keyring.store_token("hf_secret")


@pytest.mark.parametrize("token", ["hf bad", "hf\nbad", "hf\0"])
def test_a_token_with_blanks_or_controls_is_not_stored(tool: Path, token: str) -> None:
    with pytest.raises(StoreError):
        keyring.store_token(token)
    assert not (tool.parent / "arguments").exists()
