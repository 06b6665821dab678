"""Labels of a model file, found without loading it. Standard library only: every `beet` command may ask.

An ONNX file is a protobuf message whose metadata stand in fields of their own, beside the graph. What is not
wanted is passed over without being read, so a large model costs no more than a small one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

__all__ = ["read_labels"]

# As `genrecore.card.CARD_KEY` and `genrecore.model.WEIGHTS`, whose modules need numpy.
_CARD_KEY = b"genrecore.card"
_WEIGHTS = Path(__file__).parent / "weights"

# Numbers of fields in onnx.proto: ModelProto.metadata_props, StringStringEntryProto.key and .value.
_METADATA, _KEY, _VALUE = 14, 1, 2
# Bytes that a card never needs.
_LIMIT = 1 << 20


def read_labels(name_or_path: str) -> tuple[str, ...]:
    """Labels that a model's card names, unchecked.

    Parameters
    ----------
    name_or_path : str
        Name of a bundled model, or a model file.

    Returns
    -------
    tuple of str
        Empty where there is no such file or it does not say: whoever loads it will hear why.
    """
    inside = _WEIGHTS / f"{name_or_path}.onnx"
    try:
        path = inside if inside.is_file() else Path(name_or_path).expanduser()
        with path.open("rb") as file:
            for entry in _fields(file, {_METADATA}):
                parts = dict(_fields(BytesIO(entry[1]), {_KEY, _VALUE}))
                if parts.get(_KEY) == _CARD_KEY:
                    labels = json.loads(parts[_VALUE])["labels"]
                    return tuple(label for label in labels if isinstance(label, str))
    except (OSError, ValueError, LookupError, TypeError, RuntimeError):
        pass
    return ()


def _fields(message: BinaryIO, wanted: set[int]) -> Iterator[tuple[int, bytes]]:
    """The wanted strings and messages in a protobuf message, with their numbers."""
    while (tag := _varint(message)) is not None:
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            _varint(message)
        elif wire == 2:
            size = _varint(message) or 0
            if number in wanted and size <= _LIMIT:
                yield number, message.read(size)
            else:
                message.seek(size, os.SEEK_CUR)
        elif wire in (1, 5):
            message.seek(8 if wire == 1 else 4, os.SEEK_CUR)
        else:
            raise ValueError("not a protobuf message")


def _varint(message: BinaryIO) -> int | None:
    """The next number, or None at the end."""
    value = 0
    for shift in range(0, 64, 7):
        byte = message.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    raise ValueError("not a protobuf message")
