"""``genre`` for beets 2.7 and 2.8: they have the field ``genres``, but do not know it by its old name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from beets.util import deprecation

from .fields import together

if TYPE_CHECKING:
    from beets.library import Album, Item

__all__ = ["legacy_fields"]


def _genre(model: Item | Album) -> str:
    return together(model.get("genres") or ())


def legacy_fields() -> dict[str, Callable[[Item | Album], str]]:
    """The computed fields that this beets lacks, for queries, sorting and templates."""
    return {} if hasattr(deprecation, "maybe_replace_legacy_field") else {"genre": _genre}
