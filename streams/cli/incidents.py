"""`headgate incidents`: what is open, what is known of it, what it waits for, and a person's response."""

from pathlib import Path
from typing import Any

import click

from agents.ledger.case import Case
from agents.ledger.fold import Verified
from agents.triage.reports import reporter_named
from schemas.case.paging import AcknowledgePage
from schemas.case.response import Dismissal
from schemas.commands import Acknowledge, Declare, Dismiss
from streams.cli import assess, by_hand, consent, lead, learn, post_mortem, work
from streams.cli.sections import Sections
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import document, named, resolve, row, short, show
from streams.view.lineage import lineage
from streams.view.on_case import ask_on_case
from streams.view.output_audit import audits
from streams.view.rendering import clean, emit, emit_line, jsonable, table, tell, when
from streams.view.sentences import sentence
from streams.view.signing_in import names_of, sign_in, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_ALL = click.option("--all", "everything", is_flag=True, help="Those that are over, too.")


_SECTIONS = {
    "See": ("list", "show", "watch", "timeline", "signals", "matrix"),
    "Take it": ("acknowledge", "declare", "dismiss", "assume", "hand-over", "checklist", "check", "note", "task"),
    "Judge it": ("assess", "modifier", "severity", "priority", "reportability", "exclude"),
    "Stop and mend it (see also headgate approve)": (
        "ask-plan",
        "break-glass",
        "keep-nothing",
        "sign-off",
        "contained",
        "remedied",
        "recovered",
        "regress",
    ),
    "Sort it": ("merge", "split", "reopen", "investigate"),
    "Learn from it": ("review", "cause", "causes", "replay", "post-mortem", "judge", "correct", "rate"),
    "Close it": ("review-break-glass", "review-standing", "release-hold", "close"),
}


@click.group(name="incidents", cls=Sections, sections=_SECTIONS, invoke_without_command=True)
@_ALL
@_JSON
@click.pass_context
def command(ctx: click.Context, *, everything: bool, as_json: bool) -> None:
    r"""List open incidents and what each waits for; show, watch and answer them.

    An incident may be named by the beginning of its id. What is printed was verified: signatures, tree and decisions.
    `show` ends with what the incident waits for, and with the command that brings it on: follow them.

    \b
    A whole incident (keys: headgate keys new ana, then headgate keys enrol):
      headgate incidents                                     what is open
      headgate incidents show 3f8a2c                         what is known, and what is waited for
      headgate incidents acknowledge 3f8a2c --as ana         you are on it; paging stops
      headgate approve 3f8a2c --as ana --reason "…"          the plan, signed; then another person
      headgate incidents watch                               contained, mended, recovered
      headgate clocks show 3f8a2c                            which authority must hear of it, by when
      headgate incidents review 3f8a2c --as ana --note "…"   learn; show now lists what is left
      headgate incidents post-mortem template 3f8a2c         fill it in, write it, have it accepted
      headgate incidents close 3f8a2c --as ana
    """
    if ctx.invoked_subcommand is None:
        _list(ctx.obj, everything=everything, as_json=as_json)


@command.command(name="list")
@_ALL
@_JSON
@click.pass_obj
def listing(settings: Settings, *, everything: bool, as_json: bool) -> None:
    """Print open incidents, the worst first, and what each waits for."""
    _list(settings, everything=everything, as_json=as_json)


def _list(settings: Settings, *, everything: bool, as_json: bool) -> None:
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        cases = [case for case in ledger.state.cases.values() if everything or not case.phase.over]
        ordered = sorted(cases, key=lambda case: (case.phase.over, case.severity.rank, -case.opened_at))
        rows = [row(ledger, case, names) for case in ordered]
        shown = [short(ledger, case.incident) for case in ordered]
    if as_json:
        emit(rows)
        return
    cells = [
        [
            name,
            one["severity"],
            one["phase"],
            one["system"],
            when(one["opened_at"]),
            f"DRILL: {one['title']}" if one["drill"] else one["title"],
            one["waits_for"],
        ]
        for name, one in zip(shown, rows, strict=True)
    ]
    none = "no incident" if everything else "no incident is open"
    table(("incident", "severity", "phase", "system", "opened", "what", "waits for"), cells, none)


@command.command(name="show")
@click.argument("incident")
@_JSON
@click.pass_obj
def showing(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print what is known of INCIDENT: evidence, severity and its rule, plan, decisions, and what it waits for.

    Example: headgate incidents show 3f8a2c
    """
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        reports, origin = audits(settings, case), lineage(settings, case)
        if as_json:
            emit(document(ledger, case, names) | {"output_audit": reports, "lineage": origin})
        else:
            show(ledger, case, names, reports, origin)


@command.command()
@click.option("--all", "everything", is_flag=True, help="Begin with the first entry instead of the next.")
@_JSON
@click.pass_obj
def watch(settings: Settings, *, everything: bool, as_json: bool) -> None:
    """Print a line for each event of any incident as it becomes final, until interrupted.

    Example: headgate incidents watch --json | jq .event
    """
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        click.echo(f"headgate: following {settings.ledger} from entry {ledger.entries[-1].index + 1}", err=True)
        new = ledger.entries[:] if everything else []
        while True:
            for found in new:
                _tell(found, names, as_json=as_json)
            new = ledger.poll(0.2)


def _tell(found: Verified, names: dict[str, str], *, as_json: bool) -> None:
    if found.asked is None or not found.asked.incident:
        return
    at = found.entry.at if found.entry else now_ms()
    drill = found.case is not None and found.case.drill
    for event in found.events:
        if as_json:
            said = {"entry": found.index, "at": at, "incident": found.asked.incident, "event": type(event).__name__}
            emit_line(
                said | {"drill": drill, "sentence": reporter_named(sentence(event), names), "body": jsonable(event)}
            )
        else:
            said_of = f"{found.asked.incident[:12]}  {clean(named(sentence(event), names))}"
            click.echo(f"{found.index:>5}  {when(at)}  {'DRILL  ' if drill else ''}{said_of}")


@command.command()
@click.argument("incident")
@click.option("--reason", "--note", "reason", default="", help="A note for the ledger.")
@click.option("--about", default="", metavar="SUBJECT", help="Answer the page about this, such as update:executive.")
@_JSON
@signed()
@click.pass_obj
def acknowledge(settings: Settings, /, incident: str, reason: str, about: str, **signer: Any) -> None:
    r"""Say that you are on INCIDENT; with --about, on what else of it you were paged about.

    \b
    Examples:
      headgate incidents acknowledge 3f8a2c --as ana
      headgate incidents acknowledge 3f8a2c --about update:executive --as ana
    """

    def said(case: Case) -> object:
        if about:
            return AcknowledgePage(incident=case.incident, subject=about, note=reason)
        return Acknowledge(incident=case.incident, note=reason)

    ask_on_case(settings, incident, said, **signer)


@command.command()
@click.argument("incident")
@click.option("--reason", required=True, help="Why, for the ledger.")
@_JSON
@signed()
@click.pass_obj
def declare(
    settings: Settings, incident: str, reason: str, who: str, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Declare that the candidate INCIDENT is one, so that a plan is made.

    Example: headgate incidents declare 3f8a2c --as ana --reason "customers complain"
    """
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        verdict = ledger.ask(identity, Declare(incident=case.incident, reason=reason))
    tell(verdict, f"{case.incident} is declared", as_json=as_json)


@command.command()
@click.argument("incident")
@click.option("--reason", required=True, type=click.Choice([reason.value for reason in Dismissal]), help="Why.")
@click.option("--note", default="", help="What stands behind it, for the ledger.")
@_JSON
@signed()
@click.pass_obj
def dismiss(settings: Settings, /, incident: str, reason: str, note: str, **signer: Any) -> None:
    """Close INCIDENT: it is none. Once it was declared, its commander or an ML manager does so, with a note.

    Clocks that run stay with it until each is decided not to be applicable (`headgate clocks not-applicable`). What was
    acted on already, and policy wants a post-mortem of, is resolved and reviewed instead.

    Example: headgate incidents dismiss 3f8a2c --as ana --reason planned_change --note "a planned backfill"
    """
    code = Dismissal(reason)
    ask_on_case(settings, incident, lambda case: Dismiss(incident=case.incident, reason=code, note=note), **signer)


for _one in (
    *consent.COMMANDS,
    *work.COMMANDS,
    *learn.COMMANDS,
    post_mortem.post_mortem,
    *lead.COMMANDS,
    *by_hand.COMMANDS,
    *assess.COMMANDS,
):
    command.add_command(_one)
