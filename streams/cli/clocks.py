"""`headgate clocks`: the deadlines that the law sets for reports, with the words that set them.

The clocks of incidents are in streams/cli/clocks_case.py.
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import Any

import click

from agents.regulation.due import Calendar, counted, strict_due
from schemas.errors import PolicyError
from schemas.regulation.catalogue import CATALOGUE_VERSION, REGIMES, digest, regime_named
from schemas.regulation.clocks import AWARENESS, LATER, Clock, Regime, Trigger
from streams.cli import clocks_case
from streams.view.rendering import emit, table, when

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_FIRST_YEAR, _LAST_YEAR = 1990, 2100


@click.group(name="clocks")
def command() -> None:
    r"""List the statutory clocks, compute when a report is due, and follow the clocks of incidents.

    This is an engineer's reading of the law with its citations, and no legal advice.

    \b
    Examples:
      headgate clocks list
      headgate clocks list --regime nis2_23
      headgate clocks compute ai_act_art73 --trigger aware=2026-03-27T16:00:00+01:00 --country DE
      headgate clocks show 3f8a2c
      headgate clocks due --within 72h
    """


@command.command(name="list")
@click.option("--regime", default="", help="Only this regime, with its note and quotes.")
@_JSON
def listing(regime: str, *, as_json: bool) -> None:
    """Print the catalogue: each clock with period, trigger, article, and the article's words.

    Example: headgate clocks list --regime dora_19
    """
    chosen = [regime_named(regime)] if regime else list(REGIMES.values())
    if as_json:
        shown = [_plain(asdict(one)) for one in chosen]
        emit({"version": CATALOGUE_VERSION, "digest": digest(), "regimes": shown})
        return
    if regime:
        _say_regime(chosen[0])
        return
    rows = [
        (clock.key, _period(clock), clock.trigger.value, _source(one, clock)) for one in chosen for clock in one.clocks
    ]
    rows += [(one.name, "no clock", "", one.citation) for one in chosen if not one.clocks]
    table(("clock", "period", "from", "source"), rows)


@command.command()
@click.argument("regime")
@click.option("--tier", default="", help="Only clocks of this tier or report name.")
@click.option("--trigger", "triggers", multiple=True, required=True, help="EVENT=TIME, such as aware=…+01:00; repeat.")
@click.option("--country", default="", help="Whose public holidays count: of the authority's country, such as DE.")
@click.option("--subdivision", default="", help="A part of it, such as BY.")
@click.option("--zone", default="", help="Time zone of the authority; needed where the country has several.")
@click.option("--dora-exempt", is_flag=True, help="A credit institution, CCP, trading venue or NIS2 entity.")
@_JSON
def compute(  # noqa: PLR0913 - each is an option
    regime: str,
    tier: str,
    triggers: tuple[str, ...],
    country: str,
    subdivision: str,
    zone: str,
    *,
    dora_exempt: bool,
    as_json: bool,
) -> None:
    """Compute the strict due time of the clocks of REGIME, and by the calendar of --country the legal one, in words.

    Example: headgate clocks compute nis2_23 --trigger prior_submission=2026-01-31T09:00:00Z --country FR
    """
    moments = dict(_moment(text) for text in triggers)
    chosen = [clock for clock in regime_named(regime).clocks if tier in {"", clock.tier, clock.name}]
    if not chosen:
        raise PolicyError(f"{regime} has no clock {tier!r}" if tier else f"{regime} sets no period: it has no clock")
    calendar = None
    if country:
        from streams.regulation.calendars import calendar as build

        first = min(datetime.fromtimestamp(at / 1000, UTC).year for at in moments.values()) - 1
        calendar = build(country, subdivision=subdivision, zone=zone, first_year=first, years=6, exempt=dora_exempt)
    computed = [_computed(clock, moments, calendar) for clock in chosen]
    if as_json:
        emit({"version": CATALOGUE_VERSION, "digest": digest(), "clocks": computed})
        return
    for one in computed:
        _say(one)


def _computed(clock: Clock, moments: Mapping[Trigger, int], calendar: Calendar | None) -> dict[str, Any]:
    found = {"clock": clock.key, "article": clock.article, "quote": clock.quote, "verbatim": clock.verbatim}
    begun = _begun(clock, moments)
    if begun is None:
        return {**found, "counts_from": clock.trigger.value, "after": clock.after}
    trigger, at = begun
    legal = counted(clock, at, calendar) if calendar is not None else None
    return {
        **found,
        "trigger": trigger.value,
        "assumed": trigger is not _own(clock),
        "strict_due": strict_due(clock, at),
        "legal_due": legal.due if legal else None,
        "counted": legal.steps if legal else (),
    }


def _own(clock: Clock) -> Trigger:
    return Trigger.DISCOVERED if clock.trigger is Trigger.YEAR_END else clock.trigger


def _begun(clock: Clock, moments: Mapping[Trigger, int]) -> tuple[Trigger, int] | None:
    own = _own(clock)
    if own in moments:
        return own, moments[own]
    known = [(moments[one], one) for one in AWARENESS if one in moments]
    if not known or own in LATER or own is Trigger.PRIOR_SUBMISSION:
        return None
    at, trigger = min(known)
    return trigger, at


def _moment(text: str) -> tuple[Trigger, int]:
    name, _, time = text.partition("=")
    names = ", ".join(one.value for one in Trigger if one is not Trigger.YEAR_END)
    try:
        trigger = Trigger(name.strip())
        moment = datetime.fromisoformat(time.strip())
    except ValueError:
        raise PolicyError(
            f"{text[:80]!r} is not EVENT=TIME, such as aware=2026-03-27T16:00Z; events: {names}"
        ) from None
    if moment.tzinfo is None or not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise PolicyError(f"{text[:80]!r}: give a time between {_FIRST_YEAR} and {_LAST_YEAR} with its offset, or Z")
    return trigger, int(moment.timestamp() * 1000)


def _period(clock: Clock) -> str:
    if clock.offset is None:
        return "at once"
    unit = clock.offset.unit.value.replace("_", " ")
    return f"{clock.offset.number} {unit if clock.offset.number != 1 else unit.removesuffix('s')}"


def _source(regime: Regime, clock: Clock) -> str:
    """Return law and article; an article that begins with neither sign names its law itself."""
    law = regime.citation.partition(", Article")[0].partition(" §")[0]
    return f"{law}, {clock.article}" if clock.article.startswith(("Art.", "§")) else clock.article


def _say_regime(regime: Regime) -> None:
    click.echo(f"{regime.title}\n  {regime.citation}; read {regime.verified_on}")
    click.echo(f"  by {', '.join(regime.roles)}, to {regime.recipient}")
    if regime.applies_from is not None:
        click.echo(f"  applies from {regime.applies_from}")
    if regime.note:
        click.echo(f"  {regime.note}")
    for clock in regime.clocks:
        click.echo(f"\n{clock.key}: {_period(clock)} from {clock.trigger.value}{_conditions(clock)}")
        said = f"“{clock.quote}”" if clock.verbatim else f"in other words: {clock.quote}"
        click.echo(f"  {clock.article}: {said}")


def _conditions(clock: Clock) -> str:
    after = f", once {clock.after} was submitted" if clock.after else ""
    needs = f", for {', '.join(clock.needs)}" if clock.needs else ""
    unless = f", not for {', '.join(clock.unless)}" if clock.unless else ""
    return after + needs + unless


def _say(one: Mapping[str, Any]) -> None:
    click.echo(f"{one['clock']}  ({one['article']})")
    if "strict_due" not in one:
        after = f" once {one['after']} was submitted" if one["after"] else ""
        click.echo(f"  does not count yet: it counts from {one['counts_from']}{after}")
        return
    if one["assumed"]:
        click.echo(f"  its own event is not given: {one['trigger']} stands in for it")
    click.echo(f"  strict  {when(one['strict_due'])}  (for alarms: the earliest reading anywhere)")
    if one["legal_due"] is not None:
        click.echo(f"  legal   {when(one['legal_due'])}")
        for step in one["counted"]:
            click.echo(f"          {step}")


def _plain(value: Any) -> Any:
    """Return the data with its dates in words."""
    match value:
        case date():
            return value.isoformat()
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
    return value


for _one in clocks_case.COMMANDS:
    command.add_command(_one)
