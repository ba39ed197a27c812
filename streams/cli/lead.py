"""`headgate incidents investigate | merge | split | regress | reopen | review | close`: people lead the response on."""

from pathlib import Path
from typing import Any

import click

from agents.ledger.case import Case
from schemas.case import response as r
from schemas.errors import HeadgateError
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.on_case import ask_on_case
from streams.view.rendering import tell
from streams.view.signing_in import sign_in, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_REASON = click.option("--reason", required=True, help="Why, for the ledger.")
_NOTE = click.option("--note", default="", help="A note for the ledger.")


@click.command()
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def investigate(settings: Settings, /, incident: str, reason: str, **signer: Any) -> None:
    """Look for the cause of INCIDENT now: the harm has stopped, or there is nothing to contain.

    Example: headgate incidents investigate 3f8a2c --reason "traffic has moved; why did units change?" --as ana
    """
    ask_on_case(settings, incident, lambda case: r.Investigate(incident=case.incident, reason=reason), **signer)


@click.command()
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def regress(settings: Settings, /, incident: str, reason: str, **signer: Any) -> None:
    """Take INCIDENT back from recovering to containing: the survivors do not recover.

    Example: headgate incidents regress 3f8a2c --reason "version 1 shows the same" --as ana
    """
    ask_on_case(settings, incident, lambda case: r.Regress(incident=case.incident, reason=reason), **signer)


@click.command()
@_INCIDENT
@_REASON
@_JSON
@signed()
@click.pass_obj
def reopen(settings: Settings, /, incident: str, reason: str, **signer: Any) -> None:
    """Take up INCIDENT again, which is resolved, under review or closed: it needs a new plan.

    Example: headgate incidents reopen 3f8a2c --reason "customers still complain" --as ana
    """
    ask_on_case(settings, incident, lambda case: r.Reopen(incident=case.incident, reason=reason), **signer)


@click.command()
@_INCIDENT
@_NOTE
@_JSON
@signed()
@click.pass_obj
def review(settings: Settings, /, incident: str, note: str, **signer: Any) -> None:
    """Begin to learn from INCIDENT, which is resolved.

    Example: headgate incidents review 3f8a2c --as ana
    """
    ask_on_case(settings, incident, lambda case: r.BeginReview(incident=case.incident, note=note), **signer)


@click.command()
@_INCIDENT
@_NOTE
@_JSON
@signed()
@click.pass_obj
def close(settings: Settings, /, incident: str, note: str, **signer: Any) -> None:
    """Close INCIDENT after its review; where something is still to be done, all of it is said.

    Example: headgate incidents close 3f8a2c --as ana
    """
    ask_on_case(settings, incident, lambda case: r.Close(incident=case.incident, note=note), **signer)


@click.command()
@_INCIDENT
@click.option("--into", required=True, metavar="INCIDENT", help="The incident that goes on.")
@_REASON
@_JSON
@signed()
@click.pass_obj
def merge(
    settings: Settings, incident: str, into: str, reason: str, who: str, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Let INCIDENT go on in another one that is open; both record it.

    Run it again where it was interrupted: what is recorded already stays so.

    Example: headgate incidents merge 3f8a2c --into 91bc0e --reason "the same upstream table" --as ana
    """
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        case, other = resolve(ledger, incident), resolve(ledger, into)
        if case.course.merged_into != other.incident:
            verdict = ledger.ask(identity, r.Merge(incident=case.incident, into=other.incident, reason=reason))
            if verdict.refusal is not None:
                tell(verdict, as_json=as_json)
                return
        verdict = ledger.ask(identity, r.Absorb(incident=other.incident, merged=case.incident))
    tell(verdict, f"{case.incident} goes on in {other.incident}", as_json=as_json)


@click.command()
@_INCIDENT
@click.argument("signals", nargs=-1, required=True)
@_REASON
@_JSON
@signed()
@click.pass_obj
def split(
    settings: Settings,
    /,
    incident: str,
    signals: tuple[str, ...],
    reason: str,
    who: str,
    passphrase_file: Path | None,
    *,
    as_json: bool,
) -> None:
    """Take SIGNALS that are of another fault out of INCIDENT, and open an incident of their own.

    A signal is named by its number in `headgate incidents show`, or by its whole name. Where an earlier split was
    interrupted before it opened its incident, that one is opened first.

    Example: headgate incidents split 3f8a2c 2 3 --reason "latency is of the network" --as ana
    """
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        waiting = [into for into, left in ledger.state.control.splits.items() if left.incident == case.incident]
        if not waiting:
            named = tuple(_signal(case, name) for name in signals)
            verdict = ledger.ask(identity, r.Split(incident=case.incident, signals=named, reason=reason))
            if verdict.refusal is not None:
                tell(verdict, as_json=as_json)
                return
            waiting = [event.into for event in verdict.found.events if isinstance(event, r.CaseSplit)]
        verdict = ledger.ask(identity, r.OpenSplit(incident=waiting[0], origin=case.incident))
    tell(verdict, f"{waiting[0]} is opened, split from {case.incident}", as_json=as_json)


def _signal(case: Case, name: str) -> str:
    """Return the name of the signal that `incidents show` lists under a number; any other text is a name itself."""
    ranked = sorted(case.course.signals, key=lambda evidence: -evidence.score)
    if not name.isdecimal():
        return name
    if not 1 <= int(name[:9]) <= len(ranked):
        raise HeadgateError(f"there is no signal {name[:9]}: `headgate incidents show` lists {len(ranked)} signals")
    return ranked[int(name[:9]) - 1].signal


COMMANDS: tuple[click.Command, ...] = (investigate, regress, reopen, review, close, merge, split)
