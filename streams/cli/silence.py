"""`headgate silence`: keep known noise from opening incidents and paging, for a while or again and again."""

import re
from pathlib import Path
from typing import Any

import click

from agents.triage.silence import readable, window_at, windows
from schemas.case.silences import AddSilence, Aspect, EndSilence, Matcher, SilenceAdded
from schemas.errors import HeadgateError
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.on_case import MOMENT
from streams.view.rendering import clean, emit, jsonable, table, tell, when
from streams.view.sayings.desk import matched
from streams.view.signing_in import called, names_of, sign_in, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_LASTS = re.compile(r"(\d{1,5})([mhd])", re.ASCII)
_SECONDS = {"m": 60, "h": 3600, "d": 86_400}


@click.group(name="silence")
def command() -> None:
    r"""Add, list and end silences and maintenance windows.

    What a silence covers opens no incident and pages nobody while it holds. Everything is recorded all the same: what
    still stands when it ends opens its incident then. What is open already goes on. A person's report is never silent.

    \b
    Examples:
      headgate silence add model=shuttle subject=sensor_7 --for 2h --reason "sensor 7 is exchanged" --as ana
      headgate silence list
      headgate silence end 3f8a2c --reason "done" --as ana
    """


def _lasting(_ctx: click.Context, _param: click.Parameter, value: str) -> int:
    found = _LASTS.fullmatch(value)
    if found is None:
        raise click.BadParameter("write a number and m, h or d: 90m, 2h, 1d")
    return int(found[1]) * _SECONDS[found[2]]


def _matchers(_ctx: click.Context, _param: click.Parameter, values: tuple[str, ...]) -> tuple[Matcher, ...]:
    known = {aspect.value: aspect for aspect in Aspect}
    made = []
    for text in values:
        name, equals, value = text.partition("=")
        if not equals or name not in known or not value:
            raise click.BadParameter(f"write aspect=value; the aspects are {', '.join(known)}")
        made.append(Matcher(aspect=known[name], value=value))
    return tuple(made)


@command.command()
@click.argument("matchers", nargs=-1, required=True, metavar="ASPECT=VALUE...", callback=_matchers)
@click.option("--for", "lasts", required=True, callback=_lasting, help="How long it, or each window, lasts: 90m, 2h.")
@click.option("--from", "starts_at", type=MOMENT, default=0, help="When it, or the first window, begins; else now.")
@click.option("--rule", default="", help="Again and again: a recurrence rule (RFC 5545), such as FREQ=WEEKLY;BYDAY=SU.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone in which the rule counts days.")
@click.option("--until", "until", type=MOMENT, default=0, help="With a rule: when it ends; 90 days after now, else.")
@click.option("--reason", required=True, help="Why, for the ledger.")
@_JSON
@signed()
@click.pass_obj
def add(
    settings: Settings,
    /,
    matchers: tuple[Matcher, ...],
    lasts: int,
    who: str,
    passphrase_file: Path | None,
    *,
    as_json: bool,
    **said: Any,
) -> None:
    r"""Silence the signals that match every ASPECT=VALUE (system, model, version, instance, mode, category, detector).

    The windows of a rule begin at the local time of --from, through changes of the clock. The policy says how long
    silences may be, and who owns one is who asked for it.

    \b
    Examples:
      headgate silence add system=radiator --for 2h --reason "a planned exchange" --as ana
      headgate silence add model=shuttle --from 2026-12-06T02:00+01:00 --for 1h --rule "FREQ=WEEKLY;BYDAY=SU" \
        --zone Europe/Berlin --until 2027-02-28T00:00Z --reason "the weekly maintenance" --as ana
    """
    now = now_ms()
    rule, starts_at = said["rule"], said["starts_at"] or now
    if rule and not readable(rule, said["zone"]):
        raise HeadgateError(f"{clean(rule[:80])} in {clean(said['zone'][:40])} is no recurrence rule in a time zone")
    body = AddSilence(
        matchers=matchers,
        starts_at=starts_at,
        until=(said["until"] or now + 89 * 86_400_000) if rule else starts_at + lasts * 1000,
        rule=rule,
        zone=said["zone"] if rule else "",
        window_seconds=lasts if rule else 0,
        reason=said["reason"],
    )
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        verdict = ledger.ask(identity, body)
    (event, *_) = verdict.found.events
    name = f"silence {event.silence[:12]} holds until {when(event.until)}" if isinstance(event, SilenceAdded) else None
    tell(verdict, name, as_json=as_json)


@command.command(name="list")
@_JSON
@click.pass_obj
def listing(settings: Settings, *, as_json: bool) -> None:
    """Print the silences in force: what they match, whose they are, why, and their next window.

    Example: headgate silence list --json
    """
    names, now = names_of(settings), now_ms()
    with OpenLedger(settings) as ledger:
        silences = sorted(ledger.state.control.desk.silences.values(), key=lambda one: (one.until, one.silence))
    rows = [_row(one, now) for one in silences]
    if as_json:
        emit([jsonable(one) | row for one, row in zip(silences, rows, strict=True)])
        return
    cells = [
        [
            one.silence[:12],
            row["state"],
            matched(one.matchers),
            called(names, one.principal),
            one.rule or "once",
            f"{when(row['next'][0])} to {when(row['next'][1])}" if row["next"] else "-",
            when(one.until),
            one.reason,
        ]
        for one, row in zip(silences, rows, strict=True)
    ]
    table(("silence", "state", "matches", "owner", "rule", "window", "until", "why"), cells, "no silence is in force")


def _row(one: SilenceAdded, now: int) -> dict[str, Any]:
    held, following = window_at(one, now), windows(one, now, most=1)
    state = "silent" if held else "waits" if following else "ended"
    if one.rule and not readable(one.rule, one.zone):
        state = "unreadable here"
    return {"state": state, "next": held or (following[0] if following else None)}


@command.command()
@click.argument("silence")
@click.option("--reason", required=True, help="Why, for the ledger.")
@_JSON
@signed()
@click.pass_obj
def end(
    settings: Settings, /, silence: str, reason: str, who: str, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """End the silence whose id begins with SILENCE; what it held back and still stands is told now.

    Example: headgate silence end 3f8a2c --reason "done" --as ana
    """
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        found = [name for name in ledger.state.control.desk.silences if silence and name.startswith(silence)]
        if len(found) != 1:
            raise HeadgateError(f"{len(found)} silences in force begin with {clean(silence[:40])}; see the list")
        verdict = ledger.ask(identity, EndSilence(silence=found[0], reason=reason))
    tell(verdict, f"silence {found[0][:12]} is ended", as_json=as_json)
