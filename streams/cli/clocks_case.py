"""`headgate clocks show | due | fact | submit | confirm | …`: the statutory clocks of incidents."""

from collections.abc import Mapping
from typing import Any

import click

from agents.ledger.regions.clocks import TRIGGERS
from schemas.case import clocks as c
from schemas.case import contracts as k
from schemas.case.clocks import Known
from schemas.regulation.clocks import FACTS
from streams.cli import clocks_due
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.clock_lines import say, say_ended
from streams.view.counting import clocks_of
from streams.view.incident_view import EXERCISE, resolve
from streams.view.on_case import MOMENT, ask_on_case
from streams.view.rendering import emit, table
from streams.view.signing_in import names_of, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_CLOCK = click.argument("clock")
_REASON = click.option("--reason", required=True, help="Why, for the ledger.")


@click.command()
@_INCIDENT
@_JSON
@click.pass_obj
def show(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print each clock of INCIDENT: due when, to whom, by whose words, since what, and how the others ended.

    The strict due time is the earliest reading anywhere on Earth, for alarms; the legal one is counted by the calendar
    of the jurisdiction that the system declares. It is an engineer's reading, and no legal advice.

    Example: headgate clocks show 3f8a2c
    """
    names, now = names_of(settings), now_ms()
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        found = clocks_of(case, ledger.state.control, names, now)
    if as_json:
        roles = sorted(case.clocks.regimes)
        said = {"incident": case.incident, "drill": case.drill, "regimes": roles}
        emit(said | {"facts": _facts(case.clocks, names), "clocks": found})
        return
    running = [one for one in found if one["state"] == "running"]
    click.echo(f"{case.incident}: {len(running)} clocks run, {len(found) - len(running)} have ended")
    if case.drill:
        click.echo(EXERCISE)
    for one in running:
        say(one)
    for one in found[len(running) :]:
        say_ended(one)


def _facts(clocks: Any, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        fact: {
            "known": clocks.known.get(fact, fact in clocks.moments),
            "happened_at": clocks.moments[fact].at if fact in clocks.moments else 0,
            "by": names.get(said.who, said.who),
            "basis": said.basis,
        }
        for fact, said in clocks.asked.items()
    }


@click.command()
@_JSON
def facts(*, as_json: bool) -> None:
    """Print the facts and triggers that select clocks and start them, each as the question that a person answers."""
    triggers = {name: f"When was that? ({name.replace('_', ' ')})" for name in sorted(TRIGGERS)}
    if as_json:
        emit({"facts": dict(FACTS), "triggers": sorted(TRIGGERS)})
        return
    table(("fact", "question"), [*FACTS.items(), *triggers.items()])


@click.command()
@_INCIDENT
@click.argument("fact", type=click.Choice([*FACTS, *sorted(TRIGGERS)]), metavar="FACT")
@click.argument("known", type=click.Choice([one.value for one in Known]))
@click.option("--at", type=MOMENT, default=0, help="When it happened (ISO 8601); needed for a trigger such as aware.")
@click.option("--basis", required=True, help="On what basis you say so.")
@_JSON
@signed()
@click.pass_obj
def fact(settings: Settings, /, incident: str, fact: str, known: str, at: int, basis: str, **signer: Any) -> None:
    r"""Say what is known of FACT on INCIDENT; clocks start, move or give way to other tiers.

    \b
    Examples:
      headgate clocks fact 3f8a2c death no --basis "the hospital's list" --as ana
      headgate clocks fact 3f8a2c aware yes --at 2026-01-31T09:00+01:00 --basis "ticket 4711" --as ana
    """
    said = Known(known)
    ask_on_case(
        settings,
        incident,
        lambda case: c.RecordFact(incident=case.incident, fact=fact, known=said, happened_at=at, basis=basis),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("regime")
@_REASON
@_JSON
@signed()
@click.pass_obj
def regulate(settings: Settings, /, incident: str, regime: str, reason: str, **signer: Any) -> None:
    """Say that REGIME speaks of INCIDENT, though no system declares it: its clocks start.

    Example: headgate clocks regulate 3f8a2c gdpr_33 --reason "names were in the rows" --as ana
    """
    ask_on_case(
        settings, incident, lambda case: c.RegulateCase(incident=case.incident, regime=regime, reason=reason), **signer
    )


@click.command()
@_INCIDENT
@_CLOCK
@click.option("--receipt", required=True, help="The authority's receipt.")
@click.option("--at", type=MOMENT, default=0, help="When it was sent (ISO 8601); now where it is left out.")
@_JSON
@signed()
@click.pass_obj
def submit(settings: Settings, /, incident: str, clock: str, receipt: str, at: int, **signer: Any) -> None:
    """Say that you sent the report of CLOCK on INCIDENT; by default a second person confirms it.

    Headgate files nothing by itself: a person files, and their word stands here with the receipt.

    Example: headgate clocks submit 3f8a2c nis2_23.early_warning --receipt BSI-2026-17 --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: c.SubmitReport(incident=case.incident, clock=clock, receipt=receipt, submitted_at=at),
        **signer,
    )


@click.command()
@_INCIDENT
@_CLOCK
@click.option("--receipt", required=True, help="The authority's receipt, as the first person gave it.")
@_JSON
@signed()
@click.pass_obj
def confirm(settings: Settings, /, incident: str, clock: str, receipt: str, **signer: Any) -> None:
    """Say as a second person that the report of CLOCK on INCIDENT was sent; its clock ends.

    Example: headgate clocks confirm 3f8a2c nis2_23.early_warning --receipt BSI-2026-17 --as ben
    """
    ask_on_case(
        settings,
        incident,
        lambda case: c.ConfirmReport(incident=case.incident, clock=clock, receipt=receipt),
        **signer,
    )


@click.command(name="not-applicable")
@_INCIDENT
@_CLOCK
@_REASON
@_JSON
@signed()
@click.pass_obj
def not_applicable(settings: Settings, /, incident: str, clock: str, reason: str, **signer: Any) -> None:
    """Decide that CLOCK, which may name a whole report or regime, does not apply to INCIDENT. Your name stands with it.

    Example: headgate clocks not-applicable 3f8a2c ai_act_art73.report.death --reason "nobody was hurt" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: c.DeclareNotApplicable(incident=case.incident, clock=clock, reason=reason),
        **signer,
    )


@click.command()
@_INCIDENT
@_CLOCK
@_REASON
@_JSON
@signed()
@click.pass_obj
def reopen(settings: Settings, /, incident: str, clock: str, reason: str, **signer: Any) -> None:
    """Take back that CLOCK does not apply to INCIDENT, or that its report was sent: it runs on.

    Example: headgate clocks reopen 3f8a2c ai_act_art73.report.death --reason "a patient died" --as ana
    """
    ask_on_case(
        settings, incident, lambda case: c.ReopenClock(incident=case.incident, clock=clock, reason=reason), **signer
    )


@click.command()
@_INCIDENT
@_CLOCK
@click.option("--until", type=MOMENT, required=True, help="When the delay ends (ISO 8601).")
@click.option("--authority", required=True, help="Who asked for the delay.")
@_REASON
@_JSON
@signed()
@click.pass_obj
def toll(
    settings: Settings, /, incident: str, clock: str, until: int, authority: str, reason: str, **signer: Any
) -> None:
    """Hold CLOCK of INCIDENT because an authority asked for the delay that its law provides (HIPAA, Form 8-K).

    Example: headgate clocks toll 3f8a2c hipaa_hhs.notice --until 2026-03-01 --authority FBI --reason "letter of 1 Feb"
    """
    ask_on_case(
        settings,
        incident,
        lambda case: c.TollClock(incident=case.incident, clock=clock, until=until, reason=reason, authority=authority),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("system")
@click.argument("what")
@click.option("--at", type=MOMENT, default=0, help="When they did (ISO 8601); now where it is left out.")
@click.option("--basis", required=True, help="On what basis you say so.")
@_JSON
@signed()
@click.pass_obj
def delivered(settings: Settings, /, incident: str, system: str, what: str, at: int, basis: str, **signer: Any) -> None:
    r"""Say that the vendor of SYSTEM did WHAT its contract asks on INCIDENT, or handed over evidence that it owes.

    \b
    Examples:
      headgate clocks delivered 3f8a2c weather acknowledge --basis "their ticket 4711" --as ana
      headgate clocks delivered 3f8a2c weather "release notes of the change" --basis "mail of 2 Feb" --as ana
    """
    ask_on_case(
        settings,
        incident,
        lambda case: k.RecordDelivery(incident=case.incident, system=system, what=what, happened_at=at, basis=basis),
        **signer,
    )


COMMANDS = (show, clocks_due.due, facts, fact, regulate, submit, confirm, not_applicable, reopen, toll, delivered)
