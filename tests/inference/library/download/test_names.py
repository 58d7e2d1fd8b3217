from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import UnsafeNameError
from inference.library.download.names import check_distinct, safe_path, safe_repo

UNSAFE = [
    "..", "../model.gguf", "a/../../b.gguf", "/etc/passwd", "//host/share/x", "", ".", "a//b",
    "a/./b", "C:/x.gguf", "C:x.gguf", "c:\\x.gguf", "a\\..\\b.gguf", "\\\\host\\x", "x.gguf:stream",
    "nul", "NUL.gguf", "sub/CON", "com1.safetensors", "LPT9.txt", "aux .json", "com\u00b9.gguf",
    "CONIN$", "a\nb.gguf", "a\x00b", "tab\t.gguf", "\x7f.gguf", "abc\u202egguf.exe",
    "zero\u200bwidth.gguf",
    ".hidden", ".download/x.part", ".trash/x", "a/.git/config", "dot.", "blank ", " blank", "a /b",
    "what?.gguf", "star*.gguf", "pipe|.gguf", "x" * 256, "\u00e9" * 120, "/".join("d" * 40), "~/..",
    "\ud800.gguf", "C:", "a/b:/c",
]  # fmt: skip


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_names_are_refused_with_the_name_in_the_sentence(name: str) -> None:
    with pytest.raises(UnsafeNameError) as caught:
        safe_path(name)
    assert "not safe" in caught.value.message
    assert all(letter.isprintable() for letter in caught.value.message)


@pytest.mark.parametrize(
    "name",
    ["model.gguf", "Q4_K_M/model-00001-of-00003.gguf", "tokenizer.json", "console.json", "nullable",
     "modèle-für-日本語.gguf", "a b.gguf", "x'y&z.gguf", "com10.gguf", "~tilde.gguf"],
)  # fmt: skip
def test_ordinary_names_pass_unchanged(name: str) -> None:
    assert str(safe_path(name)) == name


@given(st.text(max_size=40))
def test_whatever_passes_stays_below_its_folder(name: str) -> None:
    try:
        path = safe_path(name)
    except UnsafeNameError:
        return
    folder = PurePosixPath("/models/org/name")
    assert not path.is_absolute()
    assert folder in (folder / path).parents
    assert ".." not in path.parts
    assert not any(set(part) & set('\\:<>"|?*') for part in path.parts)


PIECES = ["con", "NUL", "COM1", "C:", "..", ".", "a", "\\", "/", " ", ".gguf", "~1", "$"]


@given(st.one_of(st.text(max_size=40), st.lists(st.sampled_from(PIECES), max_size=6).map("".join)))
def test_whatever_passes_is_the_same_plain_file_on_windows(name: str) -> None:
    try:
        path = safe_path(name)
    except UnsafeNameError:
        return
    folder = PureWindowsPath("C:/models/org/name")
    there = folder / PureWindowsPath(str(path))
    assert folder in there.parents
    assert there.parts[len(folder.parts) :] == path.parts
    assert not PureWindowsPath(str(path)).is_reserved()
    assert all(part == part.rstrip(" .") for part in path.parts)  # Windows would drop those


def test_a_repository_has_one_slash_at_most() -> None:
    assert safe_repo("org/name") == PurePosixPath("org/name")
    assert safe_repo("gpt2") == PurePosixPath("gpt2")
    for name in ("org/name/more", "../name", "org/..", "org\\name"):
        with pytest.raises(UnsafeNameError):
            safe_repo(name)


@pytest.mark.parametrize(
    ("one", "two"), [("A.gguf", "a.gguf"), ("é.gguf", "e\u0301.gguf"), ("a", "a/b.gguf")]
)
def test_names_that_are_one_file_on_some_systems_are_refused(one: str, two: str) -> None:
    with pytest.raises(UnsafeNameError):
        check_distinct([PurePosixPath(one), PurePosixPath(two)])
    check_distinct([PurePosixPath("a/x.gguf"), PurePosixPath("b/x.gguf")])
