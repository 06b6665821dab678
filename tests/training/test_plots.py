"""The figures are drawn for real, written and read back."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from genrecore.analysis import Histogram
from genrecore_training import plots
from genrecore_training.calibration import calibration_error
from genrecore_training.statistics import Verdict, correlation_over_time

GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
MOODS = ("happy", "angry", "sad", "relaxed")
METRICS = """\
epoch,step,train_loss,val_accuracy,val_loss
0,3,,0.5,0.9
0,3,1.1,,
1,7,,0.75,0.6
1,7,0.7,,
2,11,,0.7,0.8
2,11,nan,,
"""


def verdict(confidence: float, *, right: bool) -> Verdict:
    histogram = Histogram(("a", "b"), (9, 1), (confidence, 1 - confidence), "m 1")
    return Verdict("t", "a" if right else "b", "", histogram, "waveform")


def texts(figure: Figure) -> dict[tuple[float, float], str]:
    """What is written on the first axes, by place: (column, row) of a cell."""
    return {text.get_position(): text.get_text() for text in figure.axes[0].texts}


def names(figure: Figure) -> tuple[list[str], list[str]]:
    axes = figure.axes[0]
    return [t.get_text() for t in axes.get_xticklabels()], [t.get_text() for t in axes.get_yticklabels()]


@pytest.fixture
def metrics(tmp_path: Path) -> Path:
    path = tmp_path / "metrics.csv"
    path.write_text(METRICS, "utf-8")
    return path


@pytest.mark.parametrize("labels", [GENRES, MOODS], ids=["genres", "moods"])
def test_a_confusion_matrix_shows_its_numbers_and_their_shares(labels: tuple[str, ...]) -> None:
    matrix = np.random.default_rng(0).integers(0, 30, (len(labels), len(labels)))
    matrix[1] = 0
    matrix[2] = [400, 1, *[0] * (len(labels) - 2)]
    figure = plots.confusion_plot(matrix.tolist(), labels, "a title")
    drawn = texts(figure)
    assert {place: int(text.split()[0]) for place, text in drawn.items()} == {
        (k, i): matrix[i, k] for i, k in zip(*matrix.nonzero(), strict=True)
    }
    assert drawn[0, 2] == "400\n100%"
    assert drawn[1, 2] == "1\n<1%", "not 0%"
    assert drawn[0, 0].split()[1] == f"{matrix[0, 0] / matrix[0].sum():.0%}"
    across, down = names(figure)
    assert across == list(labels)
    assert down == [f"{label} ({row.sum()})" for label, row in zip(labels, matrix, strict=True)]
    assert figure.axes[0].get_title() == "a title"


def test_numbers_can_be_read_on_every_colour() -> None:
    figure = plots.confusion_plot([[90, 10], [50, 50]], ("a", "b"), "")
    colours = {text.get_text().split()[0]: text.get_color() for text in figure.axes[0].texts}
    assert (colours["90"], colours["10"]) == ("black", "white"), "cividis is light where much is"


def test_a_correlation_shows_every_pair_and_a_dash_where_there_is_none() -> None:
    rng = np.random.default_rng(0)
    tracks = [rng.dirichlet(np.ones(9), 20) for _ in range(3)]
    still = [np.insert(track, 4, 0.0, axis=1) for track in tracks]  # no hip-hop anywhere
    matrix = correlation_over_time(still)
    figure = plots.correlation_plot(matrix, GENRES, "a title")
    drawn = texts(figure)
    assert len(drawn) == 90, "all but the diagonal"
    for (k, i), text in drawn.items():
        assert text == ("–" if 4 in (i, k) else f"{matrix[i, k]:.2f}")
    assert names(figure) == (list(GENRES), list(GENRES))
    assert "-0.11" in figure.axes[0].get_xlabel(), "-1 / 9: as probabilities sum to 1"
    low, high = figure.axes[0].images[0].get_clim()
    assert low == -high, "white is no correlation"
    assert high == pytest.approx(np.nanmax(np.abs(matrix - np.eye(10))))


def test_learning_curves_are_those_of_the_log(metrics: Path) -> None:
    figure = plots.learning_curves(metrics, "a title")
    loss, accuracy = figure.axes
    train, validation, best = loss.lines
    assert train.get_xydata()[:2] == pytest.approx(np.array([[1, 1.1], [2, 0.7]]))
    assert np.isnan(train.get_ydata()[2]), "a gap where the loss was no number"
    assert validation.get_xydata() == pytest.approx(np.array([[1, 0.9], [2, 0.6], [3, 0.8]]))
    assert list(best.get_xdata()) == [2, 2]
    assert best.get_label() == "least validation loss: epoch 2"
    assert accuracy.lines[0].get_ydata() == pytest.approx([0.5, 0.75, 0.7])
    assert figure.get_suptitle() == "a title"


def test_learning_curves_of_a_run_without_validation(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    path.write_text("epoch,step,train_loss\n0,3,1.5\n0,3,1.25\n", "utf-8")
    loss, accuracy = plots.learning_curves(path, "").axes
    assert loss.lines[0].get_xydata().tolist() == [[1, 1.25]], "the later row counts"
    assert (len(loss.lines), len(accuracy.lines)) == (1, 0)
    path.write_text("epoch,step,lr\n0,3,0.1\n", "utf-8")
    with pytest.raises(ValueError, match="no learning curve"):
        plots.learning_curves(path, "")


def test_a_reliability_diagram_by_hand() -> None:
    items = [verdict(0.95, right=n < 3) for n in range(4)] + [verdict(0.65, right=n < 10) for n in range(20)]
    figure = plots.reliability_diagram(items, "a title")
    share, held = figure.axes
    diagonal, found = share.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    assert found.get_xydata() == pytest.approx(np.array([[0.65, 0.5], [0.95, 0.75]]))
    assert f"{calibration_error(items):.3f}" in found.get_label()
    (band,) = share.collections
    spans = [segment[:, 1].tolist() for segment in band.get_segments()]
    assert spans[1] == [0.75, 1]
    assert spans[0][0] < 0.5 < 0.65 < spans[0][1]
    bars = {round(bar.get_x() + bar.get_width() / 2, 6): bar.get_height() for bar in held.patches}
    assert bars == {0.65: 20, 0.95: 4}
    assert [text.get_text() for text in held.texts] == ["20", "4"]


def test_a_risk_coverage_curve_by_hand() -> None:
    items = [verdict(0.95, right=True) for _ in range(15)] + [verdict(0.65, right=n < 2) for n in range(5)]
    (axes,) = plots.risk_coverage_curve(items, "a title", marked=(0.5, 0.8, 0.99)).axes
    curve, *marks = axes.lines
    assert curve.get_xydata() == pytest.approx(np.array([[0.75, 1.0], [1.0, 0.85]]))
    assert [mark.get_xydata().tolist() for mark in marks] == [[[1.0, 0.85]], [[0.75, 1.0]]]
    assert marks[1].get_label() == "least confidence 0.8: 75% get a class, 100% right"


def test_an_embedding_keeps_apart_what_is_apart() -> None:
    rng = np.random.default_rng(0)
    labels = [GENRES[n % 10] for n in range(120)]
    features = rng.normal(size=(120, 16)) + 40 * np.eye(16)[[n % 10 for n in range(120)]]
    figure = plots.embedding_plot(features, labels, "a title")
    clouds = {cloud.get_label(): cloud.get_offsets() for cloud in figure.axes[0].collections}
    assert sorted(clouds) == list(GENRES)
    assert [text.get_text() for text in figure.legends[0].get_texts()] == list(GENRES)
    everything = np.concatenate(list(clouds.values()))
    for points in clouds.values():
        assert len(points) == 12
        others = np.array([p for p in everything if not (points == p).all(axis=1).any()])
        middle = points.mean(axis=0)
        assert np.linalg.norm(points - middle, axis=1).max() < np.linalg.norm(others - middle, axis=1).min()
    clouds = figure.axes[0].collections
    assert len({tuple(cloud.get_facecolor()[0]) for cloud in clouds}) == 10
    assert len({cloud.get_paths()[0].vertices.tobytes() for cloud in clouds}) == 10, "not by colour alone"


@pytest.mark.parametrize("count", [2, 3, 7])
def test_an_embedding_of_few_points(count: int) -> None:
    features = np.random.default_rng(0).normal(size=(count, 4))
    one, two = (plots.embedding_plot(features, ["a", "b", *"a" * (count - 2)], "") for _ in range(2))
    clouds = [cloud.get_offsets() for cloud in one.axes[0].collections]
    assert [len(cloud) for cloud in clouds] == [count - 1, 1]
    for cloud, same in zip(clouds, two.axes[0].collections, strict=True):
        assert np.array_equal(cloud, same.get_offsets()), "seeded"


def test_an_embedding_of_many_points_shows_some() -> None:
    features = np.random.default_rng(0).normal(size=(100, 4))
    figures = [plots.embedding_plot(features, list("ab" * 50), "", most=30, seed=seed) for seed in (0, 0, 1)]
    shown = [[len(cloud.get_offsets()) for cloud in figure.axes[0].collections] for figure in figures]
    assert [sum(counts) for counts in shown] == [30, 30, 30]
    assert shown[0] == shown[1] != shown[2], "drawn by the seed"
    assert "30 of 100 points, perplexity 9.67" in figures[0].axes[0].get_xlabel()


def test_an_embedding_needs_points_and_labels() -> None:
    with pytest.raises(ValueError, match="two points"):
        plots.embedding_plot(np.zeros((1, 4)), ["a"], "")
    with pytest.raises(ValueError, match="not 3 and 2"):
        plots.embedding_plot(np.zeros((3, 4)), ["a", "b"], "")


def test_a_figure_is_written_by_suffix_and_always_alike(tmp_path: Path, metrics: Path) -> None:
    for suffix in (".png", ".svg"):
        paths = [tmp_path / f"{name}{suffix}" for name in ("one", "two")]
        for path in paths:
            assert plots.save(plots.learning_curves(metrics, "a title"), path) == path
        one, two = (path.read_bytes() for path in paths)
        assert one == two
    picture = imread(tmp_path / "one.png")
    assert picture.shape[:2] == (900, 1050), "6 x 7 inches at 150 dots"
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 50, "something is drawn"
    assert (tmp_path / "one.svg").read_text("utf-8").rstrip().endswith("</svg>")
    assert b"date" not in (tmp_path / "one.svg").read_bytes()
    with pytest.raises(ValueError, match=r"one.jpeg should end in .png or .svg"):
        plots.save(Figure(), tmp_path / "one.jpeg")


def test_nothing_but_plots_needs_matplotlib_and_plots_needs_no_screen() -> None:
    code = (
        "import sys, genrecore_training.statistics; assert 'matplotlib' not in sys.modules; "
        "import genrecore_training.plots; assert 'matplotlib' in sys.modules; "
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
