"""`headgate trace`: the way of one prediction through everything."""

from typing import Any

import click
from confluent_kafka import KafkaException

from schemas.errors import HeadgateError
from schemas.topics import full_name
from streams.archive.explain import Archive, explain
from streams.archive.index import NoArchiveError
from streams.archive.place import place
from streams.cli.explain import ledger_and_windows
from streams.kafka import Clients
from streams.settings import Settings
from streams.view.rendering import emit
from streams.view.signing_in import names_of
from streams.view.trace import trace
from streams.view.traced import lines

_WAYS_OUT = {
    "sampled_out": "[archive] of the policy says what is kept: raise `sample`, or name its tier in `tiers`",
    "no_archive": "ask where the archive is kept, or say so with HEADGATE_VAR",
    "expired": "[archive] keep_days of the policy says for how long rows are kept; what an incident froze stays",
    "unknown": "compare the id with what the model server logged; `headgate archive status` says what is kept",
}


@click.command(name="trace")
@click.argument("prediction_id")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the path of each entry to the root.")
@click.pass_obj
def command(settings: Settings, prediction_id: str, *, as_json: bool) -> None:
    r"""Follow the prediction PREDICTION_ID: telemetry, windows, incidents, plan, decisions, review, label, messages.

    Telemetry is named by topic, partition and offset as long as Kafka keeps it. Each entry of the ledger on the way is
    proven: its path leads to the root of a signed checkpoint.

    \b
    Exit status: 0, or 1 where nothing is kept of it; why, and what to do, is told.

    \b
    Examples:
      headgate trace 7f3a-0001
      headgate trace 7f3a-0001 --json | jq '.incidents[].entries[].index'
    """
    whole, windows = ledger_and_windows(settings)
    try:
        found = explain(Archive(settings), prediction_id, windows, whole.state if whole else None, names_of(settings))
    except NoArchiveError as error:  # people review on machines that keep no telemetry
        found = {"prediction_id": prediction_id, "archived": False, "reason": "no_archive", "detail": str(error)}
    for decision in found.get("decisions", ()):
        decision["telemetry"] = _place(settings, decision)
    told = trace(found, whole, names_of(settings))
    nothing = not told["archived"] and not told["incidents"]
    if as_json:
        emit(told)
    elif nothing:
        way = _WAYS_OUT[told["reason"]]
        raise HeadgateError(f"nothing is kept of {prediction_id[:80]!r}: {told['detail']}; {way}")
    else:
        for line in lines(told):
            click.echo(line)
    if nothing:
        raise SystemExit(1)


def _place(settings: Settings, decision: dict[str, Any]) -> dict[str, Any] | None:
    try:
        return place(Clients(settings), full_name(settings.ledger, "telemetry"), decision)
    except (HeadgateError, KafkaException, KeyError):
        return None  # Kafka does not answer, or has no such topic: the source and position say which row it was
