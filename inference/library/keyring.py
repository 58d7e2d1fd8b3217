"""The access token in the system's own keyring: Keychain, Credential Manager, Secret Service.

Through the programs and calls that the systems bring, so that no package is needed. The token
travels over standard input or memory, never as an argument of a process, and is never logged.
"""

from __future__ import annotations

import logging
import shutil
import subprocess
import sys

from inference.errors import StoreError
from inference.library import windows_credentials

_SERVICE = "Glasshouse"
_ACCOUNT = "hub-token"
_TIMEOUT_S = 20.0

_log = logging.getLogger(__name__)


def available() -> bool:
    """Tell whether this system has a keyring that can be used."""
    return sys.platform == "win32" or _tool() is not None


def read_token() -> str:
    """Return the stored token, or nothing."""
    said: str | None
    if sys.platform == "win32":
        said = windows_credentials.read(_SERVICE)
    elif sys.platform == "darwin":
        said = _run("find-generic-password", "-s", _SERVICE, "-a", _ACCOUNT, "-w")
    else:
        said = _run("lookup", "service", _SERVICE, "account", _ACCOUNT)
    return said.strip() if said else ""


def store_token(token: str) -> None:
    """Keep a token; an empty one removes what is there.

    Raises:
        StoreError: There is no keyring, or it refuses.
    """
    if not token:
        return _forget()
    if any(letter.isspace() or not letter.isprintable() for letter in token):
        raise StoreError("A token has no blanks.", "Copy it again from the hub's settings.")
    if sys.platform == "win32":
        stored = windows_credentials.write(_SERVICE, token)
    elif sys.platform == "darwin":
        # -i reads whole commands from standard input, so the token is no process argument.
        quoted = token.replace("\\", "\\\\").replace('"', '\\"')
        line = f'add-generic-password -U -s {_SERVICE} -a {_ACCOUNT} -w "{quoted}"\n'
        stored = _run("-i", text=line) is not None
    else:
        words = ("store", f"--label={_SERVICE}", "service", _SERVICE, "account", _ACCOUNT)
        stored = _run(*words, text=token) is not None
    if not stored:
        raise StoreError(
            "The system's keyring did not take the token.",
            "Set HF_TOKEN instead, or unlock the keyring and try again.",
        )
    return None


def _forget() -> None:
    if sys.platform == "win32":
        windows_credentials.delete(_SERVICE)
    elif sys.platform == "darwin":
        _run("delete-generic-password", "-s", _SERVICE, "-a", _ACCOUNT)
    else:
        _run("clear", "service", _SERVICE, "account", _ACCOUNT)


def _tool() -> str | None:
    return shutil.which("security" if sys.platform == "darwin" else "secret-tool")


def _run(*words: str, text: str = "") -> str | None:
    """Run the system's tool; return what it says, ``None`` when it is missing or refuses."""
    tool = _tool()
    if tool is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603  the system's own tool, fixed words
            [tool, *words],
            input=text.encode(),
            capture_output=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        _log.info("the keyring's tool does not answer: %s", type(exc).__name__)
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
