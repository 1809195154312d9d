"""A hook of MkDocs: a line "::: names of PACKAGE" becomes an entry for each public name of the package, so that none is forgotten."""

import re
from importlib import import_module
from typing import Any

_LINE = re.compile(r"^::: names of ([\w.]+)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """The page with the entries that mkdocstrings reads."""
    return _LINE.sub(lambda found: "\n\n".join(f"::: {found[1]}.{name}" for name in import_module(found[1]).__all__), markdown)
