"""`headgate policy`: how Headgate judges; checked offline, adopted by an entry of the ledger."""

from pathlib import Path

import click

from streams.cli import propose
from streams.settings import Settings
from streams.view import adoption
from streams.view.signing_in import sign_in, signed

_FILE = click.argument("file", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group(name="policy")
def command() -> None:
    r"""Check, adopt, list and show the policy: thresholds, severities, approval, recovery.

    Every role follows the policy that the ledger adopted last, never a file. An incident keeps the one it opened under.

    \b
    Examples:
      headgate policy check deploy/policy.toml
      headgate policy adopt deploy/policy.toml --as admin
      headgate policy show > policy.toml
    """


@command.command()
@_FILE
@_JSON
def check(file: Path, *, as_json: bool) -> None:
    """Say whether FILE is a valid policy, and its digest; exit 1 with one sentence where it is not.

    Example: headgate policy check deploy/policy.toml
    """
    adoption.say_checked("policy", file, as_json=as_json)


@command.command()
@_FILE
@_JSON
@signed(default="admin")
@click.pass_obj
def adopt(settings: Settings, file: Path, who: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Have the ledger adopt the policy in FILE, signed by an administrator.

    Example: headgate policy adopt policy.toml --as admin
    """
    adoption.checked("policy", file)
    adoption.say_adopted("policy", file, settings, sign_in(settings, who, passphrase_file), as_json=as_json)


@command.command(name="list")
@_JSON
@click.pass_obj
def listing(settings: Settings, *, as_json: bool) -> None:
    """Print every policy that the ledger has adopted, and which is in force."""
    adoption.say_history("policy", settings, as_json=as_json)


@command.command()
@click.argument("digest", default="")
@_JSON
@click.pass_obj
def show(settings: Settings, digest: str, *, as_json: bool) -> None:
    """Print the policy in force as it was adopted, or the one whose DIGEST begins so.

    Example: headgate policy show 3f8a2c
    """
    adoption.say_document("policy", settings, digest, as_json=as_json)


command.add_command(propose.command)
