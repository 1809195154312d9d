"""Histories of repositories: read, packed, hashed, opened; each beside a peer that does the same."""

import gzip
import tempfile
from itertools import pairwise
from pathlib import Path

from shgat.progressive.events import canonical, events
from shgat.progressive.generator import Plan, make
from shgat.progressive.history import History
from shgat.progressive.kernel import Kernel
from shgat.progressive.kernel_bars import synthetic
from shgat.progressive.merkle import root_of_lines


class Replay:
    """Commits of a generated repository."""

    params = (30, 3000)
    param_names = ("commits",)

    def setup(self, commits):
        self.folder = tempfile.TemporaryDirectory()
        self.path = make(Path(self.folder.name) / "r.git", Plan(commits=commits)).path
        self.lines = [canonical(e) for e in events(History.of(self.path))]

    def teardown(self, commits):
        self.folder.cleanup()

    def time_events(self, commits):
        for e in events(History.of(self.path)):
            canonical(e)

    def peakmem_events(self, commits):
        for e in events(History.of(self.path)):
            canonical(e)

    def time_dulwich(self, commits):
        """The files of each commit, and nothing else."""
        from dulwich.diff_tree import tree_changes
        from dulwich.repo import Repo

        repo = Repo(str(self.path))
        trees = [entry.commit.tree for entry in repo.get_walker(include=[repo.head()])]
        for after, before in pairwise(trees):
            list(tree_changes(repo.object_store, before, after))
        repo.close()

    def time_columns(self, commits):
        """Without compression."""
        from shgat.progressive.columnar import Encoder

        encoder = Encoder()
        for line in self.lines:
            encoder.add(line)
        encoder.columns()

    def time_gzip(self, commits):
        gzip.compress(b"\n".join(self.lines), 9)

    def time_root(self, commits):
        root_of_lines(self.lines)

    def time_pymerkle(self, commits):
        from pymerkle import InmemoryTree

        tree = InmemoryTree(algorithm="sha256")
        for line in self.lines:
            tree.append_entry(line)
        tree.get_root()


class Opened:
    """A kernel of lineages at their cap."""

    params = (2, 100)
    param_names = ("lineages",)

    def setup(self, lineages):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name)
        (self.path / "units").mkdir()
        kernel, summary = Kernel(self.path), synthetic(0)
        for i in range(lineages):
            kernel.join(summary | {"lineage": f"{i:032x}"})

    def teardown(self, lineages):
        self.folder.cleanup()

    def time_load(self, lineages):
        Kernel.load(self.path)

    def time_summaries(self, lineages):
        """All of each, unpacked and checked."""
        for _ in Kernel(self.path).summaries():
            pass
