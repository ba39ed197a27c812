"""`headgate archive`: what is kept, what is deleted, and the evidence of an incident."""

import json
from pathlib import Path
from typing import Any

import click

from agents.archive.held import windows
from schemas.errors import HeadgateError
from streams.archive.evidence import evidence_store
from streams.archive.index import ArchiveIndex
from streams.archive.retention import prune
from streams.archive.store import SealedStore
from streams.clock import now_ms
from streams.kafka import Clients
from streams.ledger.keyring import archive_key, read_trust, trust_path
from streams.ledger.reader import LedgerReader
from streams.settings import Settings


@click.group(name="archive")
def command() -> None:
    r"""Show and prune the archive of predictions, and read evidence back.

    The archive is a directory of encrypted files (HEADGATE_ARCHIVE, or archive below HEADGATE_VAR); its key is
    archive.key among this machine's keys. Policy says what is kept, and for how many days.

    \b
    Examples:
      headgate archive status
      headgate archive evidence INCIDENT --out evidence/
    """


@command.command(name="status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def status(settings: Settings, *, as_json: bool) -> None:
    """Say what is kept: files, rows and bytes by model, and what was seen, kept, repeated and refused."""
    index = ArchiveIndex(settings.archive_directory, archive_key(settings.keys_directory))
    found = {"directory": str(settings.archive_directory), **index.summary()}
    index.close()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    for entry in found["models"]:
        click.echo(
            f"{entry['model'][:40]:40} {entry['kind'][:20]:20} {entry['files']:8,} files {entry['rows']:12,} rows"
            f" {entry['bytes']:14,} bytes"
        )
    for name, value in found["counters"].items():
        click.echo(f"{name:40} {value:,}")
    click.echo(f"{'expired files':40} {found['expired_files']:,}")


@command.command(name="prune")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def prune_command(settings: Settings, *, as_json: bool) -> None:
    """Delete what the policy in force no longer keeps and no case holds; `headgate run archive` does so every hour."""
    state = _ledger(settings).fold.state
    policy = state.control.policy
    if policy is None:
        raise HeadgateError("no policy is adopted, so nothing says how long predictions are kept")
    key = archive_key(settings.keys_directory)
    index = ArchiveIndex(settings.archive_directory, key)
    held = [window for case in state.cases.values() for window in windows(case)]
    gone = prune(index, SealedStore(settings.archive_directory / "rows", key), policy.archive, now_ms(), held)
    index.close()
    kept = f"older than {policy.archive.keep_days} days"
    click.echo(json.dumps({"files_deleted": gone}) if as_json else f"{gone} files {kept} deleted")


@command.command(name="evidence")
@click.argument("incident")
@click.option("--out", type=click.Path(path_type=Path), help="A directory for the decrypted files.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def evidence(settings: Settings, incident: str, out: Path | None, *, as_json: bool) -> None:
    """Verify the evidence of INCIDENT against the ledger's digests, and write it decrypted with --out."""
    case = _ledger(settings).fold.state.cases.get(incident)
    if case is None:
        raise HeadgateError(f"there is no incident {incident[:80]!r}")
    store = evidence_store(settings, archive_key(settings.keys_directory))
    found: list[dict[str, Any]] = []
    for attached in case.evidence:
        data = store.get(attached.digest, incident)
        content = _content(data)
        named = {"kind": attached.kind, "digest": attached.digest, "rows": attached.rows, "summary": attached.summary}
        found.append({**named, "content": content})
        _write(out, f"{attached.kind}-{attached.digest[:16]}.json", data)
        for digest in _files(content):
            _write(out, f"{digest[:16]}.parquet", store.get(digest, incident))
    if as_json:
        click.echo(json.dumps({"incident": incident, "evidence": found}, indent=2))
        return
    for entry in found:
        click.echo(f"{entry['kind']:14} {entry['digest']} verified: {entry['summary']}")
    if not found:
        click.echo("no evidence is attached yet")


def _content(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


def _files(content: Any) -> list[str]:
    windows = content.get("windows", []) if isinstance(content, dict) else []
    return [file["digest"] for window in windows for file in window["files"]]


def _write(out: Path | None, name: str, data: bytes) -> None:
    if out is not None:
        out.mkdir(parents=True, exist_ok=True, mode=0o700)
        (out / name).write_bytes(data)


def _ledger(settings: Settings) -> LedgerReader:
    reader = LedgerReader(Clients(settings), settings.ledger, read_trust(trust_path(settings)))
    try:
        reader.catch_up()
    finally:
        reader.close()
    return reader
