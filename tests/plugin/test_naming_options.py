"""What is written and under which name, asked of the real command: counts, maps, vocabularies, policies by task."""

from __future__ import annotations

from pathlib import Path

import confuse
import pytest
from plugin import rawtags
from plugin.conftest import Beets, Song, imported

from beetsplug.genreclf.defaults import DEFAULTS
from beetsplug.genreclf.naming import Naming, Vocabulary
from beetsplug.genreclf.reading import in_force
from beetsplug.genreclf.vocabulary import read_vocabulary


def test_a_song_that_is_several_things(beet: Beets, song: Song) -> None:
    song("flac", "mixed", title="a")
    beet.config["genreclf"] |= {"count": 3, "min_share": 0.1, "genre_map": {"Hip-Hop": ["Rap", "Hip-Hop"]}}
    imported(beet)
    beet("genreclf")
    assert sorted(rawtags.genre(beet.music / "a.flac") or []) == ["Hip-Hop", "Jazz", "Rap"]
    assert len(beet.ls(form="$mood")[0].split(";")) == 1
    assert "nothing to do" in beet("genreclf")


def test_names_in_another_language_and_one_that_is_never_written(beet: Beets, song: Song) -> None:
    song(title="quiet")
    song("ogg", "loud", title="loud")
    beet.config["genreclf"] |= {
        "genre_map": {"hiphop": None},
        "mood_map": {"sad": "traurig", "angry": ["wütend", "laut"]},
        "title_case": False,
    }
    imported(beet)
    out = beet("genreclf")
    assert "1 genre written (1 unnamed), 2 moods written" in out
    assert beet.ls("title+", form="$genres|$mood") == ["|wütend; laut", "jazz|traurig"]
    assert beet.ls("genre_hiphop:0.9..") == ["loud"], "its share is known all the same"
    assert rawtags.genre(beet.music / "loud.ogg") is None
    assert "nothing to do" in beet("genreclf")


def test_each_task_has_its_policy(beet: Beets, song: Song) -> None:
    song("flac", title="a", genre=["Blues"], mood=["Dreamy"])
    beet.config["genreclf"] |= {"policy": {"genre": "add", "mood": "force"}, "add_to": {"genre": "front"}}
    imported(beet)
    beet("genreclf")
    assert rawtags.genre(beet.music / "a.flac") == ["Jazz", "Blues"]
    assert rawtags.mood(beet.music / "a.flac") == ["Sad"]
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "a.flac") == ["Blues"]
    assert rawtags.mood(beet.music / "a.flac") == ["Dreamy"]


def test_each_task_has_its_least_confidence(beet: Beets, song: Song) -> None:
    song("mp3", "mixed", title="a")
    beet.config["genreclf"] |= {"min_confidence": {"genre": 1.0}}
    imported(beet)
    assert "0 genres written (1 unsure), 1 mood written" in beet("genreclf")


def test_other_options_are_applied_again_without_listening(beet: Beets, song: Song) -> None:
    song(title="ours")
    song("flac", title="theirs", genre=["Blues"])
    imported(beet)
    beet("genreclf")
    beet.config["genreclf"]["genre_map"] = {"jazz": "Modern Jazz"}
    assert "nothing to do" in beet("genreclf")
    assert "(2 from the cache)" in beet("genreclf", "--reapply")
    assert beet.ls("title+", form="$genres") == ["Modern Jazz", "Blues"]
    assert rawtags.genre(beet.music / "ours.mp3") == ["Modern Jazz"]
    beet("genreclf", "--restore")
    assert rawtags.genre(beet.music / "ours.mp3") is None


def test_genres_come_back_after_another_program_has_taken_them(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet("genreclf")
    beet("modify", "-y", "genres=")
    assert rawtags.genre(beet.music / "a.mp3") is None
    assert "(1 from the cache)" in beet("genreclf", "--reapply")
    assert rawtags.genre(beet.music / "a.mp3") == ["Jazz"]


def test_the_options_in_force_and_where_they_come_from(beet: Beets) -> None:
    beet.config["genreclf"] |= {"count": 2, "genre_map": {"disco": None}}
    lines = beet("genreclf", "--config", "-j", "3").splitlines()
    assert lines[0] == "genreclf:"
    assert f"  count: 2  # {beet.home / 'config.yaml'}" in lines
    assert "  min_share: 0.25  # default" in lines
    assert "  jobs: 3  # command line" in lines
    assert not (beet.home / "genreclf.db").exists()
    beet.config["genreclf"] |= {"policy": {"genre": "add"}, "cache": "postgresql://me:secret@host/db"}
    lines = beet("genreclf", "--config").splitlines()
    at = lines.index("  policy:")
    assert lines[at + 1 : at + 3] == [
        f"    genre: add  # {beet.home / 'config.yaml'}",
        "    mood: fill  # default",
    ]
    assert any("cache: postgresql://me:***@host/db" in line for line in lines)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:secret@h/db",
        "postgresql://u:se/secret@h/db",
        "postgresql://u:se:secret@h:5432/db",
        "postgresql://h/db?user=u&password=secret",
        "postgresql://h/db?password=secret&user=u",
    ],
)
def test_passwords_are_not_shown(url: str) -> None:
    config = confuse.Configuration("test", read=False)
    config.add({"genreclf": {**DEFAULTS, "cache": url}})
    (line,) = [line for line in in_force(config["genreclf"], ("genre", "mood")) if "cache:" in line]
    assert "secret" not in line
    assert "h" in line
    assert "***" in line


def test_lastgenre_s_words_are_used_where_the_user_has_set_them(beet: Beets, song: Song) -> None:
    song(title="quiet")
    song(loudness="loud", title="loud")
    beet.home.joinpath("words.txt").write_text("# mine\nhip hop\nsoul\n")
    beet.config["lastgenre"] = {"whitelist": str(beet.home / "words.txt")}
    imported(beet)
    beet("genreclf")
    assert beet.ls("title+", form="$genres") == ["Hip Hop", ""]
    beet.config["genreclf"]["as_lastgenre"] = False
    beet("genreclf", "-f")
    assert beet.ls("title+", form="$genres") == ["Hip-Hop", "Jazz"]


def test_a_whitelist_that_is_not_there_is_one_sentence(beet: Beets, song: Song) -> None:
    song(title="a")
    imported(beet)
    beet.config["lastgenre"] = {"whitelist": str(beet.home / "nowhere.txt")}
    out = beet("genreclf", status=1)
    assert "lastgenre.whitelist" in out
    assert "nowhere.txt does not read" in out


def vocabulary(folder: Path, default: bool = False, **lastgenre: object) -> Vocabulary | None:
    """What is read of a configuration file with these options, or where a plugin has set them as defaults."""
    config = confuse.Configuration("test", read=False)
    if default:
        config.add({"lastgenre": lastgenre})
    elif lastgenre:
        path = folder / "config.yaml"
        path.write_text(confuse.yaml_util.yaml.safe_dump({"lastgenre": lastgenre}))
        config.set_file(str(path))
    config.add({"genreclf": {"as_lastgenre": True}})
    return read_vocabulary(config["genreclf"]["as_lastgenre"], config["lastgenre"])


def test_an_empty_section_of_lastgenre_is_no_setting(beet: Beets, song: Song) -> None:
    song(title="a")
    beet.config["lastgenre"] = None
    imported(beet)
    beet("genreclf")
    assert beet.ls(form="$genres") == ["Jazz"]


def test_without_lastgenre_any_genre_may_be_written(tmp_path: Path) -> None:
    assert vocabulary(tmp_path) is None
    assert vocabulary(tmp_path, default=True, whitelist=True, canonical=True) is None, (
        "the user has set nothing"
    )


@pytest.mark.parametrize(
    ("label", "name"), [("hiphop", "Hip Hop"), ("metal", "Metal"), ("disco", "Disco"), ("polka", "Polka")]
)
def test_lastgenre_s_own_lists(tmp_path: Path, label: str, name: str) -> None:
    naming = Naming(vocabulary=vocabulary(tmp_path, canonical=True))
    assert naming.values({label: 1}, {}) == (name,)


def test_the_tree_leads_to_a_genre_that_is_allowed(tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("electronic\nr&b\n")
    naming = Naming(vocabulary=vocabulary(tmp_path, whitelist=str(words), canonical=True))
    assert naming.values({"disco": 1}, {}) == ("Electronic",)
    assert naming.values({"polka": 1}, {}) == ()
    only_words = Naming(vocabulary=vocabulary(tmp_path, whitelist=str(words)))
    assert only_words.values({"disco": 1}, {}) == ()
    most_general = Naming(vocabulary=vocabulary(tmp_path, whitelist=False, canonical=True))
    assert most_general.values({"disco": 1}, {}) == ("Electronic",)


def test_a_tree_that_is_no_yaml(tmp_path: Path) -> None:
    tree = tmp_path / "tree.yaml"
    tree.write_text("- rock: [")
    with pytest.raises(confuse.ConfigError, match=r"canonical.*tree\.yaml does not read"):
        vocabulary(tmp_path, canonical=str(tree))
