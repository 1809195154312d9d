"""A table that keeps its columns, its headers and its ids whole at every width: where they do not fit side by side, each row stands alone."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderResult
    from rich.table import Table
    from rich.text import Text

_BETWEEN = 3  # characters of a border and its blanks, for each column
_PROSE = 24  # characters below which prose is not squeezed
_INDENT = 2


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes
    ----------
    name : its header, "" for none
    justify : of its cells
    prose : may its cells be wrapped between words? Ids and figures may not
    """

    name: str
    justify: Literal["left", "right"] = "left"
    prose: bool = False

    def least(self, cells: list[str]) -> int:
        """Characters that it needs: a whole line, or of prose a whole word and a few more."""
        header = max(map(cell_len, self.name.split()), default=0)
        lines = [line for cell in cells for line in cell.splitlines()]
        if not self.prose:
            return max(header, *map(cell_len, lines), 0) if lines else header
        words = max((cell_len(word) for line in lines for word in line.split()), default=0)
        return max(header, words, min(_PROSE, self.most(cells)))

    def most(self, cells: list[str]) -> int:
        """Characters that it can use."""
        return max(map(cell_len, (self.name, *(line for cell in cells for line in cell.splitlines()))))


@dataclass(eq=False)
class Grid:
    """Rows and columns of text; `rich` prints it.

    Attributes
    ----------
    title, caption : above and below, wrapped between words
    ruled : a line between rows
    columns, rows : what was added; None among the rows is a line
    """

    title: str = ""
    caption: str = ""
    ruled: bool = False
    columns: list[Column] = field(default_factory=list)
    rows: list[tuple[str, ...] | None] = field(default_factory=list)

    def add_column(self, name: str, justify: Literal["left", "right"] = "left", *, prose: bool = False) -> None:
        """One more column, see `Column`."""
        self.columns.append(Column(name, justify, prose))

    def add_row(self, *cells: str) -> None:
        """One more row, with a cell for each column."""
        self.rows.append(cells)

    def add_section(self) -> None:
        """A line below the last row."""
        self.rows.append(None)

    def widths(self, room: int) -> list[int] | None:
        """Characters of each column in a table of at most `room`; None where the columns do not fit side by side."""
        cells = [[row[i] for row in self.rows if row is not None] for i in range(len(self.columns))]
        widths = [c.least(below) for c, below in zip(self.columns, cells, strict=True)]
        left = room - sum(widths) - _BETWEEN * len(widths) - 1
        if left < 0:
            return None
        wishes = [c.most(below) - width for c, below, width in zip(self.columns, cells, widths, strict=True)]
        for waiting, i in enumerate(sorted(range(len(widths)), key=wishes.__getitem__)):
            given = min(wishes[i], left // (len(widths) - waiting))
            widths[i] += given
            left -= given
        return widths

    def __rich_console__(self, console: "Console", options: "ConsoleOptions") -> "RenderResult":
        widths = self.widths(options.max_width)
        yield from _lines(wrapped(self.title, options.max_width) if self.title else [], "italic")
        if widths is not None:
            yield self._table(widths)
        else:
            yield from _lines(self._blocks(options.max_width))
        yield from _lines(wrapped(self.caption, options.max_width) if self.caption else [], "dim italic")

    def _table(self, widths: list[int]) -> "Table":
        from rich.table import Table

        table = Table(show_header=any(c.name for c in self.columns), show_lines=self.ruled)
        for column, width in zip(self.columns, widths, strict=True):
            header = "\n".join(wrapped(column.name, width))
            table.add_column(header, justify=column.justify, width=width, no_wrap=not column.prose)
        for row in self.rows:
            if row is None:
                table.add_section()
            else:
                table.add_row(*row)
        return table

    def _blocks(self, room: int) -> Iterator[str]:
        """Each row as lines "header  cell"; a cell that does not fit beside its header stands below it, unbroken."""
        head = max((cell_len(c.name) for c in self.columns), default=0)
        beside = room - head - _INDENT
        yield "─" * room
        for row in self.rows:
            for column, cell in zip(self.columns, row or (), strict=False):
                lines = [part for line in cell.splitlines() for part in (wrapped(line, beside) if column.prose else [line])]
                if any(cell_len(line) > beside for line in lines):
                    yield column.name
                    yield from (" " * _INDENT + line.strip() for line in lines)
                elif any(line.strip() for line in lines):
                    first = column.name + " " * (head - cell_len(column.name) + _INDENT)
                    yield from (start + line for start, line in zip([first, *[" " * len(first)] * len(lines)], lines, strict=False))
            yield "─" * room


def wrapped(text: str, room: int) -> list[str]:
    """The lines of a text, broken between words where they are longer than `room` characters; a word that is longer stays whole."""
    lines = []
    for line in text.split("\n"):
        indent = line[: len(line) - len(line.lstrip())]
        lines.append(indent)
        for word in line.split():
            if lines[-1].strip() and cell_len(lines[-1]) + 1 + cell_len(word) > room:
                lines.append(indent)
            lines[-1] += (" " if lines[-1].strip() else "") + word
    return lines


def _lines(lines: Iterable[str], style: str = "") -> "Iterator[Text]":
    from rich.text import Text

    return (Text(line, style, no_wrap=True, overflow="ignore") for line in lines)
