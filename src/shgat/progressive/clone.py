"""Clones that cannot take more than they were given, wait for nobody, and start nothing."""

import ctypes
import os
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from ..errors import QuotaError, RepositoryError
from .corpus import SCHEMES
from .git import environment, last_words, options
from .quota import BLOCK, taken

_POLL = 0.05  # seconds
_SMALL_FILES = 16 * BLOCK  # bytes of a clone beside its pack and the index of that
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "credential.helper": "",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "transfer.unpackLimit": "1",  # one pack, and no loose object
    "transfer.bundleURI": "false",
    "pack.writeReverseIndex": "false",
    "submodule.recurse": "false",
    "advice.detachedHead": "false",
}
_PR_SET_PDEATHSIG = 1


def child_setup(most: int) -> Callable[[], None]:
    """For a child before it becomes git: no file of it may be larger than `most` bytes, and it ends with its parent."""
    libc, parent = ctypes.CDLL(None), os.getpid()

    def setup() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # so that git says why
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before that
            os._exit(1)

    return setup


def clone(place: str, target: Path, most: int, timeout: float) -> None:
    """Clones a URL, without the contents of files where the server can leave them out.

    A clone is one pack and its index, and no file of it may be larger than half of `most`, so the two together never take more, however
    fast they grow; a watcher ends it where anything else does.

    Parameters
    ----------
    place : a URL of `SCHEMES`
    target : the folder that it makes; on an error nothing of it stays
    most : bytes that it may take
    timeout : seconds

    Raises
    ------
    QuotaError
        where it would take more.
    RepositoryError
        where it cannot be reached, asks for a password or takes too long.
    """
    target = target.absolute()
    file_size = (most - _SMALL_FILES) // 2
    if file_size < BLOCK:
        raise QuotaError(f"there are {most} bytes for a clone, which is less than the smallest needs")
    command = ["git", *options(_SETTINGS), "clone", "--quiet", "--bare", "--filter=blob:none", "--single-branch", "--no-tags"]
    command += ["--template=", "--", place, str(target)]
    variables = environment(GIT_ALLOW_PROTOCOL=":".join(SCHEMES))
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            cwd="/",
            start_new_session=True,
            preexec_fn=child_setup(file_size),  # noqa: PLW1509 - whoever clones has one thread
        )
        try:
            why = _watched(process, target, most, timeout)
        finally:
            _end(process)
        said.seek(0)
        words = said.read()
    if why is None and process.returncode == 0:
        return
    large = b"File too large" in words
    shutil.rmtree(target, ignore_errors=True)
    if why is None and large:
        why = QuotaError(f"a clone of it takes more than the {most} bytes that the quota has for it")
    raise why or RepositoryError(f"git clone ended with {process.returncode}: {last_words(words)}")


def _watched(process: "subprocess.Popen[bytes]", target: Path, most: int, timeout: float) -> Exception | None:
    """Waits for the end of a clone; why it has to be ended before."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            process.wait(_POLL)
            return None
        except subprocess.TimeoutExpired:
            if taken(target) > most:
                return QuotaError(f"a clone of it takes more than the {most} bytes that the quota has for it")
            if time.monotonic() > deadline:
                return RepositoryError(f"git clone took more than {timeout:g} s")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Ends git and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def reachable(place: str, timeout: float) -> str:
    """Why a URL cannot be read, "" where it can."""
    command = ["git", *options(_SETTINGS), "ls-remote", "--quiet", "--exit-code", "--", place, "HEAD"]
    try:
        done = subprocess.run(
            command,
            env=environment(GIT_ALLOW_PROTOCOL=":".join(SCHEMES)),
            capture_output=True,
            check=False,
            timeout=timeout,
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return f"no answer in {timeout:g} s"
    return "" if done.returncode == 0 else last_words(done.stderr) if done.stderr else "it has no HEAD"
