"""Configuration of the documentation; `make docs` builds it."""

from importlib.metadata import version as _version

project = "genreclf"
author = "genreclf contributors"
copyright = "2026, genreclf contributors"
release = version = _version("beets-genreclf")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"genreclf {release}"
html_static_path = ["static"]
html_css_files = ["tables.css"]

autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
exclude_patterns = ["build"]
