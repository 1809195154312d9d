"""The column types of embeddings: little-endian bytes on SQLite, a pgvector column on PostgreSQL.

On SQLite a vector that float16 holds exactly is kept as float16 and one more byte, which makes its length odd; any other as float32.

On PostgreSQL both directions are binary: a value goes out in the format of `vector_recv` and a column comes back through
`vector_send` (dimension and zero as two big-endian int16, then big-endian float32), as exact as pgvector's text form and
several times faster.
"""

from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Dialect, LargeBinary, func
from sqlalchemy.dialects.postgresql.base import ischema_names
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from .._types import Float32
from ..errors import DamagedError

_HEADER = 4  # bytes before the floats in pgvector's binary format
_HALF = b"h"  # after a vector of float16


class Wire(bytes):
    """A vector in pgvector's binary format. A type of its own, so that psycopg does not send it as bytea."""

    __slots__ = ()


class Blob(TypeDecorator[Float32]):
    """(d,) float32 as bytes, exactly."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Float32 | None, dialect: Dialect) -> bytes | None:
        if value is None:
            return None
        with np.errstate(over="ignore"):  # infinity differs from what it was made of
            half = value.astype("<f2")
        exact = bool((half == value).all())
        return half.tobytes() + _HALF if exact else np.ascontiguousarray(value, dtype="<f4").tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Float32 | None:
        if value is None:
            return None
        if isinstance(value, bytes) and len(value) % 2 and value.endswith(_HALF):
            wide = np.frombuffer(value, dtype="<f2", count=len(value) // 2).astype(np.float32)
            wide.flags.writeable = False
            return wide
        if not isinstance(value, bytes) or len(value) % 4:
            raise DamagedError(
                f"a stored embedding is torn: {len(value)} bytes are no float32 vector; remove its row or import it again"
            )
        return np.frombuffer(value, dtype="<f4")


class Vector(UserDefinedType[Float32]):
    """(d,) float32 as a column of the server's pgvector."""

    cache_ok = True

    def __init__(self, dimension: int | None = None) -> None:
        self.dimension = dimension

    def get_col_spec(self, **_: Any) -> str:
        return "VECTOR" if self.dimension is None else f"VECTOR({self.dimension})"

    def bind_processor(self, dialect: Dialect) -> Any:
        def process(value: Float32 | None) -> Wire | None:
            if value is None:
                return None
            return Wire(len(value).to_bytes(2, "big") + b"\0\0" + value.astype(">f4").tobytes())

        return process

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        def process(value: bytes | None) -> Float32 | None:
            if value is None:
                return None
            floats = np.frombuffer(value, dtype=">f4", offset=_HEADER).astype(np.float32)
            floats.flags.writeable = False
            return floats

        return process

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.vector_send(column, type_=self)


ischema_names["vector"] = Vector  # what a server's column is called, to who looks at its schema


def embedding_type(dimension: int | None = None) -> TypeEngine[Any]:
    """The type of an embedding column; the dimension is needed where a column is created, never where it is used."""
    return Blob().with_variant(Vector(dimension), "postgresql")
