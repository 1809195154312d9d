"""The errors that shgat raises on purpose.

    ShgatError
    |- InputError (ValueError)      an argument or an item of input is wrong: what was expected, what came, which id
    |  |- CatalogError              a catalogue: duplicate or unknown ids, a membership cycle, bad embeddings
    |  `- TraceError                a trace: unknown tools, an outcome outside [0, 1], a bad embedding
    |- ModelFileError               a model, parameter or checkpoint file: torn, altered, or of another catalogue
    |- StoreError                   the store cannot be reached, is locked, or holds something torn
    |  |- DamagedError              what was read from the store is not what was written
    |  `- DimensionError            the store holds embeddings of another dimension, which no retry changes
    |- WorkerError                  a training child failed, timed out or broke the protocol
    `- MissingExtraError            an optional dependency is not installed; the message says which extra to install

The command line turns each of them into one line on stderr and exit code 1.
"""


class ShgatError(Exception):
    """Base of every error that shgat raises on purpose."""


class InputError(ShgatError, ValueError):
    """An argument or an item of input is wrong."""


class CatalogError(InputError):
    """A catalogue does not hold together. `faults` lists every fault that was found, one sentence each."""

    def __init__(self, faults: "str | list[str]") -> None:
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        more = f" (and {len(self.faults) - 1} more)" if len(self.faults) > 1 else ""
        super().__init__(self.faults[0] + more)


class TraceError(InputError):
    """A trace cannot be used."""


class ModelFileError(ShgatError):
    """A model, parameter or checkpoint file is torn, altered, or belongs to another catalogue."""


class StoreError(ShgatError):
    """The store cannot be reached, is locked, or holds something torn."""


class DamagedError(StoreError):
    """What was read from the store is not what was written."""


class DimensionError(StoreError):
    """The store holds embeddings of another dimension."""


class WorkerError(ShgatError):
    """A training child failed, timed out or broke the protocol."""


class MissingExtraError(ShgatError, ImportError):
    """An optional dependency is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        super().__init__(f"{module} is not installed; run: pip install 'shgat[{extra}]'")
