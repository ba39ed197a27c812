"""`headgate policy propose`: thresholds that people's verdicts on signals speak for; a person adopts them, or not."""

import tempfile
from pathlib import Path
from typing import Any

import click

from agents.feedback.proposal import LEAST, Proposal, judged, propose
from agents.metrics.history import histories
from schemas.errors import HeadgateError
from streams.settings import Settings
from streams.view import adoption, proposed
from streams.view.asking import OpenLedger
from streams.view.rendering import emit

_Table = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(name="propose", context_settings={"ignore_unknown_options": True})
@click.option("--from-feedback", is_flag=True, required=True, help="From what people said of signals.")
@click.option(
    "--least",
    type=click.IntRange(1, 1000),
    default=LEAST,
    show_default=True,
    help="Incidents with a false or benign signal before a setting is changed.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the proposed policy to FILE.")
@click.option(
    "--backtest",
    "tables",
    type=_Table,
    multiple=True,
    help="Judge this table under both policies; what follows -- are options of `headgate backtest table`. Repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.argument("layout", nargs=-1, type=click.UNPROCESSED)
@click.pass_obj
def command(settings: Settings, /, least: int, out: Path | None, layout: tuple[str, ...], **given: Any) -> None:
    r"""Propose thresholds from `headgate incidents judge`: those that would have kept false and benign signals quiet.

    A setting is raised only where enough incidents speak for it, never so far that a signal judged true would be lost,
    and at most to twice its value. None is ever lowered, and rows_between_false_alarms stays: nobody can judge what
    was not seen. A signal that would be quiet in its first window may still be raised in a later one; a backtest
    tells. Nothing is adopted here: `headgate policy adopt FILE` does that, signed by an administrator.

    \b
    Examples:
      headgate policy propose --from-feedback
      headgate policy propose --from-feedback --out proposed.toml --backtest loans.csv -- --features income,debt
      headgate policy adopt proposed.toml --as admin
    """
    del given["from_feedback"]
    if layout and not given["tables"]:
        raise click.UsageError(f"{layout[0]!r} belongs to a backtest; name its table with --backtest.")
    with OpenLedger(settings) as ledger:
        control = ledger.state.control
        current = control.policy
        if current is None:
            raise HeadgateError("no policy is adopted; `headgate policy adopt FILE` adopts one")
        found = propose(judged(histories(ledger.entries)), control.policies, current, least)
        (force,) = [one for one in adoption.history("policy", ledger) if one.in_force]
    before = force.document.decode("utf-8")
    after = proposed.edited(before, found.changes) if found.changes else before
    if out is not None and found.changes:
        out.write_text(after, "utf-8")
        click.echo(f"written to {out}", err=True)
    _say(found, before, after, as_json=given["as_json"])
    if found.changes:
        _backtest(given["tables"], layout, before, after)


def _say(found: Proposal, before: str, after: str, *, as_json: bool) -> None:
    if as_json:
        emit(proposed.document(found) | {"policy": after})
        return
    proposed.show(found)
    if found.changes:
        click.echo(f"\n{proposed.difference(before, after)}")


def _backtest(tables: tuple[Path, ...], layout: tuple[str, ...], before: str, after: str) -> None:
    """Judge each table under both policies, as `headgate backtest table --compare` does."""
    from streams.cli.backtest import of_table

    with tempfile.TemporaryDirectory() as folder:
        now, then = Path(folder, "in-force.toml"), Path(folder, "proposed.toml")
        now.write_text(before, "utf-8")
        then.write_text(after, "utf-8")
        for path in tables:
            click.echo(f"\nbacktest of {path}", err=True)
            arguments = [str(path), "--policy", str(now), "--compare", str(then), *layout]
            of_table.main(arguments, standalone_mode=False)
