"""`headgate explain`: one prediction, rebuilt."""

import json

import click

from schemas.errors import HeadgateError
from streams.archive.explain import Archive, Windows, explain
from streams.ledger.whole import Whole, read_whole
from streams.settings import Settings
from streams.view.explained import lines
from streams.view.signing_in import names_of


@click.command(name="explain")
@click.argument("prediction_id")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(settings: Settings, prediction_id: str, *, as_json: bool) -> None:
    r"""Rebuild the prediction PREDICTION_ID: what was decided, by which version, when, and from which inputs.

    It is read from the archive (`headgate run archive`); with it come confidence, explanations, group, risk, its
    label where one is known, and the incidents in whose windows it falls. Without Kafka all but the incidents is told.

    \b
    Exit status: 0, or 1 where the prediction is not kept; the reason is told (sampled_out, expired, unknown).

    \b
    Examples:
      headgate explain 7f3a-0001
      headgate explain 7f3a-0001 --json
    """
    archive = Archive(settings)
    whole, windows = ledger_and_windows(settings)
    found = explain(archive, prediction_id, windows, whole.state if whole else None, names_of(settings))
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=True))
        if not found["archived"]:
            raise SystemExit(1)
        return
    if not found["archived"]:
        raise HeadgateError(f"{prediction_id[:80]!r} is not archived: {found['detail']}")
    for line in lines(found):
        click.echo(line)


def ledger_and_windows(settings: Settings) -> tuple[Whole | None, Windows | None]:
    """Return the ledger, and when and where its incidents were seen; both None where it cannot be read."""
    try:
        whole = read_whole(settings)
    except HeadgateError as error:
        click.echo(f"headgate: the ledger is left out: {error}", err=True)
        return None, None
    windows = Windows()
    windows.take(whole.entries)
    return whole, windows
