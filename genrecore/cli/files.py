"""Which files a command line means."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["collect"]


def collect(paths: Iterable[str], extensions: frozenset[str]) -> tuple[list[str], list[str]]:
    """Files named directly, and those inside of folders that look like audio.

    Parameters
    ----------
    paths : iterable of str
        Files, which are taken whatever they are called, and folders, which are walked in sorted order. Hidden
        files and folders inside of them are passed over, links to folders are not followed.
    extensions : frozenset of str
        Lower case, with the dot.

    Returns
    -------
    files : list of str
        Each once, in order.
    problems : list of str
        One sentence a folder that cannot be read or holds no audio.
    """
    files: dict[str, str] = {}
    problems: list[str] = []
    for path in paths:
        if not os.path.isdir(path):
            files.setdefault(os.path.abspath(path), path)
            continue
        unreadable: list[OSError] = []
        found = list(_walk(path, extensions, unreadable))
        for file in found:
            files.setdefault(os.path.abspath(file), file)
        problems += [
            f"{error.filename}: the folder cannot be read ({error.strerror})" for error in unreadable
        ]
        if not found and not unreadable:
            problems.append(f"{path}: there is no audio file in this folder")
    return list(files.values()), problems


def _walk(folder: str, extensions: frozenset[str], unreadable: list[OSError]) -> Iterator[str]:
    for parent, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in extensions:
                yield os.path.join(parent, name)
