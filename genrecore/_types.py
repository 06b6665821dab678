"""Whether values from a document are of the types that the fields of a dataclass have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

__all__ = ["require_texts", "require_types"]

# Beyond it JSON's numbers do not fit into those of numpy and of databases.
_LARGEST = 2**63


def _is_int(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST


def _is_number(value: object) -> bool:
    return _is_int(value) or (isinstance(value, float) and abs(value) < _LARGEST)  # nor is infinity, nor nan


_TESTS: dict[Any, tuple[str, Callable[[object], bool]]] = {
    str: ("a text", lambda value: isinstance(value, str)),
    bool: ("true or false", lambda value: isinstance(value, bool)),
    int: ("a whole number", _is_int),
    int | None: ("a whole number", lambda value: value is None or _is_int(value)),
    float: ("a finite number", _is_number),
}


def require_types(kind: type, data: Mapping[str, Any], where: str = "") -> None:
    """Refuse values for plain fields (texts, numbers, truths) of another type.

    Parameters
    ----------
    kind : type
        The dataclass.
    data : mapping
        Values by the names of its fields. Fields of other types are passed over.
    where : str
        What stands before a field's name in the message.

    Raises
    ------
    ValueError
        Naming the field.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"its {where.rstrip('.') or 'document'} is {_shown(data)}, not an object")
    for name, hint in get_type_hints(kind).items():
        if name in data and hint in _TESTS:
            noun, fits = _TESTS[hint]
            if not fits(data[name]):
                raise ValueError(f"its {where}{name} is {_shown(data[name])}, not {noun}")


def require_texts(value: object, name: str) -> None:
    """Refuse anything but a list of texts.

    Raises
    ------
    ValueError
        Naming the field.
    """
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError(f"its {name} is {_shown(value)}, not a list of texts")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
