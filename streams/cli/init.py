"""`headgate init`: topics, keys, the first entry of a ledger, and the trust file for everybody else."""

from pathlib import Path
from typing import Any

import click

from agents.ledger.fold import Trust
from schemas.documents import digest
from schemas.errors import HeadgateError
from streams.ledger.genesis import ask, begin
from streams.ledger.keyring import trust_path
from streams.settings import DEPLOY, Settings
from streams.view.adoption import adoption, checked, in_force
from streams.view.asking import OpenLedger, registrar_runs, topics_of
from streams.view.rendering import emit
from streams.view.signing_in import passphrase_option, sign_in


@click.command(name="init")
@click.option("--policy", type=click.Path(path_type=Path), metavar="FILE", help="Adopt this policy.")
@click.option("--systems", type=click.Path(path_type=Path), metavar="FILE", help="Watch these systems.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@passphrase_option
@click.pass_obj
def command(
    settings: Settings, policy: Path | None, systems: Path | None, passphrase_file: Path | None, *, as_json: bool
) -> None:
    r"""Begin the ledger that HEADGATE_LEDGER names on your Kafka, or go on with it; safe to run again.

    It creates the topics, makes the keys of an administrator and of each role in var/keys, writes the ledger's first
    entry, and var/trust.json, by which everybody else verifies the ledger. Then it asks that the policy be adopted
    (the one that Headgate comes with, unless FILE is named or one is in force), and the systems where FILE is named.

    \b
    Examples:
      headgate broker &
      headgate init --systems deploy/systems.toml
      headgate run registrar
    """
    files = {kind: path for kind, path in (("policy", policy), ("systems", systems)) if path is not None}
    documents = {kind: checked(kind, path) for kind, path in files.items()}
    topics_of(settings)
    begun = not trust_path(settings).exists()
    trust = begin(settings) if begun else None
    with OpenLedger(settings, trust) as ledger:
        if "policy" not in documents and not in_force("policy", ledger):
            documents["policy"] = checked("policy", DEPLOY / "policy.toml")
        adopted = _adopt(settings, ledger, documents, passphrase_file)
        answer = {
            "ledger": settings.ledger,
            "genesis": ledger.trust.genesis,
            "trust": str(trust_path(settings)),
            "begun": begun,
            "entries": len(ledger.entries),
            **adopted,
        }
    if as_json:
        emit(answer)
    else:
        _say(settings, ledger.trust, answer)


def _adopt(
    settings: Settings, ledger: OpenLedger, documents: dict[str, bytes], passphrase_file: Path | None
) -> dict[str, Any]:
    """Ask for what is not in force yet; wait for the verdict only where somebody is there to give it."""
    wanted = {kind: document for kind, document in documents.items() if digest(document) != in_force(kind, ledger)}
    if not wanted:
        return {"asked": [], "adopted": []}
    admin = sign_in(settings, "admin", passphrase_file)
    bodies = [adoption(kind, document) for kind, document in wanted.items()]
    if not registrar_runs(settings):
        ask(settings, ledger.trust, admin, list(bodies))
        return {"asked": sorted(wanted), "adopted": []}
    for kind, body in zip(wanted, bodies, strict=True):
        if (refusal := ledger.ask(admin, body).refusal) is not None:
            raise HeadgateError(f"the {kind} is refused: {refusal.detail}")
    return {"asked": sorted(wanted), "adopted": sorted(wanted)}


def _say(settings: Settings, trust: Trust, answer: dict[str, Any]) -> None:
    if answer["begun"]:
        click.echo(f"ledger {settings.ledger} is begun; its genesis is {trust.genesis}")
        click.echo(f"private keys are in {settings.keys_directory}: keep them where their roles run, and secret")
        click.echo(f"{answer['trust']} is public: give it to everybody who verifies the ledger")
    else:
        click.echo(f"ledger {settings.ledger} exists with {answer['entries']} entries, and {answer['trust']} is of it")
    waiting = [kind for kind in answer["asked"] if kind not in answer["adopted"]]
    if waiting:
        click.echo(f"{' and '.join(waiting)} asked for; adopted as soon as a registrar runs: headgate run registrar")
    for kind in answer["adopted"]:
        click.echo(f"{kind} adopted")
    if answer["begun"]:
        click.echo("next: headgate keys new NAME, and headgate keys enrol FILE.pub --role ml_manager")
