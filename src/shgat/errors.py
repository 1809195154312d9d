"""The errors that shgat raises on purpose.

    ShgatError
    |- InputError (ValueError)      an argument or an item of input is wrong: what was expected, what came, which id
    |  |- CatalogError              a catalogue: duplicate or unknown ids, a membership cycle, bad embeddings
    |  `- TraceError                a trace: unknown tools, an outcome outside [0, 1], a bad embedding
    |- ModelFileError               a model, parameter or checkpoint file: torn, altered, or of another catalogue
    |- StoreError                   the store cannot be reached, is locked, or holds something torn
    |  |- ConflictError             somebody else was faster
    |  |- DamagedError              what was read from the store is not what was written
    |  `- StoreURLError             it can never work as it is configured: nothing to wait for
    |     `- DimensionError         it holds embeddings of another dimension
    |- EncoderError                 an encoder cannot be opened, failed, took too long, or gave no vectors
    |- WorkerError                  a training child failed, timed out or broke the protocol
    |- TrackingError                a run cannot be kept, or found
    |- RepositoryError              a repository cannot be read or cloned
    |- WorkspaceError               a workspace of progressive training cannot be used as it is
    |  |- CorruptError              what it holds is not what was written; the message says where
    |  |- BusyError                 another process is at it
    |  `- QuotaError                it would outgrow its quota
    |- RefusedError                 the gate says that a version may not serve; the message has its figures
    |- RemoteError                  a server refused a request, or did not answer
    `- MissingExtraError            an optional dependency is not installed; the message says which extra to install

The command line turns each of them into one line on stderr and exit code 1.
"""

_LONGEST, _HEAD, _TAIL = 800, 500, 250  # characters of a message


class ShgatError(Exception):
    """Base of every error that shgat raises on purpose. A message with something huge in it is cut in the middle."""

    def __init__(self, message: object = "") -> None:
        super().__init__(_bounded(str(message)))


class InputError(ShgatError, ValueError):
    """An argument or an item of input is wrong."""


class CatalogError(InputError):
    """A catalogue does not hold together. `faults` lists every fault that was found, one sentence each."""

    def __init__(self, faults: "str | list[str]") -> None:
        self.faults = [_bounded(fault) for fault in ([faults] if isinstance(faults, str) else faults)]
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(self.faults[0] + more)


class TraceError(InputError):
    """A trace cannot be used. `session` is the (principal, session) that it is a step of, None where it is of none, or not known."""

    session: tuple[str, str] | None = None


class ModelFileError(ShgatError):
    """A model, parameter or checkpoint file is torn, altered, or belongs to another catalogue."""


class StoreError(ShgatError):
    """The store cannot be reached, is locked, or holds something torn."""


class TrackingError(ShgatError):
    """A run of an experiment cannot be kept, or there is none."""


class RepositoryError(ShgatError):
    """A repository cannot be read or cloned."""


class WorkspaceError(ShgatError):
    """A workspace of progressive training cannot be used as it is."""


class CorruptError(WorkspaceError):
    """What a workspace holds is not what was written to it."""


class BusyError(WorkspaceError):
    """Another process is at the workspace."""


class QuotaError(WorkspaceError):
    """A workspace would outgrow its quota."""


class StoreURLError(StoreError):
    """A store that can never work as it is configured: a URL that is none, a folder that is missing, a wrong password."""


class ConflictError(StoreError):
    """What was to be changed is not any more what it was: somebody else was faster."""


class DamagedError(StoreError):
    """What was read from the store is not what was written."""


class DimensionError(StoreURLError):
    """The store holds embeddings of another dimension."""


class EncoderError(ShgatError):
    """An encoder cannot be opened, failed, took too long, or gave something that is no vector."""


class WorkerError(ShgatError):
    """A training child failed, timed out or broke the protocol."""


class RefusedError(ShgatError):
    """The gate says that a version may not serve."""


class RemoteError(ShgatError):
    """A server refused a request, or did not answer.

    Attributes
    ----------
    status : of its answer, 0 where there was none
    kind : of the problem, as "unauthorised" or "invalid"; "unreachable" where there was no answer
    request_id : under which the server's log has it, "" where nobody said
    """

    def __init__(self, message: str, status: int = 0, kind: str = "unreachable", request_id: str = "") -> None:
        super().__init__(message)
        self.status, self.kind, self.request_id = status, kind, request_id


class MissingExtraError(ShgatError, ImportError):
    """An optional dependency is not installed.

    Parameters
    ----------
    module : that could not be imported
    extra : of shgat, which brings it
    """

    def __init__(self, module: str, extra: str) -> None:
        packages = " ".join(f"'{requirement}'" for requirement in _absent(extra)) or module
        super().__init__(f"{module} is not installed; run: pip install {packages} (in a clone of shgat: pip install '.[{extra}]')")


def _absent(extra: str) -> list[str]:
    """The requirements of an extra whose packages are not there: their own names, which every index knows."""
    import re
    from importlib import metadata

    try:
        requirements = metadata.requires("shgat") or []
    except metadata.PackageNotFoundError:  # on the path, but not installed
        return []
    absent = []
    for requirement in requirements:
        wanted, _, marker = requirement.partition(";")
        if extra in re.findall(r"[\w-]+", marker):
            try:
                metadata.distribution(re.findall(r"[\w.-]+", wanted)[0])
            except metadata.PackageNotFoundError:
                absent.append(wanted.strip())
    return absent


def _bounded(message: str) -> str:
    return message if len(message) <= _LONGEST else f"{message[:_HEAD]} [...] {message[-_TAIL:]}"
