"""Tools and capabilities as records."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import numpy as np

from .._check import as_float32, brief, number, text, texts, writable
from .._types import Float32
from ..errors import InputError

Origin = Literal["declared"] | int | tuple[str, ...] | None

_Value = TypeVar("_Value")
_ABSENT = object()
_LONG = 10**40
SHOWN, MEMBERS_SHOWN = 60, 3  # characters of a text and members in a repr


@dataclass(frozen=True, eq=False, repr=False)
class Tool:
    """A vertex.

    Attributes
    ----------
    id, text, server : identifier, name and description as the encoder saw them, MCP server
    embedding : (d,) float32, or None where the catalogue has none yet
    """

    id: str
    text: str = ""
    server: str = ""
    embedding: Float32 | None = None

    @classmethod
    def from_record(cls, record: "Tool | Mapping[str, Any]", left_out: list[str] | None = None) -> "Tool":
        """From a mapping with `id` and optional `text`, `server`, `embedding`; other keys are left alone.

        Parameters
        ----------
        left_out : None: whatever is wrong raises InputError. A list: only a bad id does; a bad field is left out and named there
        """
        given = _Fields(record, cls, left_out)
        return cls(given.id, given.string("text"), given.string("server"), given.embedding())

    def __repr__(self) -> str:
        return f"Tool({self.id!r}{_said(text=self.text, server=self.server)}{_shape(self.embedding)})"


@dataclass(frozen=True, eq=False, repr=False)
class Capability:
    """A hyperedge over tools and, in a superhypergraph, over other capabilities.

    Attributes
    ----------
    id, text : identifier and description
    tools, capabilities : ids of the direct members
    success_rate : share of successful executions, or None
    uses : number of executions behind the success rate
    embedding : (d,) float32, or None where the catalogue has none yet
    origin : "declared" where somebody wrote it down before any trace; the ids, or the number, of the traces that it was mined from; None
        where nobody said, and training looks at the traces
    """

    id: str
    text: str = ""
    tools: tuple[str, ...] = ()
    capabilities: tuple[str, ...] = ()
    success_rate: float | None = None
    uses: int = 0
    embedding: Float32 | None = field(default=None)
    origin: Origin = None

    @classmethod
    def from_record(cls, record: "Capability | Mapping[str, Any]", left_out: list[str] | None = None) -> "Capability":
        """From a mapping with `id` and optional `text`, `tools`, `capabilities`, `success_rate`, `uses`, `embedding`, `origin`.

        Parameters
        ----------
        left_out : as that of `Tool.from_record`
        """
        given = _Fields(record, cls, left_out)
        return cls(
            given.id,
            given.string("text"),
            given.members("tools"),
            given.members("capabilities"),
            given.read("success_rate", lambda rate, what: number(rate, 0.0, 1.0, what), None),
            given.read("uses", lambda uses, what: int(number(uses, 0, 2**53, what)), 0),
            given.embedding(),
            given.read("origin", _origin, None),
        )

    def __repr__(self) -> str:
        members = _said(tools=self.tools, capabilities=self.capabilities)
        rate = "" if self.success_rate is None else f", success_rate={self.success_rate:g}, uses={self.uses}"
        return f"Capability({self.id!r}{_said(text=self.text)}{members}{rate}{_shape(self.embedding)})"


class _Fields:
    """The fields of one record, read one by one: a bad one raises, or takes its default and is named in `left_out`."""

    def __init__(self, record: object, cls: type[Tool] | type[Capability], left_out: list[str] | None) -> None:
        kind = cls.__name__.lower()
        if isinstance(record, cls):  # made by hand: as unchecked as a mapping
            record = {name: value for name, value in vars(record).items() if value is not None}
        if not isinstance(record, Mapping):
            raise InputError(f"a {kind} is a record with an id, not {type(record).__name__}")
        self.record, self.kind, self.left_out = record, kind, left_out
        key = record.get("id")
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            shown = int(key) if abs(int(key)) < _LONG else "..."  # Python refuses to write the longest ones
            raise InputError(f'the id of a {kind} is a string, not the number {shown}: write "{shown}"')
        self.id = text(key, f"the id of a {kind}")

    def read(self, name: str, check: Callable[[Any, str], _Value], default: _Value) -> _Value:
        """The checked value of a field, the default where the record has none."""
        value = self.record.get(name, _ABSENT)
        if value is _ABSENT:
            return default
        try:
            return check(value, f"{self.kind} {self.id!r}: {name}")
        except InputError as error:
            self._leave_out(error)
            return default

    def string(self, name: str) -> str:
        return self.read(name, _string, "")

    def members(self, name: str) -> tuple[str, ...]:
        """Ids of members; only the bad ones among them are left out."""
        if self.left_out is None:
            return self.read(name, lambda ids, what: tuple(texts(ids, what)), ())
        return self.read(name, lambda ids, what: tuple(self._good(ids, what)), ())

    def embedding(self) -> Float32 | None:
        return self.read("embedding", _embedding, None)

    def _good(self, ids: Any, what: str) -> Iterable[str]:
        if isinstance(ids, (str, bytes)) or not isinstance(ids, Iterable):
            texts(ids, what)  # says what it is
        for i, member in enumerate(ids):
            try:
                yield text(member, f"{what}[{i}]")
            except InputError as error:
                self._leave_out(error)

    def _leave_out(self, error: InputError) -> None:
        if self.left_out is None:
            raise error
        self.left_out.append(f"{error}: left out")


def _string(value: object, what: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InputError(f"{what} is a string, not {brief(value)}")
    return writable(value, what)


def _origin(value: Any, what: str) -> Origin:
    if value is None:
        return None
    if isinstance(value, str) and value == "declared":
        return "declared"
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(number(value, 1, 2**53, what))
    if isinstance(value, (list, tuple)) and value:
        return tuple(texts(value, what))
    raise InputError(f'{what} is "declared", or the ids or the number of the traces that it was mined from, not {brief(value)}')


def _embedding(value: Any, what: str) -> Float32 | None:
    if value is None:
        return None
    if hasattr(value, "toarray"):  # a row of a sparse matrix
        value = np.asarray(value.toarray())
        value = value[0] if value.ndim == 2 and len(value) == 1 else value
    return as_float32(value, what)


def _said(**fields: str | tuple[str, ...]) -> str:
    """The fields that say something, the beginning of long ones."""
    said = []
    for name, value in fields.items():
        few = value[:SHOWN] if isinstance(value, str) else value[:MEMBERS_SHOWN]
        if value:
            said.append(f", {name}={few!r}" + "..." * (len(few) < len(value)))
    return "".join(said)


def _shape(embedding: Float32 | None) -> str:
    return "" if embedding is None else f", d={np.shape(embedding)[-1] if np.ndim(embedding) else 0}"
