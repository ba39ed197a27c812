"""`headgate incidents post-mortem`: written from the record, shown, and accepted by somebody who did not write it."""

from pathlib import Path
from typing import Any

import click

from schemas.case import learning as s
from streams.settings import Settings
from streams.view import post_mortem as files
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.learning import history_of, parts_of, show_post_mortem
from streams.view.on_case import ask_on_case
from streams.view.rendering import emit, jsonable, tell
from streams.view.signing_in import names_of, sign_in, signed

_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")
_INCIDENT = click.argument("incident")
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_LEAST_DIGEST = 12


@click.group(name="post-mortem")
def post_mortem() -> None:
    r"""Write, show and accept the post-mortem of an incident; no incident is closed without an accepted one.

    \b
    Examples:
      headgate incidents post-mortem template 3f8a2c > learnt.toml
      headgate incidents post-mortem write learnt.toml --as ana
      headgate incidents post-mortem show 3f8a2c
      headgate incidents post-mortem accept 3f8a2c --digest 9b1d… --as max
    """


@post_mortem.command(name="template")
@_INCIDENT
@_JSON
@click.pass_obj
def post_mortem_template(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print a file for the post-mortem of INCIDENT, prefilled from the record.

    Example: headgate incidents post-mortem template 3f8a2c > learnt.toml
    """
    names = names_of(settings)
    with OpenLedger(settings) as ledger:
        case = resolve(ledger, incident)
        text = files.template(history_of(ledger, case), names)
    if as_json:
        emit({"incident": case.incident, "template": text})
    else:
        click.echo(text, nl=False)


@post_mortem.command(name="write")
@click.argument("file", type=_FILE)
@_JSON
@signed()
@click.pass_obj
def post_mortem_write(settings: Settings, file: Path, who: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Write the post-mortem in FILE into the ledger; written again, it is to be accepted again.

    Example: headgate incidents post-mortem write learnt.toml --as ana
    """
    body = files.read(file)
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        verdict = ledger.ask(identity, body)
        case = ledger.state.cases.get(body.incident)
    tell(verdict, f"the post-mortem has the digest {case.learning.written if case else ''}", as_json=as_json)


@post_mortem.command(name="show")
@_INCIDENT
@_JSON
@click.pass_obj
def post_mortem_show(settings: Settings, incident: str, *, as_json: bool) -> None:
    """Print the newest post-mortem of INCIDENT, its digest, and whether it is accepted."""
    with OpenLedger(settings) as ledger:
        history = history_of(ledger, resolve(ledger, incident))
    if not as_json:
        show_post_mortem(history, names_of(settings))
        return
    learning, written = history.case.learning, history.post_mortem
    emit(
        {
            "incident": history.incident,
            "digest": learning.written,
            "authors": learning.authors,
            "accepted_by": learning.accepted_by,
            "parts": parts_of(written.text) if written else None,
            "causes": jsonable(history.causes),
            "actions": jsonable(history.case.people.tasks),
        }
    )


@post_mortem.command(name="accept")
@_INCIDENT
@click.option("--digest", "named", required=True, help="Its digest, at least the first 12 digits.")
@_JSON
@signed()
@click.pass_obj
def post_mortem_accept(settings: Settings, /, incident: str, named: str, **signer: Any) -> None:
    """Accept exactly the post-mortem of INCIDENT with this digest; nobody accepts what they wrote.

    Example: headgate incidents post-mortem accept 3f8a2c --digest 9b1d20c4a7e1 --as max
    """
    if len(named) < _LEAST_DIGEST:
        raise click.UsageError(f"--digest names at least {_LEAST_DIGEST} digits.")

    def accept(incident: str, written: str) -> s.AcceptPostMortem:
        return s.AcceptPostMortem(incident=incident, digest=written if written.startswith(named) else named)

    ask_on_case(settings, incident, lambda case: accept(case.incident, case.learning.written), **signer)
