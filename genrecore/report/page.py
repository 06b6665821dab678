"""A page that is one file: plots, script and style are inside, and nothing is asked of any network.

Whatever a file's tags say is untrusted: texts are escaped (by jinja2, and by `plain` where plotly would read
tags in them), data stand in a block that is not a script, and a content security policy allows no script but
those whose hashes it names, and no request at all.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import IO, Any

from genrecore.errors import ReportError
from genrecore.report.style import clock

__all__ = ["plain", "render", "require", "require_place", "writing"]

_PAGES = (".html", ".htm")

# Styles are plotly's own, which sets them as attributes; its heat maps are pictures.
_POLICY = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "img-src": "data:",
    "base-uri": "'none'",
    "form-action": "'none'",
}


def require(*modules: str) -> None:
    """Refuse, in one sentence, where the extra is not installed.

    Raises
    ------
    ReportError
        Saying how to install it.
    """
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        raise ReportError(
            f'pages and pictures need {" and ".join(missing)}: run pip install "beets-genreclf[report]"'
        )


def require_place(target: str | os.PathLike[str], *, page: bool = False) -> None:
    """Refuse what cannot or must not be written, as far as that can be told before.

    Parameters
    ----------
    target : str or path
        The file to be written.
    page : bool
        Whether its name must be that of a page: a query that stands where a file should is none.

    Raises
    ------
    ReportError
        Naming the file: a song, a folder, a device, a place that is not there.
    """
    from genrecore.audio import AUDIO_EXTENSIONS

    name, path = os.fspath(target), Path(target).resolve()
    suffix = path.suffix.lower()
    if page and suffix not in _PAGES:
        raise ReportError(f"{name!r}: the name of a page must end in .html: name another file")
    if suffix in AUDIO_EXTENSIONS:
        raise ReportError(f"{name}: that is the name of a song, which is never written: name another file")
    if not path.parent.is_dir():
        raise ReportError(f"{name}: it cannot be written, for its folder does not exist: make it first")
    if path.exists() and not path.is_file():
        what = "a folder" if path.is_dir() else "no ordinary file"
        raise ReportError(f"{name}: it cannot be written, for it is {what}: name another file")
    if not os.access(path.parent, os.W_OK):
        raise ReportError(f"{name}: it cannot be written (no permission in its folder): name another file")


def plain(text: str) -> str:
    """Text that plotly shows as it is: it takes ``<b>`` and the like for tags, and control characters for nothing."""
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def render(
    name: str,
    *,
    data: Mapping[str, Any],
    figures: Mapping[str, Any],
    context: Mapping[str, Any],
    media: str = "'none'",
) -> str:
    """A whole page.

    Parameters
    ----------
    name : {'timeline', 'library'}
        Of its template and of its script.
    data : mapping
        What the script reads.
    figures : mapping of str to plotly.graph_objects.Figure
        By the id of the element that they are drawn into.
    context : mapping
        What the template reads.
    media : str
        Where the policy lets sound come from.

    Returns
    -------
    str
        HTML.
    """
    scripts = [_plotly(), _text("plots.js"), _text(f"{name}.js")]
    policy = {**_POLICY, "script-src": " ".join(map(_hash, scripts)), "media-src": media}
    drawn = {key: json.loads(figure.to_json()) for key, figure in figures.items()}
    return (
        _environment()
        .get_template(f"{name}.html")
        .render(
            **context,
            policy="; ".join(f"{directive} {value}" for directive, value in policy.items()),
            style=_text("page.css"),
            data={**data, "figures": drawn},
            scripts=scripts,
        )
    )


@contextmanager
def writing(target: str | os.PathLike[str], *, binary: bool = False) -> Iterator[IO[Any]]:
    """Open a file to be written, which appears only once it is whole.

    Raises
    ------
    ReportError
        If it cannot be written; what was there before is left as it was.
    """
    path = Path(target).resolve()  # what a link points to is written, and not a file in place of the link
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        try:
            # What of a name is no Unicode becomes a question mark.
            text: Any = {} if binary else {"encoding": "utf-8", "errors": "replace", "newline": ""}
            with unfinished.open("wb" if binary else "w", **text) as file:
                yield file
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        reason = f"{os.fspath(target)}: it cannot be written ({error.strerror}): name another file"
        raise ReportError(reason) from error


def _hash(script: str) -> str:
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@lru_cache(maxsize=1)
def _plotly() -> str:
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).replace("\r", "")


def _text(name: str) -> str:
    return resources.files(__package__).joinpath("templates", name).read_text("utf-8").replace("\r", "")


@lru_cache(maxsize=1)
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_text),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["json.dumps_kwargs"] = {
        "ensure_ascii": True,
        "separators": (",", ":"),
        "allow_nan": False,
    }
    environment.filters["clock"] = clock
    return environment
