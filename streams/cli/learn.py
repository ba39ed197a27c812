"""`headgate incidents cause | replay | rate | signals | judge | correct`: why it happened, and what was true of it."""

from pathlib import Path
from typing import Any

import click

from schemas.case import learning as s
from schemas.case.learning import CauseKind, Finding, Milestone, MissedControl
from streams.cli import replay
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.learning import history_of, show_signals, signal_named, signal_rows, tree
from streams.view.on_case import MOMENT, ask_on_case
from streams.view.rendering import clean, emit
from streams.view.signing_in import signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_MAX_REPLAY = 16 << 20


@click.command()
@_INCIDENT
@click.argument("name")
@click.option("--text", required=True, help="What it is.")
@click.option("--kind", type=click.Choice([kind.value for kind in CauseKind]), required=True)
@click.option(
    "--code",
    type=click.Choice([code.value for code in MissedControl]),
    required=True,
    help="The control that should have caught it.",
)
@click.option("--explains", metavar="CAUSE", help="The cause that this one explains; by default the incident itself.")
@_JSON
@signed()
@click.pass_obj
def cause(settings: Settings, /, incident: str, name: str, **given: Any) -> None:
    r"""Record NAME as a cause of INCIDENT; five whys are a chain of --explains, and there may be several roots.

    The same NAME again amends it, until the post-mortem is accepted.

    \b
    Examples:
      headgate incidents cause 3f8a2c release --kind trigger --code canary_release --text "version 2 at once" --as ana
      headgate incidents cause 3f8a2c unit --kind root --code data_contract --explains release --text "no unit" --as ana
    """
    text, kind, code = given.pop("text"), CauseKind(given.pop("kind")), MissedControl(given.pop("code"))
    parent = given.pop("explains")
    ask_on_case(
        settings,
        incident,
        lambda case: s.RecordCause(incident=case.incident, cause=name, text=text, kind=kind, code=code, parent=parent),
        **given,
    )


@click.command()
@_INCIDENT
@_JSON
@click.pass_obj
def causes(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print the fault tree of INCIDENT, what explains a cause below it.

    Example: headgate incidents causes 3f8a2c
    """
    with OpenLedger(settings) as ledger:
        found = history_of(ledger, resolve(ledger, incident)).causes
    if as_json:
        emit(found)
        return
    for line in tree(found) if found else ["no cause is recorded"]:
        click.echo(clean(line))


@click.command()
@_INCIDENT
@click.argument("score", type=click.IntRange(1, 5))
@click.option("--comment", default="", help="Why.")
@_JSON
@signed()
@click.pass_obj
def rate(settings: Settings, /, incident: str, score: int, comment: str, **signer: Any) -> None:
    """Say how satisfied you are with the response to INCIDENT: SCORE from 1 (bad) to 5 (good).

    Example: headgate incidents rate 3f8a2c 4 --comment "quick; we heard of it late" --as staff
    """
    ask_on_case(
        settings,
        incident,
        lambda case: s.RateResponse(incident=case.incident, score=score, comment=comment),
        **signer,
    )


@click.command()
@_INCIDENT
@_JSON
@click.pass_obj
def signals(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print the signals of INCIDENT, numbered, and what people said of each."""
    with OpenLedger(settings) as ledger:
        history = history_of(ledger, resolve(ledger, incident))
    if as_json:
        emit(signal_rows(history))
    else:
        show_signals(history)


@click.command()
@_INCIDENT
@click.argument("signal")
@click.argument("finding", type=click.Choice([finding.value for finding in Finding]))
@click.option("--note", default="", help="How it shows.")
@_JSON
@signed()
@click.pass_obj
def judge(settings: Settings, /, incident: str, signal: str, finding: str, note: str, **signer: Any) -> None:
    r"""Say what SIGNAL of INCIDENT was: true, false, benign (a real change that harms nobody) or duplicate.

    SIGNAL is a number of `headgate incidents signals`, or a part of the name. Thresholds are proposed from it:
    `headgate policy propose --from-feedback`.

    \b
    Examples:
      headgate incidents judge 3f8a2c 1 true --as ana
      headgate incidents judge 3f8a2c income benign --note "the yearly raise" --as ana
    """
    with OpenLedger(settings) as ledger:
        name = signal_named(history_of(ledger, resolve(ledger, incident)), signal)
    ask_on_case(
        settings,
        incident,
        lambda case: s.JudgeSignal(incident=case.incident, signal=name, finding=Finding(finding), note=note),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("milestone", type=click.Choice([milestone.value for milestone in Milestone]))
@click.option("--at", type=MOMENT, required=True, help="When it was in truth (ISO 8601).")
@click.option("--reason", required=True, help="How that is known.")
@_JSON
@signed()
@click.pass_obj
def correct(settings: Settings, /, incident: str, milestone: str, at: int, reason: str, **signer: Any) -> None:
    """Say when MILESTONE of INCIDENT was in truth; metrics use it, and what the ledger recorded stays beside it.

    Example: headgate incidents correct 3f8a2c occurred --at 2026-01-31T11:38Z --reason "deployment log" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: s.CorrectMilestone(incident=case.incident, milestone=Milestone(milestone), at=at, reason=reason),
        **signer,
    )


COMMANDS: tuple[click.Command, ...] = (cause, causes, replay.replay, rate, signals, judge, correct)
