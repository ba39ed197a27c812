"""`headgate oncall`: who is on call, where nobody is, and who would be paged when."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import click

from agents.oncall.forecast import forecast
from agents.oncall.schedule import DAY, MAX_DAYS, Shift, gaps, next_on_call, on_call, whole_shifts
from agents.oncall.targets import persons_of
from schemas import oncall
from schemas.documents import MAX_DOCUMENT_BYTES
from schemas.errors import PolicyError
from schemas.escalation import Ack, CaseFacts
from schemas.oncall import OnCall
from schemas.values import Category, Severity
from streams.clock import now_ms
from streams.oncall import words
from streams.settings import DEPLOY, Settings
from streams.view import adoption
from streams.view.rendering import clean, emit, table, when
from streams.view.signing_in import sign_in, signed


class _Moment(click.ParamType):
    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the ms of a time in ISO 8601."""
        if isinstance(value, int):
            return value
        try:
            return words.moment(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


_FILE = click.option(
    "--file",
    "document",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=DEPLOY / "oncall.toml",
    help="The on-call document; by default the one that is deployed.",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_AT = click.option("--at", type=_Moment(), default=now_ms, help="A time, 2026-12-24T09:00+01:00; by default now.")
_DAYS = click.option("--days", type=click.IntRange(1, MAX_DAYS), default=30, show_default=True, help="How far ahead.")
_SCHEDULE = click.option("--schedule", default="", help="Only this schedule.")


@click.group(name="oncall")
def command() -> None:
    r"""Who is on call, where nobody is, and who would be paged when.

    Reads an on-call document (people, roles, schedules, overrides, escalation policies); needs no broker.

    \b
    Examples:
      headgate oncall show --at 2026-12-24T20:00+01:00
      headgate oncall gaps --days 30
      headgate oncall explain --severity sev1 --category fairness
      headgate oncall export primary.ics --schedule primary
      headgate oncall import swaps.ics --schedule primary --who Ada >> oncall.toml
    """


@command.command()
@_AT
@_FILE
@_JSON
def show(at: int, document: Path, *, as_json: bool) -> None:
    """Print who is on call in every schedule, and who is next; who answers for every role; the policies in order.

    Example: headgate oncall show --at 2026-12-24T20:00+01:00
    """
    read = _read(document)
    rows = [_standing(read, name, at) for name in read.schedules]
    roles = {role: persons_of(read, f"role:{role}", at) for role in read.roles}
    if as_json:
        emit({"at": at, "schedules": rows, "roles": roles, "policies": [policy.name for policy in read.policies]})
        return
    cells = []
    for row in rows:
        following, where = row["next"], read.schedules[row["schedule"]].zone
        then = (
            f"{words.names(read, following.persons)} from {words.local(following.start, where)}" if following else "-"
        )
        cells.append([row["schedule"], words.names(read, row["on_call"]), then])
    table(("schedule", "on call", "next"), cells, "no schedule is declared")
    click.echo()
    table(("role", "answers for it"), [[role, words.names(read, held)] for role, held in roles.items()])
    click.echo()
    final = [[policy.name, str(len(policy.steps)), str(policy.repeat + 1), policy.final] for policy in read.policies]
    table(("policy, the first that matches wins", "steps", "rounds", "final role"), final)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@_JSON
def check(file: Path, *, as_json: bool) -> None:
    """Say whether FILE is a valid on-call document, and its digest; exit 1 with one sentence where it is not.

    Example: headgate oncall check deploy/oncall.toml
    """
    adoption.say_checked("oncall", file, as_json=as_json)


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@_JSON
@signed(default="admin")
@click.pass_obj
def adopt(settings: Settings, file: Path, who: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Page by the on-call document in FILE from now on, signed by an administrator.

    The principal of each person is what `headgate keys list` shows. Paging that has begun goes on by its own policy.

    Example: headgate oncall adopt oncall.toml --as admin
    """
    adoption.checked("oncall", file)
    adoption.say_adopted("oncall", file, settings, sign_in(settings, who, passphrase_file), as_json=as_json)


@command.command(name="shifts")
@_AT
@_DAYS
@_SCHEDULE
@_FILE
@_JSON
def listing(at: int, days: int, schedule: str, document: Path, *, as_json: bool) -> None:
    """Print the shift that runs and those that follow, overrides merged, gaps as NOBODY.

    Example: headgate oncall shifts --days 14 --schedule primary
    """
    _say(_read(document), schedule, at, days, whole_shifts, as_json=as_json)


@command.command(name="gaps")
@_AT
@_DAYS
@_SCHEDULE
@_FILE
@_JSON
@click.pass_context
def missing(ctx: click.Context, at: int, days: int, schedule: str, document: Path, *, as_json: bool) -> None:
    """Print when nobody is on call; exit 1 where there is such a time.

    Example: headgate oncall gaps --days 30
    """
    if _say(_read(document), schedule, at, days, gaps, as_json=as_json):
        ctx.exit(1)


@command.command()
@click.argument("file", type=click.File("wb"))
@click.option("--schedule", required=True, help="The schedule to write.")
@_AT
@_DAYS
@_FILE
def export(file: BinaryIO, schedule: str, at: int, days: int, document: Path) -> None:
    """Write the shifts of a schedule to FILE as a calendar (iCalendar), gaps as events of NOBODY; - is standard output.

    Example: headgate oncall export primary.ics --schedule primary --days 90
    """
    from streams.oncall import ical

    read = _read(document)
    planned = whole_shifts(read.schedules[_known(read, schedule)], read.overrides_of(schedule), at, at + days * DAY)
    file.write(ical.export(read, schedule, planned, now_ms()))
    click.echo(f"{len(planned)} shifts of {schedule} over {days} days", err=True)


@command.command(name="import")
@click.argument("file", type=click.File("rb"))
@click.option("--schedule", required=True, help="The schedule that the overrides are for.")
@click.option("--who", required=True, help="Who decided them; stands in the document.")
@_FILE
@_JSON
def take(file: BinaryIO, schedule: str, who: str, document: Path, *, as_json: bool) -> None:
    """Print the events of a calendar (iCalendar) as overrides, to be put into the document; nothing is changed.

    An event's summary is a person's key or name, or its X-HEADGATE-PERSON is.

    Example: headgate oncall import swaps.ics --schedule primary --who Ada >> oncall.toml
    """
    from streams.oncall import ical

    read = _read(document)
    found = ical.overrides(file.read(ical.MAX_BYTES + 1), read, schedule, who)
    text = words.toml(found)
    # What is printed is promised to fit: the document with it is read as a whole.
    oncall.read(document.read_bytes() + b"\n" + text.encode(), f"{document} with these overrides")
    if as_json:
        emit([one.model_dump(mode="json") for one in found])
        return
    click.echo(text, nl=False)
    click.echo(f"{len(found)} overrides", err=True)


@command.command()
@click.option("--severity", type=click.Choice([one.value for one in Severity]), required=True)
@click.option("--category", type=click.Choice([one.value for one in Category]), required=True)
@click.option("--tier", type=click.Choice(["high", "medium", "low"]), default="high", show_default=True)
@click.option("--system", default="", help="System that it touches.")
@click.option("--clock", type=click.IntRange(0, 1000), help="Per cent of a statutory clock that have run.")
@click.option("--uncertainty", type=float, help="Of the decisions that it touches.")
@click.option("--risk", type=float, help="Of the decisions that it touches.")
@click.option("--signals", type=click.IntRange(0, 1000), default=1, show_default=True, help="Raised as paging begins.")
@_AT
@_FILE
@_JSON
def explain(at: int, document: Path, signals: int, clock: int | None, *, as_json: bool, **known: Any) -> None:
    """Say who would be paged when, if paging began and nobody acknowledged.

    Example: headgate oncall explain --severity sev1 --category fairness
    """
    read = _read(document)
    known |= {"severity": Severity(known["severity"]), "category": Category(known["category"])}
    told = forecast(read, CaseFacts(clock_percent=clock, signals=(at,) * signals, **known), at)
    if told is None:
        if as_json:
            emit({"policy": None, "at": at, "events": []})
        else:
            click.echo(f"No policy speaks of a clock that has run for {clock} %; nobody is paged.")
        return
    if as_json:
        emit({"policy": told.policy.name, "at": at, "events": [_event(event) for event in told.events]})
        return
    policy = told.policy
    click.echo(f"Policy {policy.name} is the first that matches. From {when(at)}, while nobody acknowledges:")
    lines = words.escalation(read, told)
    width = max(len(moment) for moment, _ in lines)
    for moment, said in lines:
        click.echo(f"  {moment.ljust(width)}  {clean(said)}")
    kept = policy.acknowledge_timeout_seconds
    until = f"counts for {words.lasting(kept * 1000)}; then its step pages again" if kept else "counts until it is over"
    last = " (the last one, where all must)" if any(one.ack is Ack.ALL for one in policy.steps) else ""
    click.echo(f"An acknowledgement{last} stops this, and {until}.")


def _event(event: Any) -> dict[str, Any]:
    fields = {name: getattr(event, name) for name in type(event).__dataclass_fields__}
    return {"type": type(event).__name__, **fields}


def _read(document: Path) -> OnCall:
    with document.open("rb") as opened:
        return oncall.read(opened.read(MAX_DOCUMENT_BYTES + 1), str(document))


def _known(read: OnCall, schedule: str) -> str:
    if schedule not in read.schedules:
        raise PolicyError(
            f"there is no schedule {clean(schedule)[:60]}; there is {', '.join(read.schedules) or 'none'}"
        )
    return schedule


def _standing(read: OnCall, name: str, at: int) -> dict[str, Any]:
    schedule, overrides = read.schedules[name], read.overrides_of(name)
    return {
        "schedule": name,
        "on_call": on_call(schedule, overrides, at),
        "next": next_on_call(schedule, overrides, at),
    }


def _say(
    read: OnCall, schedule: str, at: int, days: int, ask: Callable[..., tuple[Shift, ...]], *, as_json: bool
) -> bool:
    """Print shifts of one or all schedules; return whether there are any."""
    chosen = [_known(read, schedule)] if schedule else list(read.schedules)
    found = [
        (name, shift)
        for name in chosen
        for shift in ask(read.schedules[name], read.overrides_of(name), at, at + days * DAY)
    ]
    if as_json:
        emit([{"schedule": name, "persons": one.persons, "start": one.start, "end": one.end} for name, one in found])
    else:
        none = f"somebody is on call in every schedule for {days} days"
        cells = [words.shift_row(read, name, shift) for name, shift in found]
        table(("schedule", "from", "until", "for", "on call"), cells, none)
    return bool(found)
