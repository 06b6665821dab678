"""Options as they stand in beets' configuration: each read, checked, and its fault told in one sentence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, TypeVar

import confuse
from confuse import yaml_util

from .defaults import DEFAULTS
from .naming import key_of
from .policy import Values

__all__ = ["between", "by_task", "check_names", "in_force", "names_map"]

T = TypeVar("T")
# Of a database's URL: before its host, or among its parameters.
_PASSWORD = re.compile(r"(?P<before>://[^:@]*:|[?&]password=)[^@&]+(?P<after>@|&|$)")


def check_names(config: confuse.Subview) -> None:
    """Refuse options that do not exist.

    Raises
    ------
    confuse.ConfigError
        If there is one; names the nearest that does exist.
    """
    for name in config.keys():  # noqa: SIM118 -- a view is no mapping
        if name not in DEFAULTS:
            raise _fault(config[name], f"there is no such option{_nearest(str(name), DEFAULTS)}")


def by_task(
    view: confuse.Subview, tasks: Sequence[str], read: Callable[[confuse.Subview], T]
) -> dict[str, T]:
    """An option that is one value for all tasks, or one for each: ``{genre: add, mood: force}``.

    Parameters
    ----------
    view : confuse view
        The option.
    tasks : sequence of str
        The tasks; where one is left out, the default holds.
    read : callable
        Reads and checks a value.
    """
    value = view.get()
    if not isinstance(value, Mapping):
        return dict.fromkeys(tasks, read(view))
    for name in value:
        if name not in tasks:
            raise _fault(view[name], f"there is no such task{_nearest(str(name), tasks)}")
    name = str(view.key)
    default = confuse.RootView([confuse.ConfigSource({name: DEFAULTS[name]})])[name]
    return {task: read(view[task] if task in value else default) for task in tasks}


def between(view: confuse.Subview, least: float, most: float | None = None, *, whole: bool = False) -> Any:
    """A number within limits.

    Parameters
    ----------
    view : confuse view
        The option.
    least, most : float
        The limits; no upper one by default.
    whole : bool
        Only whole numbers.
    """
    value = view.get(int) if whole else float(view.as_number())
    if value < least or (most is not None and value > most):
        limits = f"at least {least:g}" if most is None else f"from {least:g} to {most:g}"
        raise confuse.ConfigValueError(f"{view.name} must be {limits}, not {value:g}")
    return value


def names_map(view: confuse.Subview, labels: Sequence[str]) -> dict[str, Values]:
    """What the user calls some labels: ``{hiphop: Hip-Hop, classical: [Classical, Orchestral], disco: null}``.

    Parameters
    ----------
    view : confuse view
        The option.
    labels : sequence of str
        The model's; empty if not known, then any may be named.

    Returns
    -------
    dict of str to tuple of str
        By `naming.key_of` of the label; no names for one that is never to be written.
    """
    value = view.get() or {}
    if not isinstance(value, Mapping):
        raise _fault(view, "must have a line for each label, such as 'hiphop: Rap'")
    known = {key_of(label) for label in labels}
    found = {}
    for label, names in value.items():
        if known and key_of(str(label)) not in known:
            raise _fault(view[label], f"the model has no such label{_nearest(str(label), labels)}")
        listed = [] if names is None else names if isinstance(names, list) else [names]
        if not all(isinstance(name, str) and name.strip() for name in listed):
            raise _fault(view[label], f"must be a name, a list of names, or null for none, not {names!r}")
        found[key_of(str(label))] = tuple(name.strip() for name in listed)
    return found


def in_force(config: confuse.Subview, tasks: Sequence[str]) -> list[str]:
    """Each option with its value and where that comes from, as lines of YAML; passwords in URLs are not shown."""
    import yaml

    lines = [f"{config.name}:"]
    for name, default in DEFAULTS.items():
        (found, source), *others = config[name].resolve()
        value: Any = found
        if isinstance(value, Mapping) and not isinstance(default, Mapping):  # by task
            lines.append(f"  {name}:")
            for task in tasks:
                origin = source.filename if task in value else "default"
                lines.append(f"    {task}: {value.get(task, default)}  # {origin}")
            continue
        if isinstance(value, str):
            value = _PASSWORD.sub(r"\g<before>***\g<after>", value)
        text = yaml.dump(
            {name: value}, Dumper=yaml_util.Dumper, default_flow_style=None, allow_unicode=True, width=1000
        )
        first, *more = text.rstrip("\n").splitlines()
        origin = source.filename or ("command line" if others else "default")
        lines += [f"  {first}  # {origin}", *(f"  {line}" for line in more)]
    return lines


def _nearest(name: str, known: Iterable[str]) -> str:
    """The most similar of the known names, as an end of a sentence; else all of them."""
    known = list(known)
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(known)}"


def _fault(view: confuse.Subview, what: str) -> confuse.ConfigError:
    return confuse.ConfigValueError(f"{view.name}: {what}")
