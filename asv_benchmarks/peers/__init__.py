"""The same work by shgat, by NumPy and by PyTorch: one module each, with the same functions.

Every function prepares a case and returns what is timed. That all of them come to the same result is tested in
`tests/benchmarks/test_peers.py`.
"""

from importlib import import_module
from types import ModuleType


def contender(by: str) -> ModuleType:
    """The module that does the work; one whose library is absent is skipped."""
    try:
        return import_module(f"peers.by_{by}")
    except ImportError as error:
        raise NotImplementedError(f"{by}: {error}") from error
