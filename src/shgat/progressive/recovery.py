"""What a killed process left is brought in order: what counts is the ledger, and everything else follows it."""

import logging
import shutil

from ..errors import CorruptError
from .kernel import Kernel
from .layout import Layout
from .ledger import Ledger
from .manifest import Manifest
from .unit import summarised

_log = logging.getLogger("shgat")


def recover(layout: Layout, ledger: Ledger, kernel: Kernel, manifest: Manifest) -> int:
    """Takes parts and clones away, gives links to segments that have none, and brings kernel and manifest up to the ledger. The number
    of links that they did not know. Doing it twice changes nothing.

    Raises
    ------
    CorruptError
        where a segment is not what was sealed, or is not whole.
    """
    for clone in layout.corpus.iterdir():
        shutil.rmtree(clone, ignore_errors=True) if clone.is_dir() and not clone.is_symlink() else clone.unlink()
    for folder in (kernel.folder, kernel.folder / "units", layout.substrate, layout.diagnostics, layout.root):
        for left in folder.glob(".*.????????????"):  # of files that were being replaced
            left.unlink(missing_ok=True)
    ledger.gc()
    adopted = ledger.adopt()
    lost = set(kernel.repair())
    known = manifest.units()
    missing = {e.seq for e in ledger.chain.entries if e.seq not in known or e.lineage in lost or e.lineage not in kernel.units}
    if missing:
        _log.info("%d units of the ledger are taken in again, %d of them without a link before", len(missing), len(adopted))
        for entry, lines in ledger.walk():
            if entry.seq in missing:
                summary = summarised(lines)
                if summary["lineage"] != entry.lineage:
                    raise CorruptError(f"segment {entry.seq} is not what was sealed; `shgat ledger verify` says more")
                kernel.join(summary)
                if entry.seq not in known:
                    manifest.sealed(entry, summary["n_commits"])
    return len(missing)


def rebuild(ledger: Ledger, kernel: Kernel) -> None:
    """Makes an empty kernel what the ledger says, bit for bit as it was."""
    for _, lines in ledger.walk():
        kernel.join(summarised(lines))
