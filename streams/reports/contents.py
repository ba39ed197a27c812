"""The files of an evidence package that are not the ledger itself."""

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping

from agents.ledger.fold import Verified
from agents.reports.record import Record
from agents.reports.words import when
from schemas.avro import fingerprint
from schemas.case.hold import EvidenceHeld
from schemas.catalogue import CATALOGUE
from schemas.errors import HeadgateError
from schemas.events import KeyEnrolled, KeyRevoked, LedgerEstablished, PolicyAdopted, SystemsAdopted
from schemas.evidence import LINEAGE, EvidenceAttached
from schemas.ledger import Command
from schemas.topics import DAY_MS, TOPICS, full_name
from streams.ledger.exported import schema_file
from streams.reports import proofs, verify_package
from streams.reports.sheet import Seal
from streams.reports.verify_package import canonical

_CONTROL = (LedgerEstablished, KeyEnrolled, KeyRevoked, PolicyAdopted, SystemsAdopted)
_IMPORT = re.compile(r"^from streams\.reports\.proofs import .*\n", re.MULTILINE)
_HEAD = re.compile(r'\A"""(?s:.*?)"""\n+(?:(?:(?:import|from) .*)?\n)+')


def verifier() -> bytes:
    """Return the verifier as one file that needs nothing but Python."""
    text, needed = inspect.getsource(verify_package), inspect.getsource(proofs)
    whole, count = _IMPORT.subn(lambda _: "\n" + _HEAD.sub("", needed, count=1), text)
    if count != 1:
        raise HeadgateError("the verifier's source is not what this version of Headgate expects; install it again")
    return whole.encode()


def speaks_of(found: Verified, incident: str) -> bool:
    """Whether an entry is of the incident, or of keys and documents in force."""
    asked = found.asked
    return asked is not None and (
        asked.incident == incident or any(isinstance(event, _CONTROL) for event in found.events)
    )


def schemas(entries: Iterable[Verified]) -> dict[str, bytes]:
    """Return the schemas that these entries were written under, and an index of them."""
    index = {"Command": schema_file(CATALOGUE.id_of(Command.__name__, fingerprint(Command)))}
    for found in entries:
        number = int.from_bytes(found.leaf[1:5], "big")
        index[str(number)] = schema_file(number)
        for event in found.entry.events if found.entry else ():
            told = schema_file(CATALOGUE.id_of(event.type, event.fingerprint))
            index[f"{event.type}:{event.fingerprint.hex()}"] = told
    files = {f"schemas/{name}": text for name, text in index.values()}
    return {**files, "schemas/index.json": canonical({key: name for key, (name, _) in index.items()})}


def documents(
    record: Record, entries: Iterable[Verified], fetch: Callable[[Collection[str]], Mapping[str, bytes]]
) -> dict[str, bytes]:
    """Return policy and systems that were in force, and the profiles and lineage that the record names."""
    opened = record.seen[0].entry
    policies: dict[str, bytes] = {}
    systems: dict[str, bytes] = {}
    before = ""
    for found in entries:
        for event in found.events:
            if isinstance(event, PolicyAdopted):
                policies[event.digest] = event.document
            elif isinstance(event, SystemsAdopted):
                systems[event.digest] = event.document
                before = event.digest if found.index < opened else before
    held = [event for event, _ in record.of(EvidenceHeld)]
    used = {before, *(event.systems for event in held)} & set(systems)
    files = {f"documents/systems-{digest}.toml": systems[digest] for digest in used}
    files |= {
        f"documents/policy-{digest}.toml": policies[digest]
        for digest in {record.case.policy, *(event.policy for event in held)} & set(policies)
    }
    profiles = {one.profile for event in held for one in event.held if one.profile}
    lineage = {one.digest for one in record.case.evidence if one.kind == LINEAGE}
    found_there = fetch(sorted(profiles | lineage))
    for digest, data in found_there.items():
        kind = "lineage" if digest in lineage else "profile"
        files[f"documents/{kind}-{digest}"] = data
    lost = sorted((profiles | lineage) - set(found_there))
    return {**files, "missing.json": canonical({"named in the ledger, and not found": lost})}


def evidence(record: Record, sealed: Callable[[str], bytes] | None) -> dict[str, bytes]:
    """Return the list of what is kept, by digest, and the encrypted files where they are handed over."""
    files, rows = {}, []
    for event, seen in record.of(EvidenceAttached):
        where = "documents" if event.kind == LINEAGE else "not handed over"
        if sealed is not None and event.kind != LINEAGE:
            try:
                files[f"evidence/sealed/{event.digest}"] = sealed(event.digest)
                where = f"evidence/sealed/{event.digest}"
            except HeadgateError as error:
                where = f"unknown: {error}"
        rows.append(
            {
                "at": when(seen.at),
                "entry": seen.entry,
                "kind": event.kind,
                "predictions": event.rows,
                "sha256": event.digest,
                "summary": event.summary,
                "where": where,
            }
        )
    hold = record.case.hold
    held = [{"model": one.model, "profile": one.profile, "version": one.version} for one in hold.held]
    document = {"attached": rows, "held": held, "hold stands": hold.stands}
    return {**files, "evidence/index.json": canonical(document)}


def logs(ledger: str) -> bytes:
    """Return the logs that exist, and how long each is kept; they are named here, not copied."""
    rows = [
        {
            "kept": "for ever" if topic.retention_ms < 0 else f"{topic.retention_ms // DAY_MS} days",
            "name": full_name(ledger, topic.name),
            "what": ", ".join(kind.__name__ for kind in topic.records) or "bytes",
            "written by": ", ".join(topic.writers),
        }
        for topic in TOPICS
    ]
    rows.append(
        {
            "kept": "as the operator's log collection keeps it; unknown to Headgate",
            "name": "standard error of each role",
            "what": "operational log",
            "written by": "headgate run",
        }
    )
    return canonical({"logs": rows})


def readme(record: Record, seal: Seal, *, whole: bool, sealed: bool) -> bytes:
    """Return what a stranger reads first."""
    ledger = (
        "ledger/            the whole ledger, because a decision can only be made again from every entry before it\n"
        if whole
        else "(no ledger/)       only this incident's entries are here, so that decisions cannot be made again\n"
    )
    files = "the encrypted files are in evidence/sealed/; their key is handed over separately" if sealed else "no file"
    return f"""EVIDENCE PACKAGE OF AN INCIDENT OF A MACHINE-LEARNING SYSTEM

Incident   {record.case.incident}
Ledger     {seal.ledger}, {seal.size} entries
Genesis    {seal.genesis}
Root       {seal.root}

1. READ   reports/summary.pdf says in plain words what happened. Every report is a draft made from the record;
          what is not known is called unknown.

2. CHECK  You need Python 3.11 or newer, no network and no other software:

              python verify.py

          It compares every file with MANIFEST.json, checks the signature of the checkpoint, computes the place of
          each entry in the ledger, and checks the signature of whoever asked for it. The last line says VERIFIED.
          A package could bring along a verifier that lies. Compare verify.py with one of your own, or run your own:

              python my-own-verify.py FOLDER

          Whose ledger it is, no package can prove by itself: ask the operator for the genesis above by another way,
          or for the trust file, and run   python verify.py --trust FILE

3. DECIDE AGAIN   With Headgate installed (python -m venv there; there/bin/pip install headgate), verify.py also makes
          every decision of the ledger again, by the rules in force at the time:

              headgate audit verify ledger --trust trust.json

WHAT IS HERE
MANIFEST.json      every file with its size and SHA-256
verify.py          the verifier, in plain Python
trust.json         whom the package claims to be from
checkpoint         size and root of the ledger, signed by its log (C2SP tlog-checkpoint)
entries.json       this incident's entries and those on keys and documents, each with its proof (RFC 9162)
{ledger}schemas/           how entries are encoded (Apache Avro)
documents/         policy, systems, profiles and lineage by SHA-256
missing.json       what the ledger names by SHA-256, and was not found
evidence/          index.json lists what was kept, by SHA-256 of the encrypted file; {files}
logs.json          which logs exist, where and how long; ask the operator for those that you need
reports/           the summary, and drafts of statutory reports

Names of people stand in the reports; the ledger itself knows people by random identifiers only.
""".encode()
