"""`headgate incidents assume | hand-over | check | task | note | timeline`: who does what, and what happened when."""

from typing import Any

import click

from schemas.case import people as p
from schemas.case.people import Duty
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.on_case import MOMENT, ask_on_case, principal_of
from streams.view.rendering import emit, table, when
from streams.view.signing_in import names_of, signed
from streams.view.timeline import timeline

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_DUTY = click.argument("duty", type=click.Choice([duty.value for duty in Duty]))


@click.command()
@_INCIDENT
@_DUTY
@_JSON
@signed()
@click.pass_obj
def assume(settings: Settings, /, incident: str, duty: str, **signer: Any) -> None:
    """Take DUTY on INCIDENT; whoever had it is relieved of it.

    Example: headgate incidents assume 3f8a2c commander --as ana
    """
    ask_on_case(settings, incident, lambda case: p.AssumeDuty(incident=case.incident, duty=Duty(duty)), **signer)


@click.command(name="hand-over")
@_INCIDENT
@_DUTY
@click.option("--to", required=True, metavar="NAME", help="Who has it next: a key on this machine, or a principal.")
@click.option("--note", required=True, help="What they must know.")
@_JSON
@signed()
@click.pass_obj
def hand_over(settings: Settings, /, incident: str, duty: str, to: str, note: str, **signer: Any) -> None:
    """Hand your own DUTY on INCIDENT to another person.

    Example: headgate incidents hand-over 3f8a2c commander --to ben --note "traffic has moved" --as ana
    """
    to = principal_of(settings, to)
    ask_on_case(
        settings,
        incident,
        lambda case: p.HandOver(incident=case.incident, duty=Duty(duty), to=to, note=note),
        **signer,
    )


@click.command()
@_INCIDENT
@click.argument("item")
@click.option("--note", required=True, help="The answer.")
@_JSON
@signed()
@click.pass_obj
def check(settings: Settings, /, incident: str, item: str, note: str, **signer: Any) -> None:
    """Answer ITEM of the triage checklist of INCIDENT; `headgate incidents checklist` prints the items.

    Example: headgate incidents check 3f8a2c who-is-harmed --note "nobody: shadow mode" --as ana
    """
    ask_on_case(settings, incident, lambda case: p.CheckItem(incident=case.incident, item=item, note=note), **signer)


@click.command()
@_INCIDENT
@_JSON
@click.pass_obj
def checklist(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print the triage checklist of INCIDENT: what its policy asks, and what was answered by whom."""
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        items = ledger.state.control.policies[case.policy].checklist
        said = {
            event.item: event.note
            for found in ledger.of(case.incident)
            for event in found.events
            if isinstance(event, p.ItemChecked)
        }
    by = case.people.checked
    if as_json:
        emit([{"item": i, "question": q, "answer": said.get(i), "by": by.get(i)} for i, q in items.items()])
        return
    rows = [[i, names.get(by.get(i, ""), by.get(i, "open")), said.get(i, ""), q] for i, q in items.items()]
    table(("item", "answered by", "answer", "question"), rows, "the policy asks nothing")


@click.group()
def task() -> None:
    r"""Give a task of an incident an owner, say that it is done, and list them.

    \b
    Examples:
      headgate incidents task add 3f8a2c bounds --title "Check ranges upstream" --owner ben --due 2026-02-07 --as ana
      headgate incidents task done 3f8a2c bounds --note "merged, with a test" --as ben
      headgate incidents task list 3f8a2c
    """


@task.command(name="add")
@_INCIDENT
@click.argument("name")
@click.option("--title", required=True, help="What is to be done.")
@click.option("--owner", required=True, metavar="NAME", help="Who does it: a key on this machine, or a principal.")
@click.option("--due", required=True, type=MOMENT, help="Until when (ISO 8601).")
@_JSON
@signed()
@click.pass_obj
def task_add(settings: Settings, /, incident: str, name: str, title: str, owner: str, due: int, **signer: Any) -> None:
    """Add the task NAME to INCIDENT, with an owner and a due time.

    Example: headgate incidents task add 3f8a2c bounds --title "Check ranges" --owner ben --due 2026-02-07 --as ana
    """
    owner = principal_of(settings, owner)
    ask_on_case(
        settings,
        incident,
        lambda case: p.AddTask(incident=case.incident, task=name, title=title, owner=owner, due_at=due),
        **signer,
    )


@task.command(name="done")
@_INCIDENT
@click.argument("name")
@click.option("--note", required=True, help="How it shows.")
@_JSON
@signed()
@click.pass_obj
def task_done(settings: Settings, /, incident: str, name: str, note: str, **signer: Any) -> None:
    """Say that the task NAME of INCIDENT is done.

    Example: headgate incidents task done 3f8a2c bounds --note "merged, with a test" --as ben
    """
    ask_on_case(settings, incident, lambda case: p.FinishTask(incident=case.incident, task=name, note=note), **signer)


@task.command(name="list")
@_INCIDENT
@_JSON
@click.pass_obj
def task_list(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print the tasks of INCIDENT: whose they are, until when, and which are done."""
    names, now = names_of(settings), now_ms()
    with OpenLedger(settings) as ledger:
        tasks = resolve(ledger, incident).people.tasks
    if as_json:
        emit(tasks)
        return
    rows = [
        [
            name,
            names.get(one.owner, one.owner),
            when(one.due_at),
            f"done {when(one.done_at)}" if one.done_at else "overdue" if one.due_at < now else "open",
            one.title,
        ]
        for name, one in tasks.items()
    ]
    table(("task", "owner", "due", "state", "what"), rows, "the incident has no task")


@click.command()
@_INCIDENT
@click.argument("text")
@click.option("--at", "happened", type=MOMENT, default=0, help="When it happened (ISO 8601); by default now.")
@_JSON
@signed()
@click.pass_obj
def note(settings: Settings, /, incident: str, text: str, happened: int, **signer: Any) -> None:
    """Tell TEXT for the timeline of INCIDENT; the ledger keeps when it happened, and when it was told.

    Example: headgate incidents note 3f8a2c "customers began to call" --at 2026-01-31T11:40+01:00 --as ana
    """
    ask_on_case(
        settings, incident, lambda case: p.AddNote(incident=case.incident, text=text, happened_at=happened), **signer
    )


@click.command(name="timeline")
@_INCIDENT
@_JSON
@click.pass_obj
def show_timeline(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print what happened on INCIDENT in order: every event, and each note at the time at which it happened.

    A line that was told later says when: the time it stands at is the teller's, the one in brackets the ledger's.

    Example: headgate incidents timeline 3f8a2c
    """
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        lines = timeline(ledger.of(case.incident), names)
    if as_json:
        emit(lines)
        return
    rows = [
        [when(line.at), str(line.entry), line.sentence + (f"  [told {when(line.recorded_at)}]" if line.told_at else "")]
        for line in lines
    ]
    table(("when", "entry", "what"), rows, "nothing has happened")


COMMANDS: tuple[click.Command, ...] = (assume, hand_over, check, checklist, task, note, show_timeline)
