"""The options under ``genreclf:`` and what each is where the user says nothing, see `options.Options`."""

from __future__ import annotations

from typing import Any

from genrecore.settings import MIN_CONFIDENCE

__all__ = ["DEFAULTS"]

DEFAULTS: dict[str, Any] = {
    "auto": True,
    "policy": "fill",
    "add_to": "back",
    "min_confidence": MIN_CONFIDENCE,
    "count": 1,
    "min_share": 0.25,
    "genre_map": {},
    "mood_map": {},
    "title_case": True,
    "as_lastgenre": True,
    "update_playlists": True,
    "genre_model": "",
    "mood_model": "",
    "snippets": 100,
    "device": "auto",
    "jobs": 0,
    "timeout": 300.0,
    "cache": "",
    "quiet": False,
}
