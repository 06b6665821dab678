"""``genre:jazz`` for beets 2.7 and 2.8: they have the field ``genres``, but do not know it by its old name."""

from __future__ import annotations

from beets.dbcore.query import FieldQuery, SubstringQuery
from beets.util import deprecation

__all__ = ["GenreQuery", "item_queries"]


class GenreQuery(SubstringQuery):
    """Searches an item's ``genres``, whatever field it is made for."""

    def __init__(self, field_name: str, pattern: str, fast: bool = True) -> None:
        super().__init__("items.genres", pattern, fast=True)


def item_queries() -> dict[str, type[FieldQuery[str]]]:
    """The queries that this beets lacks, by name."""
    return {} if hasattr(deprecation, "maybe_replace_legacy_field") else {"genre": GenreQuery}
