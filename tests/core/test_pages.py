"""The pages in a real browser, as people see them: nothing but the file, no network."""

from __future__ import annotations

import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mediafile
import numpy as np
import pytest
from core.rig import GENRES, MOODS
from synth import music, piece, write

from genrecore.analysis import Histogram
from genrecore.analyzer import Analyzer
from genrecore.report.library import Entry, portray
from genrecore.report.library_page import library_page
from genrecore.report.page import writing
from genrecore.report.song import embedded, linked, read_song
from genrecore.report.timeline_page import timeline_page
from genrecore.settings import Settings
from genrecore.sliding import follow
from genrecore.timelines import Timeline

HOSTILE = "</script><img src=x onerror=alert(1)><a href='https://example.org'>x</a>{{7*7}}"
WIDTHS = (1280, 375)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    with api.sync_playwright() as playwright:
        found = found or playwright.chromium.executable_path
        if not Path(found).exists():
            pytest.skip(
                "no Chromium: install it (Debian: apt install chromium), or run playwright install chromium"
            )
        root = hasattr(os, "geteuid") and os.geteuid() == 0
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if root else [])
        yield chromium
        chromium.close()


class Visit:
    """A page that is open in the browser; closing it tells of everything that should not have happened."""

    def __init__(self, browser: Any, path: Path, width: int = 1280, scheme: str = "light") -> None:
        self.context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        self.page = self.context.new_page()
        self.trouble: list[str] = []
        self.page.on("console", lambda message: self._note(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self._note(str(error)))
        self.page.on("dialog", lambda dialog: (self._note(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", self._asked)
        self.page.goto(path.as_uri())
        self.page.wait_for_selector("html[data-ready]", state="attached")

    def _note(self, text: str) -> None:
        self.trouble.append(text)

    def _asked(self, request: Any) -> None:
        if not request.url.startswith(("file:", "blob:", "data:")):
            self._note(f"request: {request.url}")

    def position(self) -> float:
        return float(self.page.get_attribute("#flow", "data-position"))

    def playhead(self) -> float:
        """Where the line really stands in the plot, as share of its width."""
        return float(
            self.page.evaluate(
                """() => {
                    const plot = document.querySelector('#flow .draglayer .xy .nsewdrag').getBoundingClientRect();
                    const line = document.getElementById('playhead').getBoundingClientRect();
                    return (line.x + line.width / 2 - plot.x) / plot.width;
                }"""
            )
        )

    def until(self, condition: str, seconds: float = 10.0) -> None:
        """Wait for a condition in JavaScript; the browser's own waiting the page's policy forbids."""
        end = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < end, condition
            self.page.wait_for_timeout(50)

    def point(self, share: float, height: float = 0.5) -> tuple[float, float]:
        """A place in the plot of genres, on the screen."""
        self.page.locator("#flow").scroll_into_view_if_needed()
        box = self.page.locator(
            "#flow .draglayer .x3y2 .nsewdrag, #flow .draglayer .x2y2 .nsewdrag"
        ).bounding_box()
        return box["x"] + share * box["width"], box["y"] + height * box["height"]

    def close(self) -> None:
        self.context.close()
        assert not self.trouble

    def __enter__(self) -> Visit:
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self.context.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pages")


@pytest.fixture(scope="module")
def song(folder: Path) -> Path:
    path = piece(folder / "a song #1.mp3", 20.0)
    tags = mediafile.MediaFile(path)
    tags.title, tags.artist, tags.album = HOSTILE, HOSTILE, "\x07Album"
    tags.save()
    return path


@pytest.fixture(scope="module")
def line(song: Path, settings: Settings) -> Timeline:
    return follow(Analyzer(settings), song)


@pytest.fixture(scope="module")
def timeline(folder: Path, song: Path, line: Timeline) -> Path:
    path = folder / "timeline.html"
    with writing(path) as file:
        file.write(timeline_page(line, read_song(song), linked(song, path)))
    return path


@pytest.fixture(scope="module")
def portrait(folder: Path) -> Path:
    def histogram(labels: tuple[str, ...], k: int, model: str) -> Histogram:
        counts = tuple(70 if i == k % len(labels) else 30 // (len(labels) - 1) for i in range(len(labels)))
        return Histogram(labels, counts, tuple(n / sum(counts) for n in counts), model)

    tracks = [
        Entry(
            path=f"/music/{HOSTILE}/{k}.mp3",
            title=HOSTILE,
            artist=f"Artist {k}",
            year=1950 + k,
            tagged=("Rock", HOSTILE),
            genre=histogram(GENRES, k, "g 1"),
            mood=histogram(MOODS, k, "m 1"),
            key=str(k),
        )
        for k in range(60)
    ]
    found = portray(tracks, 0.5)
    assert found is not None
    path = folder / "library.html"
    with writing(path) as file:
        file.write(library_page(found, HOSTILE, fix=lambda d: f"beet modify id:{d.entry.key} genres=Jazz"))
    return path


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_load_without_a_word_and_fit(
    browser: Any, timeline: Path, portrait: Path, width: int, scheme: str
) -> None:
    for path in (timeline, portrait):
        with Visit(browser, path, width, scheme) as visit:
            assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
            for plot in visit.page.locator(".plot").all():
                assert plot.locator("svg.main-svg").first.bounding_box()["width"] <= width


def test_hostile_names_are_shown_as_they_are(browser: Any, timeline: Path, portrait: Path) -> None:
    with Visit(browser, timeline) as visit:
        assert visit.page.locator("h1").inner_text() == HOSTILE
        assert visit.page.locator("img, a").count() == 0
    with Visit(browser, portrait) as visit:
        assert visit.page.locator("h1").inner_text() == HOSTILE
        assert visit.page.locator("img, a").count() == 0
        visit.page.locator("#plane .point").first.hover(force=True)
        visit.page.wait_for_selector("#plane .hoverlayer text")
        assert "<img src=x onerror=alert(1)>" in visit.page.locator("#plane .hoverlayer").text_content()
        visit.page.locator("#plane .point").first.click(force=True)
        assert HOSTILE in visit.page.locator("#chosen code").inner_text()


def test_no_other_script_runs_and_nothing_is_asked_of_a_network(browser: Any, timeline: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        visit = Visit(browser, timeline)
        ran = visit.page.evaluate(
            """async (url) => {
                document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.evil = 1'}));
                document.body.append(Object.assign(document.createElement('img'), {src: url + 'x.png'}));
                const asked = await fetch(url).then(() => true, () => false);
                return [window.evil, asked];
            }""",
            f"http://127.0.0.1:{server.getsockname()[1]}/",
        )
        assert ran == [None, False]
        refused = [text for text in visit.trouble if "Content Security Policy" in text]
        assert len(refused) >= 3
        visit.context.close()
        server.settimeout(0.5)
        with pytest.raises(TimeoutError):
            server.accept()


def test_playing_moves_the_playhead(browser: Any, timeline: Path) -> None:
    with Visit(browser, timeline) as visit:
        assert visit.position() == 0
        assert visit.playhead() == pytest.approx(0, abs=0.01)
        visit.page.locator("#flow").focus()
        visit.page.keyboard.press("Space")
        visit.until("document.getElementById('flow').dataset.position > 1")
        visit.page.keyboard.press("Space")
        visit.until("document.getElementById('audio').paused")
        visit.page.wait_for_timeout(300)
        assert visit.playhead() == pytest.approx(visit.position() / 20, abs=0.01)
        assert visit.page.locator("#now .time").inner_text() == f"0:{int(visit.position()):02}"


def test_a_click_seeks(browser: Any, timeline: Path, line: Timeline) -> None:
    with Visit(browser, timeline) as visit:
        visit.page.mouse.click(*visit.point(0.6))
        visit.until("document.getElementById('audio').currentTime > 10")
        assert visit.position() == pytest.approx(12, abs=0.6)
        assert visit.playhead() == pytest.approx(0.6, abs=0.04)
        button = visit.page.locator(".sections button").last
        button.click()
        assert visit.position() == pytest.approx(float(button.get_attribute("data-time")), abs=0.1)


def test_the_keyboard_works(browser: Any, timeline: Path) -> None:
    with Visit(browser, timeline) as visit:
        for key, expected in (
            ("ArrowRight", 5),
            ("ArrowRight", 10),
            ("ArrowLeft", 5),
            ("Home", 0),
            ("ArrowLeft", 0),
        ):
            visit.page.keyboard.press(key)
            assert visit.position() == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("width", WIDTHS)
def test_hovering_shows_numbers(browser: Any, timeline: Path, line: Timeline, width: int) -> None:
    with Visit(browser, timeline, width) as visit:
        visit.page.mouse.move(*visit.point(0.5))
        visit.until("!document.getElementById('pointer').hidden")
        shown = visit.page.locator("#now").inner_text()
        assert "0:10" in shown
        k = int(abs(line.times - 10).argmin())
        top = line.genre.smoothed[k].argmax()
        assert f"{GENRES[top]} {100 * line.genre.smoothed[k, top]:.0f} %" in shown
        visit.page.locator("h1").hover()
        visit.until("document.getElementById('pointer').hidden")
        assert "0:00" in visit.page.locator("#now").inner_text()


def test_what_is_pointed_at_is_told_while_the_song_plays(browser: Any, timeline: Path) -> None:
    with Visit(browser, timeline) as visit:
        visit.page.keyboard.press("Space")
        visit.page.mouse.move(*visit.point(0.92))
        visit.until("document.getElementById('flow').dataset.position > 1")
        assert "0:18" in visit.page.locator("#now").inner_text()


def test_beginning_and_end_can_be_reached_and_the_end_is_the_end(browser: Any, timeline: Path) -> None:
    with Visit(browser, timeline) as visit:
        visit.page.mouse.click(*visit.point(0.99))
        assert visit.position() == pytest.approx(19.8, abs=0.15)
        visit.page.keyboard.press("Space")
        visit.until("document.getElementById('audio').ended")
        visit.page.mouse.click(*visit.point(0.001))
        assert visit.position() == pytest.approx(0, abs=0.1)


def test_after_a_click_on_a_section_the_keys_go_on_from_there(browser: Any, timeline: Path) -> None:
    with Visit(browser, timeline) as visit:
        button = visit.page.locator(".sections button").last
        button.click()
        start = float(button.get_attribute("data-time"))
        visit.page.keyboard.press("ArrowRight")
        assert visit.position() == pytest.approx(min(start + 5, 20), abs=0.2)
        visit.page.keyboard.press("Home")
        visit.page.keyboard.press("Space")
        visit.until("!document.getElementById('audio').paused")


@pytest.mark.parametrize("seconds", [1.5, 3.2])
def test_the_shortest_songs_have_full_plots(
    browser: Any, tmp_path: Path, settings: Settings, seconds: float
) -> None:
    song = piece(tmp_path / "x.wav", seconds)
    path = tmp_path / "x.html"
    with writing(path) as file:
        file.write(timeline_page(follow(Analyzer(settings), song), read_song(song), linked(song, path)))
    with Visit(browser, path) as visit:
        widths = visit.page.evaluate(
            "[...document.querySelectorAll('#flow .fills path')].map((path) => path.getBoundingClientRect().width)"
        )
        assert len(widths) >= 14
        assert min(widths) > 500
        visit.page.mouse.click(*visit.point(0.5))
        assert visit.position() == pytest.approx(seconds / 2, abs=0.1)


def test_silence_is_told(browser: Any, tmp_path: Path, settings: Settings) -> None:
    song = write(tmp_path / "x.wav", np.concatenate([music(10), 0 * music(10), music(10)]))
    path = tmp_path / "x.html"
    with writing(path) as file:
        file.write(timeline_page(follow(Analyzer(settings), song), read_song(song), linked(song, path)))
    with Visit(browser, path) as visit:
        visit.page.mouse.click(*visit.point(0.5))
        visit.page.locator("h1").hover()
        assert visit.page.locator("#now").inner_text().split() == ["0:15", "silence"]
        assert visit.page.locator(".sections").first.locator("td", has_text="silence").count() == 1


def test_no_tick_is_cut_off(browser: Any, timeline: Path, portrait: Path) -> None:
    for path in (timeline, portrait):
        with Visit(browser, path, 375) as visit:
            cut_off = visit.page.evaluate(
                """() => [...document.querySelectorAll('.plot .ytick text, .plot .y2tick text, .plot .y3tick text')]
                    .filter((text) => text.getBoundingClientRect().x
                        < text.closest('.plot').getBoundingClientRect().x - 0.5)
                    .map((text) => text.textContent)"""
            )
            assert cut_off == []


def test_a_song_that_is_not_there_is_told_and_the_playhead_moves_all_the_same(
    browser: Any, tmp_path: Path, song: Path, line: Timeline
) -> None:
    path = tmp_path / "elsewhere.html"
    with writing(path) as file:
        file.write(
            timeline_page(line, read_song(song), linked(tmp_path / "gone.mp3", path, kind="audio/mpeg"))
        )
    visit = Visit(browser, path)
    visit.page.wait_for_selector("#trouble", state="visible")
    visit.page.mouse.click(*visit.point(0.5))
    assert visit.position() == pytest.approx(10, abs=0.6)
    assert all("ERR_FILE_NOT_FOUND" in text for text in visit.trouble)
    visit.context.close()


def test_a_song_inside_of_the_page_plays_and_can_be_sought(
    browser: Any, tmp_path: Path, song: Path, line: Timeline
) -> None:
    path = tmp_path / "alone" / "x.html"
    path.parent.mkdir()
    with writing(path) as file:
        file.write(timeline_page(line, read_song(song), embedded(song)))
    alone = timeline_page(line, read_song(song), linked(song, path))
    assert path.stat().st_size < len(alone.encode()) + 1.4 * song.stat().st_size
    with Visit(browser, path) as visit:
        visit.page.keyboard.press("ArrowRight")
        visit.until("document.getElementById('audio').currentTime > 4")
        visit.page.locator("#flow").focus()
        visit.page.keyboard.press("Space")
        visit.until("document.getElementById('flow').dataset.position > 6")


def test_printed_it_is_black_on_white(browser: Any, timeline: Path) -> None:
    with Visit(browser, timeline, scheme="dark") as visit:
        visit.page.emulate_media(media="print")
        visit.page.wait_for_timeout(300)
        assert visit.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert visit.page.locator(".player").is_hidden()
        tick = visit.page.evaluate("getComputedStyle(document.querySelector('#flow .x3tick text')).fill")
        assert tick == "rgb(68, 68, 68)"


def test_a_library_of_50000_tracks_stays_small(browser: Any, tmp_path: Path, portrait: Path) -> None:
    def histogram(labels: tuple[str, ...], k: int, model: str) -> Histogram:
        counts = tuple(
            (k * 7 + i * i * 13) % 23 + (60 if i == k % len(labels) else 0) for i in range(len(labels))
        )
        return Histogram(labels, counts, tuple(n / sum(counts) for n in counts), model)

    some = [(histogram(GENRES, k, "g 1"), histogram(MOODS, k, "m 1")) for k in range(500)]
    tracks = (
        Entry(
            path=f"/music/Some Artist {k % 997}/Some Album/{k:05} A rather long title.flac",
            title=f"A rather long title of a track {k}",
            artist=f"Some Artist {k % 997}",
            tagged=("Rock",),
            genre=some[k % 500][0],
            mood=some[k % 500][1],
        )
        for k in range(50_000)
    )
    found = portray(tracks, 0.3)
    assert found is not None
    path = tmp_path / "large.html"
    with writing(path) as file:
        file.write(library_page(found, "Large"))
    assert path.stat().st_size < 10_000_000
    with Visit(browser, path, 375) as visit:
        text = visit.page.locator("main").inner_text()
        assert "3,000 of the 50,000 tracks, drawn at random" in text
        assert "the 200 surest are listed" in text
