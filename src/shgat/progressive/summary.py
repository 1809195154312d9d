"""What a person and a program read of a run: how far it is, and what came of it."""

import re
from collections import Counter
from typing import Any

from .events import canonical
from .layout import Layout
from .manifest import Manifest

_LONGEST = 160  # characters of a cell
_LISTED = 200  # repositories of a summary in Markdown


def status(layout: Layout) -> dict[str, Any]:
    """How far a workspace is, read while another process is at it."""
    manifest = Manifest(layout.manifest, read_only=True)
    try:
        repos = manifest.repos()
        states = Counter(r.state for r in repos)
        return {
            "repos": len(repos),
            "states": dict(sorted(states.items())),
            "commits": sum(r.commits for r in repos),
            "bytes": sum(r.bytes for r in repos),
            "batches": manifest.batches(),
            "run": manifest.last_run(),
            "quota": manifest.gauges(),
            "failures": dict(Counter(_kind(r.reason) for r in repos if r.state == "failed")),
        }
    finally:
        manifest.close()


def _kind(reason: str) -> str:
    """A reason without what is of one repository alone."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\d+", "...", reason)[:100]


def summary(layout: Layout, root: str, chain: str, peak: int) -> dict[str, Any]:
    """What came of the latest run, with a row a repository."""
    found = status(layout)
    manifest = Manifest(layout.manifest, read_only=True)
    rows = [
        {
            "name": r.name,
            "state": r.state,
            "reason": r.reason,
            "commits": r.commits,
            "bytes": r.bytes,
            "seconds": round(r.seconds, 3),
            "attempts": r.attempts,
            "segment": r.seq,
        }
        for r in manifest.repos()
    ]
    manifest.close()
    return found | {"merkleRoot": root, "chain": chain, "quota_peak": peak, "repositories": rows}


def markdown(found: dict[str, Any]) -> str:
    """A summary as a page."""
    run = found["run"] or {"run": 0, "status": "none"}
    lines = [f"# Run {run['run']}: {run['status']}", ""]
    lines += ["| | |", "|---|---|"]
    lines += [f"| {name} | {n} |" for name, n in found["states"].items()]
    lines += [
        f"| commits | {found['commits']} |",
        f"| bytes of segments | {found['bytes']} |",
        f"| kernel | `{found['merkleRoot']}` |",
    ]
    lines += [f"| chain | `{found['chain']}` |", f"| most of the quota | {found['quota_peak']} |", ""]
    if found["failures"]:
        lines += ["## Failures", "", "| reason | repositories |", "|---|--:|"]
        lines += [f"| {_cell(reason)} | {n} |" for reason, n in sorted(found["failures"].items(), key=lambda f: -f[1])] + [""]
    lines += ["## Repositories", "", "| name | state | commits | bytes | s | tries | reason |", "|---|---|--:|--:|--:|--:|---|"]
    for r in found["repositories"][:_LISTED]:
        cells = (r["name"], r["state"], r["commits"], r["bytes"], f"{r['seconds']:.1f}", r["attempts"], r["reason"])
        lines.append("| " + " | ".join(_cell(str(c)) for c in cells) + " |")
    if len(found["repositories"]) > _LISTED:
        lines.append(f"\n{len(found['repositories']) - _LISTED} more are in the JSON beside this page.")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Text that stays in its cell, whatever it is."""
    shown = "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST]
    return shown.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def write(layout: Layout, found: dict[str, Any], free: int) -> str:
    """Writes both into the workspace where there is room; the name of the page, "" where there is none."""
    from .disk import Disk

    name = f"summary-{(found['run'] or {'run': 0})['run']:06d}"
    data, page = canonical(found) + b"\n", markdown(found).encode()
    if len(data) + len(page) + 16384 > free:
        return ""
    Disk().replace(layout.diagnostics / f"{name}.json", data)
    Disk().replace(layout.diagnostics / f"{name}.md", page)
    return f"{name}.md"
