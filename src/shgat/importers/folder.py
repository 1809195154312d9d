"""A catalogue's folder that was imported: what it remembers of its sources, and what becomes of it when they are read again."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from .._files import parse_line, read_lines, write_atomically
from ..errors import CatalogError, InputError
from ..features import Encoder, content_of, encoder_of, with_embeddings
from ..features.encoder import of_members
from ..features.kept import FILE, Kept
from ..graph import Catalog
from ..traces import Trace, read_traces, write_traces
from .known import Joined, Known, Source

SOURCES, TRACES = "sources.json", "traces.jsonl"


def known(folder: Path) -> tuple[Known, Catalog | None]:
    """(what a folder holds, its catalogue); nothing where there is no folder yet.

    Raises
    ------
    InputError
        for a folder that cannot be read, or that holds a broken catalogue: it is not overwritten.
    """
    if not (folder / "tools.jsonl").exists():
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is no folder")
        return Known(), None
    try:
        catalog = Catalog.load(folder)
    except CatalogError as error:
        raise InputError(f"{folder} holds a catalogue with faults, which is left as it is: {error}") from None
    path, traces = folder / TRACES, list[Trace]()
    if path.exists():
        for number, trace in read_traces(path):
            if not isinstance(trace, Trace):
                raise InputError(f"{TRACES}, line {number}: {trace}")
            traces.append(trace)
    return Known(catalog.tools, catalog.capabilities, traces, _sources(folder / SOURCES)), catalog


def save(folder: Path, joined: Joined, before: Catalog | None) -> tuple[Catalog, str]:
    """Writes catalogue, traces and sources; returns (the catalogue, what became of the embeddings).

    The embedding of a tool or capability stays where its id and text do. The others are made by the encoder that made the first; where
    that is not built in, all embeddings that stay are set aside, because a catalogue has them for everything or for nothing.
    """
    catalog, said = _embedded(folder, joined, before)
    dimension = next((len(t.embedding) for t in joined.traces if t.embedding is not None), None)
    catalog.save(folder)
    if catalog.has_embeddings and (folder / FILE).exists():
        Kept.of(catalog).save(folder)
    if joined.traces or (folder / TRACES).exists():
        write_traces(folder / TRACES, joined.traces, dimension)
    sources = {
        name: {"kind": s.kind, "within": s.within, "tools": s.tools, "capabilities": s.capabilities}
        for name, s in joined.sources.items()
    }
    write_atomically(folder / SOURCES, orjson.dumps({"sources": sources}, option=orjson.OPT_INDENT_2) + b"\n")
    return catalog, said


def _sources(path: Path) -> dict[str, Source]:
    if not path.exists():
        return {}
    value = parse_line(b"".join(line for _, line in read_lines(path)), path, 1)
    held = value.get("sources") if isinstance(value, Mapping) else None
    if not isinstance(held, Mapping):
        raise InputError(f"{path.name} is not what an import wrote: remove it to import anew beside what the folder holds")
    return {str(name): _source(source) for name, source in held.items() if isinstance(source, Mapping)}


def _source(value: Mapping[str, Any]) -> Source:
    tools, capabilities = value.get("tools"), value.get("capabilities")
    keys = tools.items() if isinstance(tools, Mapping) else ()
    return Source(
        str(value.get("kind", "")),
        {key: (str(pair[0]), str(pair[1])) for key, pair in keys if isinstance(pair, list) and len(pair) == 2},
        tuple(c for c in capabilities if isinstance(c, str)) if isinstance(capabilities, list) else (),
        str(value.get("within", "")),
    )


def _embedded(folder: Path, joined: Joined, before: Catalog | None) -> tuple[Catalog, str]:
    kept = _kept(folder, before)
    tools, capabilities = list(joined.tools), list(joined.capabilities)
    if not kept:
        return Catalog.from_records(tools, capabilities), ""
    tools = [replace(t, embedding=kept.get(content_of(t))) for t in tools]
    capabilities = [replace(c, embedding=kept.get(content_of(c))) for c in capabilities]
    n_bare = sum(t.embedding is None for t in tools) + sum(c.embedding is None for c in capabilities)
    n_kept = len(tools) + len(capabilities) - n_bare
    built_in = encoder_of(before) if before is not None else None
    if n_bare and built_in is None:
        texts = Catalog.from_records(joined.tools, joined.capabilities, encoder="")
        kept.save(folder)
        return texts, f"{n_kept} are set aside in {FILE}, as {n_bare} texts have none yet: embed the catalogue"
    if built_in is not None:
        tools = _filled(tools, built_in)
        rows_of = {t.id: t.embedding for t in tools if t.embedding is not None}
        capabilities = _filled([c if c.embedding is not None else of_members(c, rows_of) for c in capabilities], built_in)
    said = f"{n_kept} kept" + (f", {n_bare} made by {kept.encoder}" if n_bare else "")
    return Catalog.from_records(tools, capabilities, encoder=kept.encoder), said


def _filled(nodes: list[Any], encoder: Encoder) -> list[Any]:
    """With embeddings for those that have none."""
    made = iter(with_embeddings([node for node in nodes if node.embedding is None], encoder))
    return [next(made) if node.embedding is None else node for node in nodes]


def _kept(folder: Path, before: Catalog | None) -> Kept:
    """What the encoder of the folder's embeddings made; where it has none, what was set aside."""
    if before is None:
        return Kept()
    if not before.has_embeddings:
        return Kept.load(folder)
    return Kept(before.encoder, {**Kept.load(folder, before.encoder).rows, **Kept.of(before).rows})
