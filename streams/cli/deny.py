"""`headgate deny`: refuse the plan that the ledger holds; one denial ends it, or as many as the policy says."""

from pathlib import Path

import click

from schemas.commands import Deny
from streams.settings import Settings
from streams.view.deciding import Wish, decide
from streams.view.signing_in import signed


@click.command(name="deny")
@click.argument("incident")
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--plan", default="", metavar="DIGEST", help="Only if the plan is the one with this digest.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@signed()
@click.pass_obj
def command(
    settings: Settings,
    /,
    incident: str,
    reason: str,
    plan: str,
    who: str,
    passphrase_file: Path | None,
    **flags: bool,
) -> None:
    r"""Deny the plan of INCIDENT: it ends, and nothing of it is carried out.

    \b
    Examples:
      headgate deny 3f8a2c --as ana --reason "version 1 has a known fault too"
      headgate deny 3f8a2c --as ben --plan 91d0… --yes --json
    """
    wish = Wish(
        incident=incident,
        who=who,
        plan=plan,
        reason=reason,
        step_up=False,
        passphrase_file=passphrase_file,
        yes=flags["yes"],
        as_json=flags["as_json"],
    )
    decide(settings, wish, "deny", lambda named, digest, said: Deny(incident=named, plan=digest, reason=said.reason))
