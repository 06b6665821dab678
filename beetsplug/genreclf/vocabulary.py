"""The user's genres as lastgenre knows them: its whitelist and its tree, read from its data, not through its code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import confuse

from .naming import Vocabulary, key_of

__all__ = ["read_vocabulary"]

_PLUGIN = "beetsplug.lastgenre"
_WHITELIST, _TREE = "genres.txt", "genres-tree.yaml"
#: What lastgenre itself takes for its own files.
_ITS_OWN = (True, "", None)
#: What lastgenre does where the user says nothing.
_WHITELIST_DEFAULT, _TREE_DEFAULT = True, False


def read_vocabulary(option: confuse.ConfigView, lastgenre: confuse.ConfigView) -> Vocabulary | None:
    """The user's vocabulary; None where any genre may be written.

    Parameters
    ----------
    option : confuse view
        ``genreclf.as_lastgenre``: whether to follow its configuration where the user has one.
    lastgenre : confuse view
        The section ``lastgenre``.

    Raises
    ------
    confuse.ConfigError
        If the option is not yes or no, or a file of the vocabulary does not read.
    """
    whitelist, tree = lastgenre["whitelist"], lastgenre["canonical"]
    if not option.get(bool) or not any(_is_users(view) for view in (whitelist, tree)):
        return None
    allowed_in = _path(whitelist, _WHITELIST_DEFAULT, _WHITELIST)
    lineage_in = _path(tree, _TREE_DEFAULT, _TREE)
    try:
        allowed = None if allowed_in is None else _allowed(allowed_in.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise confuse.ConfigValueError(f"{whitelist.name}: {allowed_in} does not read ({error})") from error
    try:
        lineage = {} if lineage_in is None else _lineage(lineage_in.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise confuse.ConfigValueError(f"{tree.name}: {lineage_in} does not read ({error})") from error
    return Vocabulary(allowed, lineage)


def _is_users(view: confuse.ConfigView) -> bool:
    """Whether a user's file has it, and not only the defaults of a plugin that is loaded."""
    try:
        return any(source.filename is not None for _, source in view.resolve())
    except confuse.ConfigTypeError:  # the section is there, and nothing in it
        return False


def _path(view: confuse.ConfigView, default: bool, own: str) -> Path | None:
    value = view.get() if view.exists() else default
    if value is False:
        return None
    if value not in _ITS_OWN:
        return Path(str(value)).expanduser()
    found = find_spec(_PLUGIN)
    return Path(found.origin).with_name(own) if found and found.origin else None


def _allowed(text: str) -> dict[str, str]:
    names = (line.strip().lower() for line in text.splitlines())
    return {key_of(name): name for name in names if name and not name.startswith("#")}


def _lineage(text: str) -> dict[str, tuple[str, ...]]:
    import yaml

    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    lineage: dict[str, tuple[str, ...]] = {}
    for branch in _branches(tree, ()):
        for place, name in enumerate(branch):
            lineage.setdefault(key_of(name), branch[:place][::-1])
    return lineage


def _branches(element: Any, above: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Lines of descent, from the general to the special."""
    if isinstance(element, Mapping):
        for name, below in element.items():
            yield from _branches(below, (*above, str(name)))
    elif isinstance(element, list):
        for below in element:
            yield from _branches(below, above)
    elif element is not None:
        yield (*above, str(element))
