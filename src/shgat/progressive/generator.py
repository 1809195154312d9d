"""Repositories with a planted structure, the same bytes for the same plan: what there is to find in them is known.

Groups of files change together, a commit now and then is reverted, renamed, merged or touches everything, the first group is replaced by
another half-way, and names, messages and dates are as bad as git lets them be.
"""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from .._check import positive_integer, seed
from ..errors import RepositoryError
from .git import environment, last_words

BAD_NAMES = (
    b"tab\there.py",
    b"line\nfeed.py",
    b"pipe|d.py",
    b'quote"d.py',
    b"back\\slash.py",
    b"lat\xefn-1.py",
    "\u00e9.py".encode(),
    "e\u0301.py".encode(),
    b"CASE.py",
    b"case.py",
    b":colon.py",
    b"- dash.py",
)
BAD_MESSAGES = (b"", b"caf\xe9", b"carriage\rreturn\r\n", b"\n\n  led by blanks\n", b"x" * 3000, "naïve 音 🎯".encode(), b"a\\xe9b")
_START = 1_500_000_000  # seconds since 1970
_KINDS = ("add support for {}", "fix {} (fix #{n})", "refactor {}", "test: {} is covered", "doc: explain {}", "update {}")


@dataclass(frozen=True)
class Plan:
    """What is planted.

    Attributes
    ----------
    seed : of all draws
    commits : without merges
    groups, size : how many sets of files change together, and files of each
    adversarial : bad names, messages and dates too
    sha256 : ids of 64 digits
    """

    seed: int = 0
    commits: int = 60
    groups: int = 5
    size: int = 3
    adversarial: bool = True
    sha256: bool = False

    def __post_init__(self) -> None:
        seed(self.seed)
        for name in ("commits", "groups", "size"):
            positive_integer(getattr(self, name), name)


@dataclass
class Planted:
    """What is in a repository that was made.

    Attributes
    ----------
    path : a bare repository
    groups : files that change together; the last one takes the first one's place half-way
    reverted : positions of commits that are taken back, in the order of the stream
    renamed : old path -> new path
    commits : in all, with merges
    """

    path: Path
    groups: list[list[str]]
    reverted: list[int] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    commits: int = 0


class _Stream:
    """A stream for `git fast-import`."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.mark = 0

    def commit(
        self,
        message: bytes,
        when: int,
        author: int,
        files: dict[bytes, bytes],
        gone: bytes = b"",
        *,
        merge: int = 0,
        parent: int = 0,
    ) -> int:
        """The mark of one more commit, on the one before it where no parent is given."""
        self.mark += 1
        who = b"Author %d <a%d@example.org> %d +0000" % (author, author, when)
        self.parts.append(b"commit refs/heads/main\nmark :%d\nauthor %b\ncommitter %b\n" % (self.mark, who, who))
        self.parts.append(b"data %d\n%b\n" % (len(message), message))
        if parent or self.mark > 1:
            self.parts.append(b"from :%d\n" % (parent or self.mark - 1))
        if merge:
            self.parts.append(b"merge :%d\n" % merge)
        if gone:
            self.parts.append(b"D %b\n" % _quoted(gone))
        for path, content in files.items():
            self.parts.append(b"M 100644 inline %b\ndata %d\n%b\n" % (_quoted(path), len(content), content))
        self.parts.append(b"\n")
        return self.mark


def _quoted(path: bytes) -> bytes:
    return b'"' + path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def make(path: Path, plan: Plan) -> Planted:
    """Makes the bare repository of a plan.

    Raises
    ------
    RepositoryError
        where git cannot.
    """
    stream, planted = _planned(path, plan)
    variables = environment(GIT_DIR=str(path.absolute()))
    kind = ["--object-format=sha256"] if plan.sha256 else []
    _run(["git", "init", "-q", "--bare", "--template=", "--initial-branch=main", *kind], variables, b"")
    _run(["git", "fast-import", "--quiet", "--date-format=raw-permissive"], variables, stream)
    return planted


def _run(command: list[str], variables: dict[str, str], given: bytes) -> None:
    done = subprocess.run(command, env=variables, input=given, capture_output=True, check=False)
    if done.returncode:
        raise RepositoryError(f"{' '.join(command[:2])} ended with {done.returncode}: {last_words(done.stderr)}")


def _planned(path: Path, plan: Plan) -> tuple[bytes, Planted]:
    rng = np.random.default_rng(plan.seed)
    groups = [[f"pkg{g}/part{i}.py" for i in range(plan.size - 1)] + [f"tests/test_pkg{g}.py"] for g in range(plan.groups + 1)]
    planted, stream, when = Planted(path, groups), _Stream(), _START + plan.seed
    content: dict[bytes, bytes] = {}
    stream.commit(b"first", when, 0, {name.encode(): b"0" for group in groups[:-1] for name in group})
    n = 1
    while n < plan.commits:
        when += int(rng.integers(60, 20_000))
        chosen = int(rng.integers(plan.groups))
        if chosen == 0 and n > plan.commits // 2:
            chosen = plan.groups  # drift
        files = {name.encode(): b"%d" % n for name in groups[chosen] if rng.random() < 0.95}
        message = _KINDS[int(rng.integers(len(_KINDS)))].format(f"pkg{chosen}", n=n).encode()
        draw = rng.random()
        if plan.adversarial and draw < 0.25:
            message = BAD_MESSAGES[n % len(BAD_MESSAGES)]
            files[b"odd/" + BAD_NAMES[n % len(BAD_NAMES)]] = b"%d" % n
        at = when if not plan.adversarial or draw > 0.04 else (0, 2**31, 4_102_444_800, when - 10**6)[n % 4]
        before = {name: content.get(name, b"0") for name in files}
        mark = stream.commit(message, at, int(rng.integers(3)), files)
        content.update(files)
        n += 1
        if files and draw > 0.93:
            planted.reverted.append(mark - 1)
            stream.commit(b'Revert "%b"\n\nThis reverts commit :%d.' % (message[:40], mark), when + 60, 0, before)
            content.update(before)
            n += 1
        elif 0.9 < draw <= 0.93 and f"moved{n}/x.py" not in planted.renamed.values():
            old = f"solo{n}.py"
            stream.commit(b"add a file", when + 60, 1, {old.encode(): b"solo %d" % n})
            stream.commit(b"move it", when + 120, 1, {f"moved{n}/x.py".encode(): b"solo %d" % n}, old.encode())
            planted.renamed[old] = f"moved{n}/x.py"
            n += 2
        elif 0.86 < draw <= 0.9:
            side = stream.commit(b"on a branch", when + 60, 2, {b"side/%d.py" % n: b"%d" % n}, parent=stream.mark)
            other = stream.commit(b"beside it", when + 90, 2, {b"side/other.py": b"%d" % n}, parent=side - 1)
            stream.commit(b"Merge branch", when + 120, 2, {b"side/%d.py" % n: b"%d" % n}, merge=side, parent=other)
            n += 2
    planted.commits = stream.mark
    return b"".join(stream.parts), planted
