"""`shgat kernel`: what is known of all repositories that were read: shown, compared, merged, made anew."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from . import given
from .workspace import HERE, Json, Workspace, layout, told

if TYPE_CHECKING:
    from ..progressive.kernel import Kernel
    from .grid import Grid

app = typer.Typer(help="What is known of all repositories that were read.", rich_markup_mode=None)
_CORRUPT = 65


def folder(path: Path) -> Path:
    """The kernel's folder of a workspace, or the folder itself."""
    from ..progressive.layout import Layout

    for found in (Layout(path).kernel, path):
        if (found / "units").is_dir():
            return found
    raise given.WrongUsage(f"{path} is neither a workspace nor a kernel")


def _load(path: Path) -> "Kernel":
    from ..progressive.kernel import Kernel

    return Kernel.load(folder(path))


def _write_state(kernel: "Kernel", names: dict[str, str], batches: int, name: str = "state.json") -> dict[str, Any]:
    from datetime import UTC, datetime

    from ..progressive import state
    from ..progressive.disk import Disk
    from ..progressive.events import canonical

    found = state.described(kernel.units, names, batches, datetime.now(UTC))
    Disk().replace(kernel.folder / name, canonical(found) + b"\n")
    return found


@app.command(short_help="What a kernel says.")
def show(workspace: Workspace = HERE, as_json: Json = False) -> int:
    """Kinds of work over all repositories: how many commits have each, and the share that does (mean of its Beta posterior)."""

    def work() -> int:
        from datetime import UTC, datetime

        from ..progressive import state
        from . import output

        found = state.described(_load(workspace).units, {}, 0, datetime.now(UTC))
        if as_json:
            output.write_json({k: v for k, v in found.items() if k not in ("generatedAt", "digest", "batches")})
            return 0
        output.write(_grid(found), f"Root {found['merkleRoot']}.")
        return 0

    return told(work)


def _grid(found: dict[str, Any]) -> "Grid":
    from .grid import Grid

    grid = Grid(f"{found['totalRepos']} lineages, {found['totalCommits']} commits")
    grid.add_column("kind of work")
    for column in ("commits", "share %", "lineages"):
        grid.add_column(column, "right")
    for p in found["consolidated"]["patterns"]:
        grid.add_row(p["type"], str(p["frequency"]), f"{100 * p['confidence']:.1f}", str(len(p["repos"])))
    return grid


@app.command(short_help="Bring it up to the ledger.")
def compact(workspace: Workspace = HERE) -> int:
    """Take in what the ledger has and the kernel has not, and write state.json."""
    return _renew(workspace, anew=False)


@app.command(short_help="Make it anew from the ledger.")
def rebuild(
    workspace: Workspace = HERE,
    from_archives: Annotated[bool, typer.Option("--from-archives", help="Only of what is archived.")] = False,
) -> int:
    """Make the kernel anew from segments and archives: bit for bit what it was."""
    return _renew(workspace, anew=True, from_archives=from_archives)


def _renew(workspace: Path, *, anew: bool, from_archives: bool = False) -> int:
    def work() -> int:
        from ..progressive.kernel import Kernel
        from ..progressive.ledger import Ledger
        from ..progressive.lock import locked
        from ..progressive.manifest import Manifest
        from ..progressive.unit import summarised
        from . import output

        places = layout(workspace)
        with locked(places.lock):
            ledger, kernel = Ledger(places), Kernel(places.kernel)
            if anew:
                for path in kernel.paths():
                    path.unlink()
            else:
                kernel.repair()
            there = {s.unit for s in kernel.units.values()}
            raw = {e.seq for e in ledger.raw()}
            for entry, lines in ledger.walk():
                if entry.unit not in there and not (from_archives and entry.seq in raw):
                    kernel.join(summarised(lines))
            names: dict[str, str] = {}
            batches = 0
            if places.manifest.exists():
                manifest = Manifest(places.manifest, read_only=True)
                names = {r.lineage: r.name for r in reversed(manifest.repos()) if r.lineage}
                batches = manifest.batches()
                manifest.close()
            found = _write_state(kernel, names, batches)
        output.write(f"{found['totalRepos']} lineages, {found['totalCommits']} commits, root {found['merkleRoot']}.")
        return 0

    return told(work)


@app.command(short_help="Join several into one.")
def merge(
    kernels: Annotated[list[Path], typer.Argument(metavar="DIR...", help="Workspaces or kernels.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="DIR", help="Kernel that is made, or joined to.")],
) -> int:
    """Join kernels. The order does not matter, and joining something twice changes nothing."""

    def work() -> int:
        from ..progressive.kernel import Kernel
        from . import output

        sources = [folder(path) for path in kernels]
        (out / "units").mkdir(parents=True, exist_ok=True)
        target = Kernel.load(out)
        for source in sources:
            for summary in Kernel(source).summaries():
                target.join(summary)
        found = _write_state(target, {}, 0, "global_state.json")
        output.write(f"{found['totalRepos']} lineages, {found['totalCommits']} commits, root {found['merkleRoot']}.")
        return 0

    return told(work)


@app.command(short_help="How two differ.")
def diff(
    one: Annotated[Path, typer.Argument(metavar="A", help="A workspace or a kernel.")],
    other: Annotated[Path, typer.Argument(metavar="B", help="Another one.")],
    as_json: Json = False,
) -> int:
    """Which lineages only one of the two has, and which they have at another head. Exit code 1: they differ."""

    def work() -> int:
        from . import output

        a, b = _load(one).units, _load(other).units
        found = {
            "only_a": sorted(set(a) - set(b)),
            "only_b": sorted(set(b) - set(a)),
            "newer_a": sorted(n for n in set(a) & set(b) if a[n].rank > b[n].rank),
            "newer_b": sorted(n for n in set(a) & set(b) if a[n].rank < b[n].rank),
        }
        if as_json:
            output.write_json(found)
        else:
            output.write_lines(*(f"{kind} {lineage}" for kind, names in found.items() for lineage in names))
            output.write(", ".join(f"{len(names)} {kind.replace('_', ' in ')}" for kind, names in found.items()) + ".")
        return 1 if any(found.values()) else 0

    return told(work)


@app.command(short_help="Is every byte what was written?")
def verify(workspace: Workspace = HERE, as_json: Json = False) -> int:
    """Compare every file of a kernel with its digest and with state.json. Exit code 65: something is not what was written; it is named."""

    def work() -> int:
        from ..progressive import register, state
        from ..progressive.layout import Layout
        from . import output

        place = folder(workspace)
        name = (
            "state.json" if (place / "state.json").exists() or not (place / "global_state.json").exists() else "global_state.json"
        )
        faults = [*state.verify(place, name), *(register.verify(Layout(workspace)) if place == Layout(workspace).kernel else [])]
        if as_json:
            output.write_json({"sound": not faults, "faults": [{"where": f.where, "what": f.what} for f in faults]})
        else:
            output.write_lines(*(f"{f.where}: {f.what}" for f in faults))
            output.write("Sound." if not faults else f"{len(faults)} faults.")
        return _CORRUPT if faults else 0

    return told(work)
