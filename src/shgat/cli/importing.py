"""`shgat catalog import`: MCP servers, tool definitions, OpenAPI, n8n and logs into a catalogue's folder."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from . import given

if TYPE_CHECKING:
    from ..importers import Imported, Report
    from ..importers.servers import Server
    from .grid import Grid

_SHOWN = 8  # remarks of one source, and ids of one sort


def import_(
    out: Annotated[Path, typer.Option(metavar="DIR", help="The catalogue's folder; one that is there is brought up to date.")],
    sources: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SOURCE...", help="Files, folders, URLs of MCP servers, - for standard input; any may be written NAME=SOURCE."
        ),
    ] = None,
    command: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COMMAND", help="An MCP server to start, run without a shell: 'npx -y package'; NAME=COMMAND; repeatable."
        ),
    ] = None,
    kind: Annotated[str | None, typer.Option(metavar="KIND", help="What files hold, where that is not seen by itself.")] = None,
    server: Annotated[str, typer.Option(metavar="NAME", help="Server of the tools that name none.")] = "",
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="For each running server to list its tools.")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for programs.")] = False,
) -> int:
    """Import tools and traces into a catalogue's folder, and say what was added, changed, removed and left out.

    Which kind a source is of is seen by itself: MCP tools, a configuration of MCP servers (which are started and asked), OpenAI,
    Anthropic and LangChain tools, OpenAPI and Swagger, n8n workflows, logs as messages, LangSmith runs or OpenTelemetry spans. Exit code
    1 where a source could not be read: the others are imported all the same.
    """
    from ..importers import update
    from . import output

    _check(sources, command, out, kind)
    servers = [_server(text, timeout) for text in command or ()]
    named = [_named(text, timeout) for text in sources or ()]
    found = update(out, *named, *servers, kind=kind, server=server, timeout=timeout)
    if as_json:
        catalog = {"tools": len(found.catalog.tools), "capabilities": len(found.catalog.capabilities), "traces": len(found.traces)}
        output.write_json({"directory": str(out), "catalog": catalog, **found.report.to_dict()})
    else:
        output.write(_table(found), *_lines(found.report))
        for sentence in _remarks(found.report):
            output.note(f"shgat: {sentence}")
    return 1 if found.report.failed else 0


def _check(sources: list[str] | None, command: list[str] | None, out: Path, kind: str | None) -> None:
    """What can never work, before any work."""
    from ..importers.kinds import KINDS

    if not sources and not command:
        raise given.WrongUsage("give a file, a folder or a URL to import, or --command")
    if out.exists() and not out.is_dir():
        raise given.WrongUsage(f"--out {out}: that is no folder")
    if kind is not None and kind not in KINDS:
        raise given.WrongUsage(f"--kind is one of {', '.join(KINDS)}")
    for text in sources or ():
        if not _is_there(text) and not _is_url(text) and not ("=" in text and _is_url_or_path(text.partition("=")[2])):
            raise given.WrongUsage(f"there is no file or folder {_safe(text)}")


def _is_url(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _is_there(text: str) -> bool:
    try:
        return text == "-" or Path(text).exists()
    except (OSError, ValueError):
        return False


def _is_url_or_path(text: str) -> bool:
    return _is_url(text) or _is_there(text)


def _safe(text: str) -> str:
    from ..importers.secrets import masked, shown_url

    return shown_url(text) if "://" in text else masked(text)


def _named(text: str, timeout: float) -> "str | Server | tuple[str, str]":
    """A source, with its name where it has one."""
    from ..importers.servers import of_url

    if _is_there(text) or _is_url(text):
        return text
    name, _, source = text.partition("=")
    return of_url(source, name, timeout) if _is_url(source) else (name, source)


def _server(text: str, timeout: float) -> "Server":
    from ..importers import Server

    try:
        argv = shlex.split(text)
    except ValueError as error:
        raise given.WrongUsage(f"--command cannot be taken apart: {error}") from None
    name, joined, first = argv[0].partition("=") if argv else ("", "", "")
    if joined and name and "/" not in name:
        argv = [first, *argv[1:]]
    else:
        name = ""
    if not argv or not argv[0]:
        raise given.WrongUsage("--command names a program and its arguments")
    return Server(name, tuple(argv), timeout=timeout)


def _table(found: "Imported") -> "Grid":
    from .grid import Grid

    catalog = found.catalog
    sizes = f"{len(catalog.tools)} tools, {len(catalog.capabilities)} capabilities, {len(found.traces)} traces"
    grid = Grid(caption=f"the catalogue now: {sizes}")
    grid.add_column("source")
    grid.add_column("kind")
    for name in ("tools", "capabilities", "traces", "changed", "left out"):
        grid.add_column(name, "right")
    for s in found.report.sources:
        if s.error:
            grid.add_row(s.source, s.kind, "-", "-", "-", "-", "all of it")
        else:
            counts = (s.tools, s.capabilities, s.traces, s.count("changed"), s.count("left out"))
            grid.add_row(s.source, s.kind, *map(str, counts))
    return grid


def _lines(report: "Report") -> list[str]:
    """What became of the folder."""
    lines = []
    for name, ids in (("added", report.tools.added), ("changed", report.tools.changed), ("removed", report.tools.removed)):
        if ids:
            more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
            lines.append(f"{name}: {len(ids)} tools: {', '.join(ids[:_SHOWN])}{more}")
    if not lines:
        lines.append("no tool was added, changed or removed")
    if report.traces_added:
        lines.append(f"added: {report.traces_added} traces")
    if report.embeddings:
        lines.append(f"embeddings: {report.embeddings}")
    return lines


def _remarks(report: "Report") -> list[str]:
    """What was changed or left out, a sentence for each reason."""
    from ..importers.report import Summary

    sentences = [f"{s.source}: {s.error}" for s in report.failed]
    for source, notes in (*((s.source, s.notes) for s in report.sources if not s.error), ("the catalogue", report.notes)):
        lines = Summary.of(notes).lines
        for what, why, n, item in lines[:_SHOWN]:
            sentences.append(f"{source}: {item}{f' and {n - 1} more' if n > 1 else ''}: {what}, {why}")
        if len(lines) > _SHOWN:
            sentences.append(f"{source}: {len(lines) - _SHOWN} more remarks: --json has them all")
    return sentences
