"""`shgat ledger`: what was read of repositories, under one chain: verified, proved, archived, taken out and in."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from ..errors import InputError
from . import given
from .workspace import HERE, Json, Workspace, layout, told

if TYPE_CHECKING:
    from ..progressive.ledger import Ledger
    from ..progressive.quota import Quota

app = typer.Typer(help="What was read of repositories, under one chain.", rich_markup_mode=None)
_CORRUPT = 65


def _open(workspace: Path) -> "Ledger":
    from ..progressive.ledger import Ledger

    return Ledger(layout(workspace))


def _quota(workspace: Path) -> "Quota":
    from ..progressive.quota import Quota
    from ..progressive.settings import Settings, remembered

    places = layout(workspace)
    return Quota(places, int(remembered(places).get("quota", Settings().quota)))


@app.command(short_help="Is every byte what was written?")
def verify(workspace: Workspace = HERE, as_json: Json = False) -> int:
    """Read every segment and archive, and compare it with the chain. Exit code 65: something is not what was written; it is named."""

    def work() -> int:
        from ..errors import CorruptError
        from ..progressive.ledger import Fault
        from . import output

        try:
            ledger = _open(workspace)
            faults, n, size = ledger.verify(), len(ledger.chain.entries), sum(e.bytes for e in ledger.chain.entries)
            tip = ledger.chain.tip
        except CorruptError as error:
            faults, n, size, tip = [Fault("chain.log", str(error))], 0, 0, ""
        if as_json:
            faulty = [{"where": f.where, "what": f.what} for f in faults]
            output.write_json({"sound": not faults, "segments": n, "bytes": size, "chain": tip, "faults": faulty})
        else:
            output.write(f"{n} segments, {size} bytes, chain {tip[:16] or 'broken'}: " + ("sound." if not faults else "not sound."))
            output.write_lines(*(f"{f.where}: {f.what}" for f in faults))
        return _CORRUPT if faults else 0

    return told(work)


@app.command(short_help="Proof that a record is in the ledger.")
def prove(
    seq: Annotated[int, typer.Argument(metavar="SEQ", min=1, help="A segment.")],
    record: Annotated[int, typer.Option(min=0, metavar="N", help="A record of it, from 0.")] = 0,
    since: Annotated[int | None, typer.Option(min=1, metavar="N", help="Also that the first N segments are its beginning.")] = None,
    workspace: Workspace = HERE,
) -> int:
    """Print, as JSON, the hashes that lead from a record to the root of its segment and from its link to the root of the ledger (RFC 6962)."""

    def work() -> int:
        from ..progressive import merkle
        from ..progressive.chain import leaves
        from . import output

        ledger = _open(workspace)
        entries = ledger.chain.entries
        if seq > len(entries) or (since or 0) > len(entries):
            raise given.WrongUsage(f"the ledger has {len(entries)} segments")
        lines = next([*part] for entry, part in ledger.walk() if entry.seq == seq)
        if record >= len(lines):
            raise given.WrongUsage(f"--record: segment {seq} has {len(lines)} records")
        links = [merkle.leaf(line) for line in leaves(entries)]
        proof = merkle.inclusion([merkle.leaf(line) for line in lines], record)
        above = merkle.inclusion(links, seq - 1)
        found = {
            "record": {"line": lines[record].decode(), "index": record, "n": len(lines), "proof": [h.hex() for h in proof]},
            "segment": {
                "link": entries[seq - 1].line().decode(),
                "index": seq - 1,
                "n": len(entries),
                "proof": [h.hex() for h in above],
            },
            "ledger": {"root": merkle.root_of(links).hex(), "chain": ledger.chain.tip},
        }
        if since is not None:
            before = merkle.root_of(links[:since]).hex()
            found["since"] = {"n": since, "root": before, "proof": [h.hex() for h in merkle.consistency(links, since)]}
        output.write_json(found)
        return 0

    return told(work)


@app.command(short_help="Archive what lies there as lines.")
def rotate(workspace: Workspace = HERE, as_json: Json = False) -> int:
    """Archive all segments, and take those away whose archive was read back."""

    def work() -> int:
        from datetime import UTC, datetime

        from ..progressive.lock import locked
        from . import output

        with locked(layout(workspace).lock):
            quota = _quota(workspace)
            done = _open(workspace).rotate(datetime.now(UTC), lambda n: quota.reserve("archives", n))
        rows = [{"archive": a.path.name, "segments": len(a.entries), "bytes": a.raw_bytes, "archived_bytes": a.size} for a in done]
        if as_json:
            output.write_json({"archives": rows})
            return 0
        for row in rows:
            output.write_lines(f"{row['archive']}: {row['segments']} segments, {row['bytes']} -> {row['archived_bytes']} bytes")
        if not rows:
            output.write("There is nothing to archive.")
        return 0

    return told(work)


@app.command(short_help="Take away what an archive holds.")
def gc(workspace: Workspace = HERE) -> int:
    """Take away segments whose archive was read back just now, and what killed processes left. Nothing else is ever taken away."""

    def work() -> int:
        from ..progressive.lock import locked
        from . import output

        with locked(layout(workspace).lock):
            gone = _open(workspace).gc()
        output.write_lines(*gone)
        output.note(f"shgat: {len(gone)} files taken away")
        return 0

    return told(work)


@app.command("export", short_help="All records as lines.")
def export_(
    out: Annotated[Path, typer.Option(metavar="FILE", help="FILE.jsonl or FILE.jsonl.gz.")],
    workspace: Workspace = HERE,
) -> int:
    """Write all records, one JSON object a line, in the order of the ledger."""

    def work() -> int:
        from .._files import replacing
        from . import output

        given.writable(out, "--out")
        ledger, n = _open(workspace), 0
        with replacing(out) as path, path.open("wb") as plain:
            target: BinaryIO = gzip.GzipFile("", "wb", 6, plain, mtime=0) if out.suffix == ".gz" else plain  # type: ignore[assignment]
            for _, part in ledger.walk():
                for line in part:
                    target.write(line + b"\n")
                    n += 1
            if target is not plain:
                target.close()
        output.note(f"shgat: {n} records in {out}")
        return 0

    return told(work)


@app.command("import", short_help="Take records in that were exported.")
def import_(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `export` wrote.", exists=True, dir_okay=False)],
    workspace: Workspace = HERE,
) -> int:
    """Take in the units that the ledger does not have yet. A file that is not whole is refused before anything is taken in."""

    def work() -> int:
        from ..progressive.importing import take_in
        from ..progressive.ledger import Ledger
        from ..progressive.lock import locked
        from . import output

        found = layout(workspace)
        with locked(found.lock):
            quota = _quota(workspace)

            def room() -> int:
                quota.measure("ledger")
                return quota.free("ledger")

            taken, known = take_in(Ledger(found), lambda: _lines(source), room)
        output.note(f"shgat: {taken} units taken in, {known} known already; `shgat kernel rebuild` brings the kernel up to date")
        return 0

    return told(work)


def _lines(source: Path) -> Iterator[bytes]:
    try:
        with gzip.open(source) if source.suffix == ".gz" else source.open("rb") as file:
            for line in file:
                yield line.rstrip(b"\n")
    except (EOFError, gzip.BadGzipFile) as error:
        raise InputError(f"{source.name}: {error}") from None
