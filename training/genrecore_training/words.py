"""What other data sets' words for genres mean in those of GTZAN: several of these, where a word is wider."""

from __future__ import annotations

from collections.abc import Mapping

from genrecore_training.datasets import Dataset, Emotify, FourQuadrant

__all__ = ["may_be"]

#: Which of our genres AllMusic's may be called; the others of its words are none of ours.
_ALLMUSIC: Mapping[str, frozenset[str]] = {
    "Blues": frozenset({"blues"}),
    "Classical": frozenset({"classical"}),
    "Country": frozenset({"country"}),
    "Jazz": frozenset({"jazz"}),
    "Pop/Rock": frozenset({"pop", "rock", "metal"}),
    "Rap": frozenset({"hiphop"}),
    "Reggae": frozenset({"reggae"}),
}
#: Emotify's genres likewise; its electronic music is none of ours.
_EMOTIFY: Mapping[str, frozenset[str]] = {
    "classical": frozenset({"classical"}),
    "pop": frozenset({"pop"}),
    "rock": frozenset({"rock", "metal"}),
}


def may_be(dataset: Dataset) -> dict[str, frozenset[str]]:
    """Which of GTZAN's genres each track of another data set may be, by its own words: any that one of them allows.

    Parameters
    ----------
    dataset : Dataset
        Whose words are known: 4-Quadrant, by AllMusic's, or Emotify.

    Returns
    -------
    dict of str to frozenset of str
        Track id -> genres; tracks of which no word says anything are left out.

    Raises
    ------
    ValueError
        If nothing is known of its words.
    """
    if isinstance(dataset, FourQuadrant):
        said = {
            song: frozenset().union(*(_ALLMUSIC.get(word, frozenset()) for word in words))
            for song, words in dataset.genres.items()
        }
    elif isinstance(dataset, Emotify):
        said = {track.id: _EMOTIFY.get(track.label, frozenset()) for track in dataset.tracks}
    else:
        raise ValueError(f"nothing is known of what {dataset.title} would call GTZAN's genres")
    return {track: genres for track, genres in said.items() if genres}
