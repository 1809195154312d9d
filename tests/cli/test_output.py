"""What commands print: whole rows for pipes, text as it stands, one line where one was promised."""

import numpy as np
import orjson
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from shgat.cli import output


@given(st.text(), st.integers(1, 40))
def test_a_shortened_text_is_one_line_of_at_most_so_many_characters(text, width):
    short = output.shorten(text, width)
    assert len(short) <= width
    assert len(short.splitlines()) <= 1
    whole = " ".join(text.split())
    assert short == whole or (short.endswith("…") and whole.startswith(short[:-1]))


def test_a_row_stays_whole_in_a_pipe(capsys):
    grid = Table()
    for name in ("a", "b"):
        grid.add_column(name)
    grid.add_row("x" * 70, "y" * 70)
    output.write(grid)
    assert any("x" * 70 in line and "y" * 70 in line for line in capsys.readouterr().out.splitlines())


def test_text_is_not_read_as_markup(capsys):
    output.write("[bold]mail.send[/] :smile: 12")
    assert capsys.readouterr().out == "[bold]mail.send[/] :smile: 12\n"


def test_json_takes_arrays_and_goes_to_stdout_and_notes_to_stderr(capsys):
    output.write_json({"scores": np.arange(3, dtype=np.float32)})
    output.note("half way")
    out, err = capsys.readouterr()
    assert orjson.loads(out) == {"scores": [0.0, 1.0, 2.0]}
    assert err == "half way\n"
