"""Generic credentials of Windows' Credential Manager, through advapi32; elsewhere there are none.

Source: Microsoft's documentation of ``CredReadW``, ``CredWriteW`` and ``CREDENTIALW``.
"""

from __future__ import annotations

import sys

if sys.platform == "win32":
    import ctypes
    from ctypes import wintypes

    _GENERIC = 1
    _THIS_MACHINE = 2

    class _Credential(ctypes.Structure):
        _fields_ = (
            ("flags", wintypes.DWORD),
            ("type", wintypes.DWORD),
            ("target", wintypes.LPWSTR),
            ("comment", wintypes.LPWSTR),
            ("written", wintypes.FILETIME),
            ("size", wintypes.DWORD),
            ("blob", ctypes.POINTER(ctypes.c_ubyte)),
            ("persist", wintypes.DWORD),
            ("attribute_count", wintypes.DWORD),
            ("attributes", ctypes.c_void_p),
            ("alias", wintypes.LPWSTR),
            ("user", wintypes.LPWSTR),
        )

    _api = ctypes.WinDLL("advapi32", use_last_error=True)

    def read(target: str) -> str:
        """Return what is stored under a name, or nothing."""
        found = ctypes.POINTER(_Credential)()
        if not _api.CredReadW(target, _GENERIC, 0, ctypes.byref(found)):
            return ""
        try:
            content = found.contents
            return ctypes.string_at(content.blob, content.size).decode("utf-8", "replace")
        finally:
            _api.CredFree(found)

    def write(target: str, secret: str) -> bool:
        """Store a text under a name; tell whether that worked."""
        data = secret.encode()
        blob = (ctypes.c_ubyte * len(data)).from_buffer_copy(data)
        credential = _Credential(
            type=_GENERIC,
            target=target,
            size=len(data),
            blob=ctypes.cast(blob, ctypes.POINTER(ctypes.c_ubyte)),
            persist=_THIS_MACHINE,
            user=target,
        )
        return bool(_api.CredWriteW(ctypes.byref(credential), 0))

    def delete(target: str) -> None:
        """Remove what is stored under a name."""
        _api.CredDeleteW(target, _GENERIC, 0)

else:

    def read(target: str) -> str:
        """Return nothing: this is no Windows."""
        del target
        return ""

    def write(target: str, secret: str) -> bool:
        """Store nothing: this is no Windows."""
        del target, secret
        return False

    def delete(target: str) -> None:
        """Do nothing: this is no Windows."""
        del target
