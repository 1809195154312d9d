"""Files of ranked tools: a row for each place, or one row that says why there is none."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from .._files import replacing
from ..errors import InputError
from ..traces.parquet import arrow

ENDINGS = (".jsonl", ".parquet", ".csv")
COLUMNS = ("id", "place", "tool", "score", "probability", "error")
_GROUP = 65_536  # rows of a Parquet group


@dataclass(frozen=True)
class Ranked:
    """What came of one intent.

    Attributes
    ----------
    id : of the intent
    tools, scores : best first
    probabilities : calibrated, None where the model has none
    error : why it was not ranked, "" where it was
    """

    id: str
    tools: tuple[str, ...] = ()
    scores: tuple[float, ...] = ()
    probabilities: tuple[float, ...] | None = None
    error: str = ""

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row for each place, by `COLUMNS`; one without a place where there is none."""
        if not self.tools:
            yield dict.fromkeys(COLUMNS) | {"id": self.id, "error": self.error or None}
        for i, (tool, score) in enumerate(zip(self.tools, self.scores, strict=True)):
            probability = None if self.probabilities is None else self.probabilities[i]
            yield {"id": self.id, "place": i + 1, "tool": tool, "score": score, "probability": probability, "error": None}


def write_ranked(path: Path, ranked: Iterable[Ranked]) -> int:
    """Writes rows as they come, and returns their number; the file appears when it is whole.

    Raises
    ------
    InputError
        for a name of another ending than .jsonl, .parquet or .csv.
    """
    writers = {".jsonl": _json_lines, ".parquet": _parquet, ".csv": _csv}
    if path.suffix not in writers:
        raise InputError(f"{path.name}: the name of a file of ranked tools ends in {', '.join(ENDINGS)}")
    with replacing(path) as temporary:
        return writers[path.suffix](temporary, (row for one in ranked for row in one.rows()))


def _json_lines(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    n = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            n += 1
    return n


def _csv(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    n = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        for row in rows:
            writer.writerow(row)
            n += 1
    return n


def _parquet(path: Path, rows: Iterator[dict[str, Any]]) -> int:
    pa, pq = arrow()
    types = pa.string(), pa.int32(), pa.string(), pa.float32(), pa.float32(), pa.string()
    schema, n = pa.schema(list(zip(COLUMNS, types, strict=True))), 0
    with pq.ParquetWriter(path, schema, write_page_checksum=True) as writer:
        while group := list(islice(rows, _GROUP)):
            writer.write_table(pa.Table.from_pylist(group, schema))
            n += len(group)
    return n
