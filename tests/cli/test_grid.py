"""A table loses no column, no row and no part of an id at any width."""

from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from shgat.cli.grid import Column, Grid

words = st.text("abcdefghij_.-", min_size=1, max_size=30)
cells = st.lists(words, max_size=3).map("\n".join)
prose = st.lists(words, max_size=12).map(" ".join)


def printed(grid, width, colour=False):
    out = StringIO()
    Console(file=out, width=width, force_terminal=colour, no_color=not colour, highlight=False, markup=False, emoji=False).print(
        grid, crop=False
    )
    return out.getvalue()


@st.composite
def grids(draw):
    kinds = draw(st.lists(st.booleans(), min_size=1, max_size=8))
    grid = Grid(draw(prose), draw(prose), ruled=draw(st.booleans()))
    for i, is_prose in enumerate(kinds):
        grid.add_column(f"head{i} {draw(words)}", draw(st.sampled_from(["left", "right"])), prose=is_prose)
    for _ in range(draw(st.integers(0, 4))):
        grid.add_row(*(draw(prose if is_prose else cells) for is_prose in kinds))
        if draw(st.booleans()):
            grid.add_section()
    return grid


@given(grids(), st.integers(20, 200))
def test_every_word_of_every_cell_header_and_title_is_whole_at_every_width(grid, width):
    text = printed(grid, width)
    lines = text.split("\n")
    found = set(text.replace("│", " ").replace("┃", " ").split())
    rows = [row for row in grid.rows if row is not None]
    apart = grid.widths(width) is None  # then a header stands with each of its cells, and nowhere where there is none
    shown = [c for i, c in enumerate(grid.columns) if not apart or any(row[i].strip() for row in rows)]
    assert {word for c in shown for word in c.name.split()} <= found
    for row in rows:
        for column, cell in zip(grid.columns, row, strict=True):
            if column.prose:
                assert set(cell.split()) <= found
            else:
                assert all(any(line in shown for shown in lines) for line in cell.split("\n"))
    assert set(grid.title.split()) | set(grid.caption.split()) <= found


@given(grids(), st.integers(20, 200))
def test_no_line_is_longer_than_the_screen_but_for_an_id_that_is(grid, width):
    longest = max([0, *(cell_len(word) for row in grid.rows if row for cell in row for word in cell.split())])
    longest = max(longest, *(cell_len(w) for w in (*grid.title.split(), *grid.caption.split(), *(c.name for c in grid.columns))))
    for line in printed(grid, width).split("\n"):
        assert cell_len(line.rstrip()) <= max(width, longest + 2)


@given(grids(), st.integers(20, 200))
def test_colour_changes_no_character(grid, width):
    import re

    assert re.sub(r"\x1b\[[0-9;]*m", "", printed(grid, width, colour=True)) == printed(grid, width)


@given(grids(), st.integers(1, 300))
def test_a_table_is_no_wider_than_its_room(grid, room):
    widths = grid.widths(room)
    if widths is not None:
        assert sum(widths) + 3 * len(widths) + 1 <= room
        for i, (column, width) in enumerate(zip(grid.columns, widths, strict=True)):
            below = [row[i] for row in grid.rows if row is not None]
            assert column.least(below) <= width <= max(column.most(below), column.least(below))


def test_where_there_is_no_room_each_row_stands_alone():
    grid = Grid("a title", "a caption")
    grid.add_column("tool")
    grid.add_column("what it does", prose=True)
    grid.add_row("mail.send_message", "sends a message to one or more people")
    assert printed(grid, 80).count("mail.send_message ") == 1
    assert printed(grid, 30).split("\n") == [
        "a title",
        "─" * 30,
        "tool",
        "  mail.send_message",
        "what it does  sends a message",
        "              to one or more",
        "              people",
        "─" * 30,
        "a caption",
        "",
    ]


@pytest.mark.parametrize("text", ["漢字かな", "é́", "🙂🙂"])
def test_wide_characters_count_as_they_are_drawn(text):
    assert Column("").most([text]) == cell_len(text)
