"""`headgate backtest series`: scores and alarms of one series in a file, as they would have been live."""

import sys
import time
from pathlib import Path

import click

from schemas import policy
from schemas.errors import HeadgateError, PolicyError
from schemas.thresholds import Series
from streams.backtest.series import MAX_DRAWN, Summary, run
from streams.ledger.genesis import read_document
from streams.settings import DEPLOY
from streams.view.rendering import clean, emit, table

_IN = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.Path(path_type=Path, dir_okay=False)
_DRAWN = (".png", ".svg", ".html")


@click.command(name="series")
@click.argument("file", type=_IN)
@click.option("--time", "at", default="timestamp", show_default=True, help="Column of the time.")
@click.option("--value", default="value", show_default=True, help="Column of the value.")
@click.option("--out", type=_OUT, help="Write timestamp, value, score and alarm (0 or 1) of every row to this CSV.")
@click.option("--plot", type=_OUT, help="Draw the series and its alarms to this PNG, SVG or HTML file.")
@click.option("--policy", "chosen", type=_IN, help="Judge under this policy; by default the one deployed.")
@click.option("--json", "as_json", is_flag=True, help="The summary as JSON.")
def command(
    file: Path, at: str, value: str, out: Path | None, plot: Path | None, chosen: Path | None, *, as_json: bool
) -> None:
    r"""Judge the series in FILE, CSV (also .gz) with a header line, or Parquet, row by row.

    Each row is judged by the rows before it alone, as a metric in telemetry is. A score is -log10 of a tail
    probability and means the same in every file; a row that is no number is skipped, with the score 0.

    \b
    Examples:
      headgate backtest series cpu.csv --time timestamp --value value --out scores.csv
      headgate backtest series cpu.parquet --time at --value load --json --plot cpu.png
    """
    if plot is not None and plot.suffix not in _DRAWN:
        raise click.UsageError(f"--plot writes {', '.join(_DRAWN)}, not {plot.suffix or 'a file without an ending'}.")
    began = time.monotonic()
    found = run(file, (at, value), _judge(chosen), out, _Progress(), keep=plot is not None)
    if sys.stderr.isatty():
        click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
    if plot is not None:
        from streams.backtest.series_plot import draw

        draw(plot, found.drawn, found.threshold, file.name)
        beyond = f" (its first {MAX_DRAWN:,} rows)" if found.rows > MAX_DRAWN else ""
        click.echo(f"drawn to {plot}{beyond}", err=True)
    click.echo(f"{found.rows} rows in {time.monotonic() - began:.1f} s", err=True)
    _say(found, as_json=as_json)


def _judge(chosen: Path | None) -> Series:
    path = chosen or DEPLOY / "policy.toml"
    try:
        return policy.read(read_document(path), str(path)).detection.series
    except PolicyError as error:
        raise HeadgateError(str(error)) from None


class _Progress:
    """Says on a terminal, once a second, how many rows are judged."""

    def __init__(self) -> None:
        self._last = time.monotonic()

    def __call__(self, rows: int) -> None:
        """Take note of the rows judged so far."""
        if sys.stderr.isatty() and time.monotonic() - self._last > 1.0:
            self._last = time.monotonic()
            click.echo(f"\r{rows} rows judged", nl=False, err=True)


def _say(found: Summary, *, as_json: bool) -> None:
    if as_json:
        emit(
            {
                "rows": found.rows,
                "skipped": found.skipped,
                "threshold": found.threshold,
                "alarms": found.alarms,
                "first_alarms": found.first,
            }
        )
        return
    rows = [[str(a["row"]), clean(a["timestamp"] or ""), f"{a['value']:.6g}", f"{a['score']:.2f}"] for a in found.first]
    table(("row", "timestamp", "value", "score"), rows, "no row alarms")
    click.echo(f"\n{found.alarms} alarms (score {found.threshold:.2f} or more) in {found.rows} rows", nl=False)
    click.echo(f"; {found.skipped} rows are no numbers" if found.skipped else "")
