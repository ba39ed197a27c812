"""`headgate delegate`: let another person decide on plans in your place, for a bounded time."""

from pathlib import Path

import click

from schemas.delegation import Delegate, RevokeDelegation
from schemas.errors import HeadgateError
from streams.clock import now_ms
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.on_case import MOMENT, principal_of
from streams.view.rendering import emit, table, tell, when
from streams.view.signing_in import called, key_name, names_of, passphrase_option, sign_in


def _key(ctx: click.Context, param: click.Parameter, value: str) -> str:
    """Return the name of a key, which may be left out where nothing is signed."""
    return key_name(ctx, param, value) if value else value


@click.command(name="delegate")
@click.argument("name", required=False)
@click.option("--until", type=MOMENT, help="When it ends by itself (ISO 8601).")
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--revoke", is_flag=True, help="Take it back; what was approved so counts no more.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--as", "who", metavar="NAME", default="", callback=_key, help="The key of var/keys that signs it.")
@passphrase_option
@click.pass_obj
def command(
    settings: Settings,
    /,
    name: str | None,
    until: int | None,
    reason: str,
    who: str,
    passphrase_file: Path | None,
    **flags: bool,
) -> None:
    r"""Let NAME (a key on this machine, or a principal) approve and deny in your place; without NAME, list who may.

    It is a right of yours that is lent: never a service's, never to whoever proposed the plan, never handed on; your
    own approval and that of your deputy count as one.

    \b
    Examples:
      headgate delegate ben --until 2026-02-14 --reason "on leave" --as ana
      headgate delegate ben --revoke --reason "back" --as ana
      headgate delegate
    """
    if name is None:
        _list(settings, as_json=flags["as_json"])
        return
    if not who:
        raise HeadgateError("say with --as NAME whose right it is")
    to = principal_of(settings, name)
    identity = sign_in(settings, who, passphrase_file)
    if flags["revoke"]:
        body: Delegate | RevokeDelegation = RevokeDelegation(to=to, reason=reason)
    elif until is None:
        raise HeadgateError("say with --until when it ends, such as 2026-02-14T18:00")
    else:
        body = Delegate(to=to, until=until, reason=reason)
    with OpenLedger(settings) as ledger:
        verdict = ledger.ask(identity, body)
    tell(verdict, as_json=flags["as_json"])


def _list(settings: Settings, *, as_json: bool) -> None:
    now = now_ms()
    with OpenLedger(settings) as ledger:
        found = [one for one in ledger.state.control.deputies.delegations.values() if one.until > now]
    if as_json:
        emit([{"principal": one.principal, "to": one.to, "until": one.until} for one in found])
        return
    names = names_of(settings)
    rows = [[called(names, one.principal), called(names, one.to), when(one.until)] for one in found]
    table(("person", "deputy", "until"), rows, "nobody decides in another's place")
