"""`headgate messages`: what each audience is told of an incident, who approved it, what was sent, what is due next."""

from pathlib import Path
from typing import Any

import click

from agents.communication.draft import draft as draft_text
from agents.communication.telling import Told
from schemas.case import messages as m
from schemas.case.messages import Audience
from schemas.errors import HeadgateError
from streams.cli.clocks_due import SPAN
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import named, resolve, short
from streams.view.message_lines import dues, message_named, rows, texts_of
from streams.view.on_case import MOMENT
from streams.view.rendering import clean, emit, table, tell, when
from streams.view.sentences import sentence
from streams.view.signing_in import names_of, sign_in, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_MESSAGE = click.argument("message")
_AUDIENCE = click.option(
    "--audience", required=True, type=click.Choice([one.value for one in Audience]), help="Who is told."
)
_VENDOR = click.option("--vendor", default="", metavar="NAME", help="Which vendor, where several are touched.")
_NEXT = click.option(
    "--next-by", "next_by", type=MOMENT, default=0, help="Until when the reader is promised to hear again (ISO 8601)."
)
_MOST_BYTES = 100_000


@click.group(name="messages")
def command() -> None:
    r"""Draft what each audience is told of an incident, have it approved, record what was sent, and see what is due.

    A draft is made from the record and written to the ledger; another person approves it; what was sent is recorded
    with its receipt. Headgate does not send it. MESSAGE is a number of `headgate messages list`.

    \b
    Examples:
      headgate messages preview 3f8a2c --audience affected_users > text.txt
      headgate messages draft 3f8a2c --audience affected_users --edit text.txt --next-by 2026-02-07T12:00 --as ana
      headgate messages approve 3f8a2c 1 --as lea
      headgate messages sent 3f8a2c 1 --channel mail --receipt "<4711@mail>" --as ana
      headgate messages due --within 4h
    """


def _text(ledger: OpenLedger, incident: str, audience: str, next_by: int, vendor: str) -> str:
    case = resolve(ledger, incident)
    told = Told(case=case, systems=ledger.state.control.systems, now=now_ms(), next_update_by=next_by)
    return draft_text(Audience(audience), told, vendor)


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise HeadgateError(f"{path} is no UTF-8 text") from None


@command.command()
@_INCIDENT
@_AUDIENCE
@_NEXT
@_VENDOR
@click.pass_obj
def preview(settings: Settings, /, incident: str, audience: str, next_by: int, vendor: str) -> None:
    """Print the draft for an audience as the record gives it, and write nothing.

    Example: headgate messages preview 3f8a2c --audience executive
    """
    with OpenLedger(settings) as ledger:
        click.echo(_text(ledger, incident, audience, next_by, vendor))


@command.command()
@_INCIDENT
@_AUDIENCE
@_NEXT
@_VENDOR
@click.option("--edit", "file", type=click.Path(path_type=Path), help="Take the text in this file instead.")
@_JSON
@signed()
@click.pass_obj
def draft(
    settings: Settings,
    /,
    incident: str,
    audience: str,
    next_by: int,
    vendor: str,
    file: Path | None,
    **signer: Any,
) -> None:
    """Write what an audience is to be told: from the record, or the text of a file that you edited.

    It takes the place of the audience's draft that was not sent.

    Example: headgate messages draft 3f8a2c --audience executive --next-by 2026-02-07T12:00 --as ana
    """
    identity = sign_in(settings, signer["who"], signer["passphrase_file"])
    with OpenLedger(settings) as ledger:
        text = _read(file) if file else _text(ledger, incident, audience, next_by, vendor)
        case = resolve(ledger, incident)
        body = m.DraftMessage(
            incident=case.incident,
            audience=Audience(audience),
            text=text,
            next_update_by=next_by,
            repeat=len(case.messages.by_digest),
        )
        _say(settings, ledger.ask(identity, body), as_json=signer["as_json"])


def _say(settings: Settings, verdict: Any, *, as_json: bool) -> None:
    names = names_of(settings)
    said = "; ".join(named(sentence(event), names) for event in verdict.found.events)
    tell(verdict, said, as_json=as_json)


@command.command()
@_INCIDENT
@_MESSAGE
@_JSON
@signed()
@click.pass_obj
def approve(settings: Settings, /, incident: str, message: str, **signer: Any) -> None:
    """Agree to MESSAGE of INCIDENT exactly as it stands; its author may not, and the policy names the role.

    Read it first: headgate messages show 3f8a2c 1

    Example: headgate messages approve 3f8a2c 1 --as lea
    """
    identity = sign_in(settings, signer["who"], signer["passphrase_file"])
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        body = m.ApproveMessage(incident=case.incident, message=message_named(case, message))
        _say(settings, ledger.ask(identity, body), as_json=signer["as_json"])


@command.command()
@_INCIDENT
@_MESSAGE
@click.option("--channel", required=True, help="How it was sent, such as mail.")
@click.option("--receipt", required=True, help="What shows it, such as the id of the mail.")
@click.option("--file", type=click.Path(path_type=Path), help="What was sent: it must be the text that was approved.")
@_JSON
@signed()
@click.pass_obj
def sent(
    settings: Settings, /, incident: str, message: str, channel: str, receipt: str, file: Path | None, **signer: Any
) -> None:
    """Record that MESSAGE of INCIDENT, which was approved, was sent unaltered.

    Example: headgate messages sent 3f8a2c 1 --channel mail --receipt "<4711@mail>" --as ana
    """
    identity = sign_in(settings, signer["who"], signer["passphrase_file"])
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        digest = message_named(case, message)
        texts = texts_of(ledger.of(case.incident))
        if file is not None and _read(file) != texts[case.messages.by_digest[digest].number].strip():
            raise HeadgateError(f"{file} is not the text that was approved; draft what was sent, and have it approved")
        body = m.RecordSent(incident=case.incident, message=digest, channel=channel, receipt=receipt)
        _say(settings, ledger.ask(identity, body), as_json=signer["as_json"])


@command.command()
@_INCIDENT
@_MESSAGE
@click.pass_obj
def show(settings: Settings, incident: str, message: str) -> None:
    """Print the text of MESSAGE of INCIDENT.

    Example: headgate messages show 3f8a2c 1
    """
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        one = case.messages.by_digest[message_named(case, message)]
        text = texts_of(ledger.of(case.incident))[one.number]
    click.echo("\n".join(clean(line) for line in text.splitlines()))


@command.command(name="list")
@_INCIDENT
@_JSON
@click.pass_obj
def listing(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print the messages of INCIDENT: to whom, by whom, approved by whom, when and how they were sent.

    Example: headgate messages list 3f8a2c
    """
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        found = rows(case, texts_of(ledger.of(case.incident)), names)
    if as_json:
        emit(found)
        return
    cells = [
        [
            str(one["number"]),
            one["audience"],
            one["state"],
            one["author"],
            one["approved_by"] or "nobody",
            f"{when(one['sent_at'])} by {one['channel']}, {one['receipt']}" if one["sent_at"] else "-",
            when(one["next_update_by"]) if one["next_update_by"] else "none",
            one["message"][:12],
        ]
        for one in found
    ]
    table(
        ("message", "audience", "state", "author", "approved by", "sent", "next update", "digest"), cells, "no message"
    )


@command.command()
@click.option("--within", type=SPAN, default="24h", show_default=True, help="How far ahead to look.")
@_JSON
@click.pass_obj
def due(settings: Settings, within: int, *, as_json: bool) -> None:
    """List the updates that audiences must have within a time, or that are overdue; the next due first.

    What was promised counts, and the cadence of the policy, [communication.audiences].

    Example: headgate messages due --within 4h
    """
    now = now_ms()
    with OpenLedger(settings) as ledger:
        control = ledger.state.control
        found = sorted(
            (at, case.incident, audience.value, short(ledger, case.incident), told, case.drill)
            for case in ledger.state.cases.values()
            for at, audience, told in dues(control, case)
            if at <= now + within
        )
    if as_json:
        emit(
            [
                {
                    "incident": incident,
                    "drill": drill,
                    "audience": audience,
                    "due": at,
                    "left_ms": at - now,
                    "missed": told,
                }
                for at, incident, audience, _, told, drill in found
            ]
        )
        return
    cells = [
        [
            name,
            audience,
            when(at),
            "missed" if told else "overdue" if at < now else "due",
            "DRILL: tell nobody outside" if drill else "",
        ]
        for at, _, audience, name, told, drill in found
    ]
    table(("incident", "audience", "due", "state", ""), cells, "no update is due in this time")
