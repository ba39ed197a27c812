"""`headgate backtest`: what would have been raised over a table or a stretch of a topic, and under another policy."""

import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from schemas import documents, policy, systems
from schemas.errors import HeadgateError, PolicyError, SchemaError
from schemas.systems import Systems
from schemas.values import Mode
from streams.backtest import report
from streams.backtest.layout import Layout
from streams.backtest.trial import Judged, Trial
from streams.ledger.genesis import read_document
from streams.settings import DEPLOY, Settings
from streams.view.rendering import emit, table, when

_File = click.Path(path_type=Path, exists=True, dir_okay=False)
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_POLICY = click.option("--policy", "chosen", type=_File, help="Judge under this policy; by default the one deployed.")
_COMPARE = click.option("--compare", type=_File, help="Say what this policy would have done differently.")
_SYSTEMS = click.option("--systems", "watched", type=_File, help="Systems document: tiers for the severity.")
_PLOT = click.option("--plot", type=click.Path(path_type=Path, dir_okay=False), help="Draw OUT.png or OUT.html.")
_KNOWN = click.option(
    "--known",
    multiple=True,
    metavar="FROM[..TO]",
    help="When something is known to have been wrong, as the data tells time: counts false alarms. Repeatable.",
)


class Backtests(click.Group):
    """The kinds of backtest; a series needs nothing of the others, so its module is loaded only for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order in which they are explained."""
        return [*sorted(super().list_commands(ctx)), "series"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command of a name, or None."""
        if cmd_name != "series":
            return super().get_command(ctx, cmd_name)
        loaded = import_module("streams.backtest.series_command").command
        assert isinstance(loaded, click.Command)
        loaded.help = loaded.help and loaded.help.replace("\\b", "\b")
        return loaded


@click.group(name="backtest", cls=Backtests)
def command() -> None:
    r"""Judge history as if it were live: the same detectors, triage and policy, with the data's own time as clock.

    \b
    Examples:
      headgate backtest table loans.parquet --time at --features income,debt --prediction said --label paid
      headgate backtest table loans.csv --features income,debt --compare stricter.toml
      headgate backtest topic --from 2026-01-31T12:00 --to 2026-01-31T18:00 --compare stricter.toml
    """


def _features(_ctx: click.Context, _option: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for value in values for name in value.split(",") if name.strip()))


@command.command(name="table")
@click.argument("file", type=_File)
@click.option("--features", multiple=True, callback=_features, help="Columns the model reads, separated by commas.")
@click.option("--time", "at", help="Column of the time: ISO 8601, seconds or ms since 1970, or any rising number.")
@click.option("--prediction", help="Column of what the model said: a class or a number.")
@click.option("--confidence", help="Column of the model's confidence, 0 to 1.")
@click.option("--label", help="Column of what turned out to be true.")
@click.option("--group", multiple=True, callback=_features, help="Columns of groups that must be treated alike.")
@click.option("--latency", help="Column of milliseconds that a prediction took.")
@click.option("--version", help="Column of the model's version.")
@click.option("--instance", help="Column of the replica that answered.")
@click.option("--id", "ids", help="Column of prediction ids; by default the number of the row.")
@click.option("--mode", type=click.Choice([mode.value for mode in Mode]), default="realtime", show_default=True)
@click.option("--reference", type=_File, help="Table of normal rows, or a profile (.hgp); by default the first rows.")
@click.option(
    "--label-delay", type=click.FloatRange(0, 31_536_000), default=0.0, help="Seconds until a label is known."
)
@_POLICY
@_COMPARE
@_SYSTEMS
@_KNOWN
@_PLOT
@_JSON
def of_table(file: Path, features: tuple[str, ...], plot: Path | None, *, as_json: bool, **given: Any) -> None:
    r"""Judge the rows of FILE, CSV (also .gz) with a header line, or Parquet, in the order in which they stand.

    Each row is one prediction. Only --features is needed. What the policy says in seconds, and the length of the
    reference, is fitted to the table; the output says how. Exit 0 whatever was found, 1 where FILE cannot be judged.

    \b
    Examples:
      headgate backtest table elec.csv --features price,demand
      headgate backtest table loans.parquet --time at --features income,debt --prediction said \
        --confidence sure --label paid --group sex,region --label-delay 86400 --json
      headgate backtest table loans.csv --features income,debt --policy mine.toml --compare stricter.toml
      headgate backtest table loans.csv --time at --features income --known 2026-01-31..2026-02-02 --plot out.html
    """
    from streams.backtest.judging import run

    if not features:
        raise click.UsageError("--features names no column; the columns that the model reads are needed.")
    layout = _layout(features, given)
    rules, watched = _judges(given["chosen"], given["compare"]), _systems(given["watched"])
    progress = _progress()
    began = time.monotonic()
    found = run(file, layout, rules, watched, given["reference"], progress)
    progress(-1)
    known = [_span(text, found.moment) for text in given["known"]]
    first = found.trials[0]
    if plot is not None:
        _draw(plot, first, file.name, found.tell)
    if found.late:
        click.echo(f"{found.late} rows are older than the row before them; judged in the order of the file", err=True)
    click.echo(f"{found.rows} rows in {time.monotonic() - began:.1f} s", err=True)
    _say(found.trials, found.tell, found.rows, known, as_json=as_json)


@command.command(name="topic")
@click.option("--from", "start", default="0", help="First offset, or time (ISO 8601).", show_default=True)
@click.option("--to", "end", default="", help="Offset or time of the end, itself not included; by default the end.")
@click.option("--partition", type=int, multiple=True, help="Only this partition; repeatable.")
@click.option("--model", help="Only this model.")
@_POLICY
@_COMPARE
@_SYSTEMS
@_KNOWN
@_PLOT
@_JSON
@click.pass_obj
def of_topic(settings: Settings, /, start: str, end: str, plot: Path | None, *, as_json: bool, **given: Any) -> None:
    r"""Judge a stretch of the telemetry topic of the ledger that HEADGATE_LEDGER names.

    Read from its beginning under the policy that was in force, it gives the signals and incidents, ids included,
    that were raised live. Nothing is written.

    \b
    Examples:
      headgate backtest topic --json
      headgate backtest topic --from 2026-01-31T12:00 --to 2026-01-31T18:00 --model loans --policy stricter.toml
      headgate backtest topic --from 12000 --to 15000 --partition 2 --compare stricter.toml
    """
    from streams.backtest.topic import Stretch, moment, read

    rules, watched = _judges(given["chosen"], given["compare"]), _systems(given["watched"])
    trials = [Trial(rule, watched) for rule in rules]
    stretch = Stretch(start, end, given["partition"], given["model"])
    progress, rows = _progress(), 0
    for record, count in read(settings, stretch):
        rows += count
        progress(rows)
        for trial in trials:
            trial.take(record)
    for trial in trials:
        trial.end()
    progress(-1)
    if plot is not None:
        _draw(plot, trials[0], "telemetry", when)
    _say(trials, when, rows, [_span(text, moment) for text in given["known"]], as_json=as_json)


def _layout(features: tuple[str, ...], given: dict[str, Any]) -> Layout:
    return Layout(
        features=features,
        time=given["at"],
        prediction=given["prediction"],
        confidence=given["confidence"],
        label=given["label"],
        groups=given["group"],
        latency=given["latency"],
        version=given["version"],
        instance=given["instance"],
        id=given["ids"],
        mode=Mode(given["mode"]),
        label_delay_ms=round(given["label_delay"] * 1000),
    )


def _judges(*files: Path | None) -> list[Judged]:
    first = files[0] or DEPLOY / "policy.toml"
    paths = [first, *(path for path in files[1:] if path is not None)]
    found = []
    for path in paths:
        try:
            document = read_document(path)
            found.append(Judged(policy.read(document, str(path)), documents.digest(document)))
        except PolicyError as error:
            raise HeadgateError(str(error)) from None
    return found


def _systems(path: Path | None) -> Systems:
    if path is None:
        return Systems(version=1)
    try:
        return systems.read(read_document(path), str(path))
    except PolicyError as error:
        raise HeadgateError(str(error)) from None


def _span(text: str, moment: Callable[[str], int]) -> report.Known:
    start, _, end = text.partition("..")
    try:
        found = report.Known(moment(start.strip()), moment(end.strip()) if end else 2**62)
    except (ValueError, SchemaError):
        raise click.UsageError(f"--known {text[:80]!r} is not FROM or FROM..TO in the time of the data.") from None
    if found.end <= found.start:
        raise click.UsageError(f"--known {text[:80]!r} ends before it begins.")
    return found


def _progress() -> Callable[[int], None]:
    last = [time.monotonic()]

    def tell(rows: int) -> None:
        if rows < 0:
            if sys.stderr.isatty():
                click.echo("\r" + " " * 40 + "\r", nl=False, err=True)
        elif time.monotonic() - last[0] > 1.0:
            last[0] = time.monotonic()
            click.echo(f"\r{rows} rows judged", nl=not sys.stderr.isatty(), err=True)

    return tell


def _draw(path: Path, trial: Trial, name: str, tell: report.Tell) -> None:
    import_module("streams.backtest.plots").draw(path, trial, name, tell)
    click.echo(f"drawn to {path}", err=True)


def _say(
    trials: Sequence[Trial], tell: report.Tell, rows: int, known: Sequence[report.Known], *, as_json: bool
) -> None:
    first = trials[0]
    found = report.document(first, tell, rows, known)
    if len(trials) > 1:
        found["compare"] = report.difference(first, trials[1], tell, rows, known)
    if as_json:
        emit(found)
        return
    for line in first.judged.fitted:
        click.echo(f"fitted to the table: {line}", err=True)
    for text in first.refused[:5]:
        click.echo(f"refused: {text}", err=True)
    heads = ("opened at", "category", "severity", "features", "what")
    table(heads, [report.row_text(incident) for incident in found["incidents"]], "no incident would have been opened")
    click.echo(f"\n{len(found['signals'])} signals, {len(found['incidents'])} incidents over {rows} rows")
    if "known" in found["cost"]:
        click.echo(_cost_line(found["cost"]["known"]))
    if "compare" in found:
        _say_difference(found["compare"])


def _cost_line(known: dict[str, Any]) -> str:
    return f"{known['found']} of {known['faults']} known faults found, {known['false_alarms']} false alarms"


def _say_difference(found: dict[str, Any]) -> None:
    mine, other = found["cost"]
    click.echo(f"\nThe other policy: {other['signals']} signals, {other['incidents']} incidents")
    for name, (before, after) in found["settings"].items():
        click.echo(f"  {name}: {before} → {after}")
    for mark, key in (("only under --policy", "only_policy"), ("only under --compare", "only_compare")):
        for incident in found[key]:
            click.echo(f"  {mark}: {' '.join(report.row_text(incident)[:3])}: {incident['title']}")
    for pair in found["both"]:
        click.echo(f"  under both: {pair['category']} at {pair['opened_at'][0]}, {pair['delay_seconds']:+.0f} s")
    if "known" in other:
        click.echo(f"  {_cost_line(mine['known'])}; under the other: {_cost_line(other['known'])}")
