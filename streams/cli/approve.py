"""`headgate approve`: agree to exactly the plan that the ledger holds."""

from pathlib import Path

import click

from schemas.commands import Approve, RevokeApproval
from streams.settings import Settings
from streams.view.deciding import Decision, Said, Wish, decide
from streams.view.signing_in import signed


@click.command(name="approve")
@click.argument("incident")
@click.option("--reason", default="", help="Why, for the ledger.")
@click.option("--plan", default="", metavar="DIGEST", help="Only if the plan is the one with this digest.")
@click.option("--revoke", is_flag=True, help="Take your approval back; possible until execution starts.")
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
    r"""Approve the plan of INCIDENT with the key of a person who holds the role that the policy asks for.

    The plan is shown first: each target before and after, its impact and its dry run. The signature covers the plan's
    digest, so it is worth nothing for any other plan. Where the policy asks for a step-up (SEV1 and SEV2 as shipped),
    the first 8 digits of the digest are typed once more, or given with --plan, and signed with the time: the ledger
    then shows that whoever held the key named this very plan just before, not that they understood it. The command
    ends when the ledger has decided it: exit 0 when it counts, exit 1 with the reason when it is refused.

    \b
    Examples:
      headgate approve 3f8a2c --as ana --reason "version 1 was clear for a month"
      headgate approve 3f8a2c --as ben --plan 91d0c7aa --yes --reason "seen, and agreed"
      headgate approve 3f8a2c --as ana --revoke --reason "traffic has recovered"
    """

    def body(incident: str, digest: str, said: Said) -> Decision:
        if flags["revoke"]:
            return RevokeApproval(incident=incident, plan=digest, reason=said.reason)
        return Approve(
            incident=incident,
            plan=digest,
            reason=said.reason,
            confirmed=said.confirmed,
            confirmed_at=said.confirmed_at,
        )

    wish = Wish(
        incident=incident,
        who=who,
        plan=plan,
        reason=reason,
        step_up=not flags["revoke"],
        passphrase_file=passphrase_file,
        yes=flags["yes"],
        as_json=flags["as_json"],
    )
    decide(settings, wish, "take back your approval of" if flags["revoke"] else "approve", body)
