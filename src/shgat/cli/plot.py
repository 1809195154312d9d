"""`shgat plot`: pictures of a trained model."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 120


def plot(
    model: Annotated[Path, typer.Argument(metavar="MODEL", exists=True, dir_okay=False, help="A trained model.")],
    out: Annotated[Path, typer.Option(metavar="DIR|FILE.png", help="A folder for one PNG each, or one file for all.")] = Path(),
) -> None:
    """Draw loss, validation, channel weights, heads and attention of a trained model as PNG."""
    from ..reports.figures import draw, draw_sheet
    from ..shgat import SHGAT
    from . import output

    loaded = SHGAT.load(model)
    if out.suffix == ".png":
        figures = {out: draw_sheet(loaded)}
    else:
        figures = {out / f"{name}.png": figure for name, figure in draw(loaded).items()}
        out.mkdir(parents=True, exist_ok=True)
    for path, figure in figures.items():
        _write(path, figure)
        output.write_lines(str(path))


def write_svg(path: Path, figure: "Figure") -> None:
    """The same bytes for the same figure."""
    import matplotlib

    from .._files import write_atomically

    svg = BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": "shgat"}):
        figure.savefig(svg, format="svg", metadata={"Date": None})
    write_atomically(path, svg.getvalue())


def _write(path: Path, figure: "Figure") -> None:
    from .._files import write_atomically

    png = BytesIO()
    figure.savefig(png, format="png", dpi=_DPI)
    write_atomically(path, png.getvalue())
