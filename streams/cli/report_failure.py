"""`headgate report-failure`: a person says that a model seems to fail, and learns which incident it joined."""

import time
from pathlib import Path

import click

from schemas.case.reports import FailureReported, ReportFailure
from schemas.events import CaseGrew, CaseOpened
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.on_case import MOMENT
from streams.view.rendering import clean, emit, tell, verdict_document
from streams.view.signing_in import sign_in, signed

_WAIT_SECONDS = 10.0


@click.command(name="report-failure")
@click.argument("model")
@click.option("--version", default="", help="The version, where you know it.")
@click.option("--what", required=True, help="What you saw, in your own words.")
@click.option("--prediction", default="", metavar="ID", help="The prediction that was wrong, where you know it.")
@click.option("--since", type=MOMENT, default=0, help="When it was first seen; now where it is not given.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@signed()
@click.pass_obj
def command(
    settings: Settings,
    /,
    model: str,
    version: str,
    who: str,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    **said: str,
) -> None:
    r"""Report a suspected failure of MODEL, signed with your key.

    The report joins the incident it belongs to, or opens one; the command waits a moment to tell you which. The policy
    says how often one person may report.

    \b
    Examples:
      headgate report-failure shuttle --what "it says 4 all day" --as sue
      headgate report-failure credit --version 7 --prediction 81f2 --what "refused twice for the same person" --as sue
    """
    body = ReportFailure(
        model=model,
        version=version,
        what=said["what"],
        prediction=said["prediction"],
        happened_at=int(said["since"]),
    )
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        verdict = ledger.ask(identity, body)
        reported = next((event for event in verdict.found.events if isinstance(event, FailureReported)), None)
        incident = _joined(ledger, reported.report) if reported is not None else ""
    if as_json and reported is not None:
        emit(verdict_document(verdict) | {"incident": incident or None})
        return
    tell(verdict, "the failure is reported", as_json=as_json)
    if incident:
        click.echo(f"it belongs to incident {clean(incident)}: headgate incidents show {clean(incident[:12])}")
    else:
        click.echo("triage has not told its incident yet; `headgate incidents` lists them")


def _joined(ledger: OpenLedger, report: str) -> str:
    """Wait a moment for the incident whose evidence names the report; empty where none does yet."""
    deadline = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < deadline:
        for found in ledger.poll(0.1):
            for event in found.events:
                evidence = event.evidence if isinstance(event, CaseOpened | CaseGrew) else ()
                if any(one.signal == f"report/{report}" for one in evidence):
                    return found.asked.incident if found.asked else ""
    return ""
