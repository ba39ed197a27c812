"""`headgate evidence`: everything that a regulator or a court needs to check one incident, in one package."""

import json
import sys
from pathlib import Path

import click

from schemas.errors import HeadgateError
from streams.documents import fetch
from streams.kafka import Clients
from streams.ledger.keyring import read_trust, trust_path
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.incident_view import resolve
from streams.view.rendering import clean, emit
from streams.view.signing_in import names_of

_MAX_SEALED = 1 << 30


@click.group(name="evidence")
def command() -> None:
    r"""Build and verify evidence packages.

    \b
    Examples:
      headgate evidence package 3f8a2c --out case.zip
      headgate evidence verify case/ --trust trust-from-the-operator.json
    """


@command.command()
@click.argument("incident")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="A new folder, or a new FILE.zip.")
@click.option("--with-evidence", is_flag=True, help="Hand over the encrypted evidence, too; never its key.")
@click.option("--only-incident", is_flag=True, help="Leave other incidents out; then decisions cannot be made again.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_obj
def package(
    settings: Settings, incident: str, out: Path, *, with_evidence: bool, only_incident: bool, as_json: bool
) -> None:
    """Build the evidence package of INCIDENT: proofs, documents, reports, and a verifier that needs only Python.

    The whole ledger goes along, because each decision rests on every entry before it; --only-incident leaves it out.

    Example: headgate evidence package 3f8a2c --out case.zip
    """
    from streams.ledger.source import Topic
    from streams.reports.package import Wanted, build

    names, clients = names_of(settings), Clients(settings)
    with OpenLedger(settings) as ledger:
        chosen = resolve(ledger, incident).incident
    wanted = Wanted(
        incident=chosen,
        names=names,
        documents=lambda digests: fetch(clients, settings.ledger, digests),
        sealed=(lambda digest: _sealed(settings, chosen, digest)) if with_evidence else None,
        whole=not only_incident,
    )
    built = build(Topic(settings), read_trust(trust_path(settings)), wanted, out)
    if as_json:
        emit({"out": str(out), "files": built.files, "manifest_sha256": built.manifest, "verified": built.said})
        return
    for line in built.said:
        click.echo(clean(line))
    click.echo(f"{built.files} files in {out}; tell the receiver the SHA-256 of its manifest, {built.manifest}")


def _sealed(settings: Settings, incident: str, digest: str) -> bytes:
    """Return an encrypted file of the evidence as it stands on the disk."""
    path = settings.archive_directory / "evidence" / incident / digest
    try:
        with path.open("rb") as file:
            return file.read(_MAX_SEALED)
    except OSError as error:
        raise HeadgateError(f"the sealed file is not on this machine ({error.strerror})") from None


@command.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option("--trust", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", help="Whom you believe.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def verify(directory: Path, trust: Path | None, *, as_json: bool) -> None:
    """Verify an unpacked package with this Headgate's own verifier, without Kafka; exit 1 where something is wrong.

    Example: headgate evidence verify case/ --trust trust.json
    """
    from streams.reports.verify_package import check

    good, said = check(directory, trust)
    if as_json:
        click.echo(json.dumps({"verified": good, "said": said}, indent=2))
    else:
        click.echo("\n".join([*map(clean, said), "VERIFIED" if good else "NOT VERIFIED"]))
    if not good:
        sys.exit(1)
