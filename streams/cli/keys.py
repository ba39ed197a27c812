"""`headgate keys`: make keys, have them enrolled and revoked by the ledger, and see who holds what."""

from pathlib import Path
from typing import Any

import click

from schemas.commands import EnrolKey, Enrolment, RevokeKey
from schemas.errors import HeadgateError, KeyRefusedError
from schemas.values import Role
from streams.ledger.keyring import create, load_public
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.rendering import emit, table, tell
from streams.view.signing_in import key_name, protected, read_passphrase, sign_in, signed


@click.group(name="keys")
def command() -> None:
    r"""Make keys, list them, and have the ledger enrol or revoke them.

    A private key stays in var/keys on the machine of its owner. Its public line, NAME.pub, goes to an administrator,
    who has it enrolled with a role; from that entry of the ledger on it may sign.

    \b
    Examples:
      headgate keys new ana
      headgate keys enrol var/keys/ana.pub --role ml_manager
      headgate keys list
      headgate keys revoke 3f8a2c --reason "laptop lost"
    """


@command.command()
@click.argument("name", callback=key_name)
@click.option("--passphrase", "ask", is_flag=True, help="Ask for a passphrase that protects the key.")
@click.option("--passphrase-file", type=click.Path(path_type=Path), metavar="FILE", help="Read the passphrase here.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def new(settings: Settings, name: str, passphrase_file: Path | None, *, ask: bool, as_json: bool) -> None:
    """Make a key of your own: NAME.pem, which stays here, and NAME.pub, which is to be enrolled.

    Example: headgate keys new ana --passphrase
    """
    passphrase = None
    if passphrase_file is not None:
        passphrase = read_passphrase(passphrase_file)
    elif ask:
        passphrase = str(click.prompt("passphrase", hide_input=True, confirmation_prompt=True, err=True)).encode()
    made = create(settings.keys_directory, name, passphrase)
    public = settings.keys_directory / f"{name}.pub"
    if as_json:
        emit({"name": name, "key": made.key.key_id, "principal": made.principal, "public": str(public)})
        return
    click.echo(f"key {made.key.key_id} of {made.principal} is in {settings.keys_directory / name}.pem; keep it secret")
    click.echo(f"an administrator enrols it: headgate keys enrol {public} --role ml_manager")


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def listing(settings: Settings, *, as_json: bool) -> None:
    """Print this machine's keys and those of the ledger: enrolled, revoked or neither, and their roles.

    Without a ledger in reach this machine's keys are listed alone, and why is said on standard error.
    """
    rows = _local(settings)
    try:
        with OpenLedger(settings) as ledger:
            _add_enrolled(rows, ledger)
    except HeadgateError as error:
        click.echo(f"headgate: the ledger is not asked: {error}", err=True)
    ordered = sorted(rows.values(), key=lambda row: (row["state"] == "revoked", row["name"] or "~", row["key"]))
    if as_json:
        emit(ordered)
        return
    cells = [
        [
            row["name"] or "-",
            row["key"],
            row["principal"],
            row["state"] + (", protected" if row["protected"] else ""),
            ", ".join(row["roles"]) or "-",
        ]
        for row in ordered
    ]
    table(("name", "key", "principal", "state", "roles"), cells, "no keys; `headgate keys new NAME` makes one")


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--role",
    "roles",
    type=click.Choice([role.value for role in Role]),
    multiple=True,
    required=True,
    help="What its owner is trusted with; may be given several times.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@signed(default="admin")
@click.pass_obj
def enrol(
    settings: Settings, file: Path, roles: tuple[str, ...], who: str, passphrase_file: Path | None, *, as_json: bool
) -> None:
    """Have the ledger enrol the public key in FILE, signed by an administrator.

    Example: headgate keys enrol var/keys/ana.pub --role ml_manager
    """
    public, principal = load_public(file)
    identity = sign_in(settings, who, passphrase_file)
    enrolment = Enrolment(principal=principal, public_key=public.raw, roles=tuple(Role(role) for role in roles))
    with OpenLedger(settings) as ledger:
        known = ledger.state.control.keys.get(public.key_id)
        if known is not None and known.revoked:
            raise KeyRefusedError(f"key {public.key_id} was revoked, for ever; its owner needs a new one")
        verdict = ledger.ask(identity, EnrolKey(enrolment=enrolment))
    tell(verdict, f"key {public.key_id} of {principal} is enrolled as {', '.join(roles)}", as_json=as_json)


@command.command()
@click.argument("key")
@click.option("--reason", required=True, help="Why, for the ledger.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@signed(default="admin")
@click.pass_obj
def revoke(settings: Settings, key: str, reason: str, who: str, passphrase_file: Path | None, *, as_json: bool) -> None:
    """End the validity of KEY, an enrolled key's id or the beginning of one, from this entry of the ledger on.

    Example: headgate keys revoke 3f8a2c --reason "laptop lost"
    """
    identity = sign_in(settings, who, passphrase_file)
    with OpenLedger(settings) as ledger:
        found = _enrolled(ledger, key)
        verdict = ledger.ask(identity, RevokeKey(key=found, reason=reason))
    tell(verdict, f"key {found} is revoked", as_json=as_json)


def _enrolled(ledger: OpenLedger, prefix: str) -> str:
    matching = [key for key in ledger.state.control.keys if prefix and key.startswith(prefix)]
    if len(matching) != 1:
        what = f"{len(matching)} enrolled keys begin" if matching else "no enrolled key begins"
        raise KeyRefusedError(f"{what} with {prefix:.40}; `headgate keys list` lists them")
    return matching[0]


def _local(settings: Settings) -> dict[str, dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for path in sorted(settings.keys_directory.glob("*.pub")):
        try:
            public, principal = load_public(path)
        except KeyRefusedError as error:
            click.echo(f"headgate: {error}", err=True)
            continue
        rows[public.key_id] = {
            "name": path.stem,
            "key": public.key_id,
            "principal": principal,
            "state": "not enrolled",
            "roles": [],
            "protected": protected(path.with_suffix(".pem")),
        }
    return rows


def _add_enrolled(rows: dict[str, dict[str, Any]], ledger: OpenLedger) -> None:
    control = ledger.state.control
    log = ledger.trust.log.key.key_id
    if log in rows:
        rows[log]["state"] = "signs checkpoints"
    for key, enrolled in control.keys.items():
        row = rows.setdefault(key, {"name": "", "key": key, "principal": enrolled.principal, "protected": False})
        row["state"] = "revoked" if enrolled.revoked else "enrolled"
        row["roles"] = sorted(role.value for role in control.roles.get(enrolled.principal, frozenset()))
