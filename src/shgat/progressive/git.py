"""git, run on a repository that somebody else made: it reads, and the repository's configuration starts nothing.

No shell, no hooks, no pager, no file-system monitor, no prompt, no configuration of the machine or the user, no transport: objects that
a partial copy lacks are an error and are not fetched. Replacement refs and grafts are passed over, so that a history is what was hashed.
"""

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import RepositoryError

_CHUNK = 1 << 18  # bytes read at a time
_SAFE = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.commitGraph": "false",
    "core.pager": "cat",
    "log.showSignature": "false",
    "log.showRoot": "true",
    "log.mailmap": "false",
    "diff.orderFile": "/dev/null",
    "protocol.allow": "never",
}
_SHA = re.compile(r"[0-9a-f]{4,64}\Z")


def environment(**more: str) -> dict[str, str]:
    """Variables of a git that meets nobody's configuration but what is given here."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C",
        "HOME": "/nonexistent",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "true",
        "SSH_ASKPASS": "true",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_GRAFT_FILE": "/dev/null",
        "GIT_ALLOW_PROTOCOL": "none",
        **more,
    }


def options(settings: dict[str, str]) -> list[str]:
    """`-c` for each setting."""
    return [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]


def folder_of(path: Path) -> Path:
    """The git folder of a work tree, or of a bare repository. Folders above are not looked at.

    Raises
    ------
    RepositoryError
        where there is none.
    """
    try:
        if (path / ".git").exists():
            return path / ".git"
        if (path / "objects").is_dir() and (path / "HEAD").is_file():
            return path
    except (OSError, ValueError) as error:
        raise RepositoryError(f"cannot read {path}: {error}") from None
    raise RepositoryError(
        f"{path} is no git repository: expected a work tree with .git, or a bare repository with HEAD and objects"
    )


def is_sha(text: str) -> bool:
    """Could it name a commit?"""
    return bool(_SHA.match(text))


class Git:
    """git on one repository, for reading.

    Parameters
    ----------
    path : of a work tree or a bare repository
    """

    def __init__(self, path: Path) -> None:
        self.folder = folder_of(path).absolute()
        self._command = ["git", "--no-pager", *options(_SAFE)]
        self._environment = environment(GIT_DIR=str(self.folder))

    def output(self, *arguments: str) -> bytes:
        """All that a command prints."""
        return b"".join(self.stream(*arguments))

    def stream(self, *arguments: str, lines: Iterable[bytes] = ()) -> Iterator[bytes]:
        """What a command prints, piece by piece, after it was given lines on stdin.

        Raises
        ------
        RepositoryError
            where it ends with another code than 0, after the pieces that it printed before: nothing that was read of them is whole.
        """
        with tempfile.TemporaryFile() as said:
            try:
                process = subprocess.Popen(
                    [*self._command, *arguments],
                    env=self._environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    cwd="/",
                )
            except OSError as error:
                raise RepositoryError(f"cannot run git: {error.strerror}; install git 2.25 or later") from None
            with process:
                assert process.stdin is not None
                assert process.stdout is not None
                try:
                    try:
                        process.stdin.writelines(lines)
                        process.stdin.close()
                    except BrokenPipeError:  # its exit code says why
                        pass
                    while chunk := process.stdout.read1(_CHUNK):  # type: ignore[attr-defined]
                        yield chunk
                    code = process.wait()
                except BaseException:  # nobody reads on
                    process.kill()
                    raise
            if code:
                said.seek(0)
                raise RepositoryError(f"{self.folder}: git {arguments[0]} ended with {code}: {last_words(said.read())}")


def last_words(stderr: bytes) -> str:
    """The last line of what git said, of at most 200 characters that can be shown."""
    lines = [line.strip() for line in stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    return "".join(c if c.isprintable() else "?" for c in lines[-1])[:200] if lines else "without a word"
