"""Commands that check models: their own figures, altered recordings, sounds that are no music."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from genrecore_training.cli.common import places, places_of, results_option, sentences

__all__ = ["controls", "evaluate", "hand_made", "outside", "robust"]


@click.command()
@click.argument("model", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--recipe", default="", help="What made it; one of the package's if not given.")
@places
def evaluate(model: Path, recipe: str, **options: Any) -> None:
    """Does a model file reach the figure that it carries?

    Tests MODEL on the fold that it has not heard; nothing is trained. Exit code 1 if a figure is another.

    \b
    Example:
      genrecore-train evaluate genrecore/weights/mel-cnn-genre.onnx --data ~/data
    """
    with sentences():
        from genrecore_training.evaluation import evaluate as test

        differs = False
        for said, found in test(model, places_of(options), recipe=recipe):
            same = said == found
            differs = differs or not same
            verdict = "as the file says" if same else f"the file says {said.value:.4f} {said}, n = {said.n}"
            click.echo(
                f"{found.metric} {found.value:.4f} [{found.low:.4f}, {found.high:.4f}], n = {found.n}, protocol "
                f"{found.protocol}, fold {found.fold}: {verdict}"
            )
        sys.exit(1 if differs else 0)


@click.command()
@click.argument("recipe")
@click.option("--protocol", required=True, help="Under which it was run.")
@click.option("--clips", type=click.IntRange(min=1), default=120, help="At most so many test tracks.")
@results_option
@places
def robust(recipe: str, protocol: str, clips: int, results: Path, **options: Any) -> None:
    """Does a model say the same of altered recordings?

    Other codecs, bit rates, channels, sample rates, levels, leading silence, vinyl; and other snippets of the same
    recording. Asks the fold models of RECIPE, each on its own test tracks of which there is the whole sound.

    \b
    Example:
      genrecore-train robust mel-cnn-mood --protocol artist_grouped
    """
    with sentences():
        from genrecore_training import recipes as recipe_files
        from genrecore_training.results import save
        from genrecore_training.robustness import measure

        loaded = recipe_files.load(recipe)
        found = measure(loaded, protocol, places_of(options), clips=clips)
        path = save(found, results / "robustness" / f"{loaded.name}--{protocol}.json")
        click.echo(f"wrote {path}")
        for entry in (*found["agreement"], {"with": "other snippets", **found["other snippets"]}):
            click.echo(f"{entry['with']}: {entry['value']:.3f} [{entry['low']:.3f}, {entry['high']:.3f}]")


@click.command()
@click.option("--genre-model", default="", help="Name or path; the default one if not given.")
@click.option("--mood-model", default="", help="Name or path; the default one if not given.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.5,
    help="Least confidence at which a tag is written.",
)
@click.option("--count", type=click.IntRange(min=1), default=20, help="Variants of each sound.")
@results_option
def controls(genre_model: str, mood_model: str, threshold: float, count: int, results: Path) -> None:
    """What do the models say of sounds that are no music?

    Noise, sines, sweeps, clicks, silence; speech too where the program espeak-ng is installed.

    \b
    Example:
      genrecore-train controls --threshold 0.5
    """
    with sentences():
        from genrecore.settings import Settings
        from genrecore_training.controls import measure
        from genrecore_training.results import save
        from genrecore_training.speech import READER

        settings = Settings(genre_model=genre_model, mood_model=mood_model, device="cpu")
        found = measure(settings, {"genre": threshold, "mood": threshold}, count=count)
        click.echo(f"wrote {save(found, results / 'controls.json')}")
        for entry in found["sounds"]:
            for task in ("genre", "mood"):
                if task in entry:
                    said = entry[task]
                    classes = ", ".join(f"{label} {number}" for label, number in said["classes"].items())
                    click.echo(
                        f"{entry['sound']}, {task}: {classes}; confidence at most {said['greatest confidence']:.2f}, "
                        f"abstains on {said['abstains']:.0%}"
                    )
            if entry["refused"]:
                click.echo(f"{entry['sound']}: refused {entry['refused']} of {count}")
        if "speech" not in {entry["sound"] for entry in found["sounds"]}:
            click.echo(f"no speech: {READER} is not installed", err=True)


@click.command()
@click.argument("models", nargs=-1)
@results_option
@places
def outside(models: tuple[str, ...], results: Path, **options: Any) -> None:
    """What do models say of data sets that others collected?

    Genre models hear 4-Quadrant's clips (AllMusic's genres), Emotify and single tracks from many places, mood models
    Emotify (what its hearers felt). Tracks of artists that a model has learnt from are left out, as far as artists are
    known. MODELS are names of bundled models; all if none is given.

    \b
    Example:
      genrecore-train outside --data ~/data
    """
    with sentences():
        from genrecore import model as model_files
        from genrecore_training.outside import measure, read_list
        from genrecore_training.results import save

        bundled = {path.stem: path for path in model_files.bundled()}
        unknown = sorted(set(models) - set(bundled))
        if unknown:
            raise click.UsageError(f"there is no model {unknown[0]}; there are {', '.join(bundled)}")
        data = places_of(options).data
        for name in models or bundled:
            found = measure(bundled[name], read_list(results / "shipped" / f"{name}.json"), data)
            click.echo(f"wrote {save(found, results / 'outside' / f'{name}.json')}")
            for test in found.get("tests", ()):
                if not test["n"]:
                    click.echo(f"{name}, {test['test']}: the model knows all of it")
                    continue
                right, same = test["accuracy"], test["always the same"]
                click.echo(
                    f"{name}, {test['test']}: {right['value']:.3f} [{right['low']:.3f}, {right['high']:.3f}], "
                    f"n = {test['n']}; always {same['class']}: {same['accuracy']:.3f}"
                )
            for entry in found.get("emotions", ()):
                click.echo(
                    f"{name}, {entry['quadrant']} and {entry['emotion']}: rank correlation {entry['value']:+.3f} "
                    f"[{entry['low']:+.3f}, {entry['high']:+.3f}], n = {entry['n']}"
                )


@click.command("hand-made")
@results_option
@places
def hand_made(results: Path, **options: Any) -> None:
    """How good are hand-made features at the moods?

    Tests a support vector machine on the features that come with 4-Quadrant: on the folds by which the mood networks
    are judged, and on random ones. Takes some minutes.

    \b
    Example:
      genrecore-train hand-made --data ~/data
    """
    with sentences():
        from genrecore_training.handmade import measure
        from genrecore_training.results import save

        found = measure(places_of(options).data / "4qaed")
        click.echo(f"wrote {save(found, results / 'handmade.json')}")
        for test in found["tests"]:
            right, f1 = test["accuracy"], test["macro F1"]
            click.echo(
                f"{test['protocol']}: {right['value']:.3f} [{right['low']:.3f}, {right['high']:.3f}], macro F1 "
                f"{f1['value']:.3f} [{f1['low']:.3f}, {f1['high']:.3f}], n = {test['n']}"
            )
