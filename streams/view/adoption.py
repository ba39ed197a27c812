"""Policy, systems and on-call documents: checked offline, adopted by a ledger entry, and listed as adopted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from agents.ledger.control import Control
from schemas import documents, oncall, policy, systems
from schemas.commands import AdoptPolicy, AdoptSystems
from schemas.errors import HeadgateError, PolicyError
from schemas.events import PolicyAdopted, SystemsAdopted
from schemas.oncall import AdoptOnCall, OnCallAdopted
from streams.ledger.genesis import read_document
from streams.ledger.keyring import Identity
from streams.settings import Settings
from streams.view.asking import OpenLedger
from streams.view.rendering import emit, table, tell, when
from streams.view.signing_in import called, names_of


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """A kind of document: how it is read, asked for and recorded, and which one is in force."""

    read: Callable[[bytes, str], object]
    asks: Callable[[bytes], object]
    event: type[PolicyAdopted | SystemsAdopted | OnCallAdopted]
    in_force: Callable[[Control], str]


_KINDS: Mapping[str, _Kind] = MappingProxyType(
    {
        "policy": _Kind(
            read=policy.read,
            asks=lambda document: AdoptPolicy(document=document),
            event=PolicyAdopted,
            in_force=lambda control: control.policy_digest,
        ),
        "systems": _Kind(
            read=systems.read,
            asks=lambda document: AdoptSystems(document=document),
            event=SystemsAdopted,
            in_force=lambda control: control.systems_digest,
        ),
        "oncall": _Kind(
            read=oncall.read,
            asks=lambda document: AdoptOnCall(document=document),
            event=OnCallAdopted,
            in_force=lambda control: control.oncall_digest,
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """A document that the ledger adopted, when, and by whose word."""

    index: int
    at: int
    digest: str
    principal: str
    document: bytes
    in_force: bool


def checked(kind: str, path: Path) -> bytes:
    """Return the document in a file once it is valid; HeadgateError with one sentence where it is not."""
    try:
        document = read_document(path)
        _KINDS[kind].read(document, str(path))
    except PolicyError as error:
        raise HeadgateError(str(error)) from None
    return document


def history(kind: str, ledger: OpenLedger) -> list[Adopted]:
    """Return the documents of a kind that were adopted, the oldest first."""
    wanted = _KINDS[kind].event
    adopted = [(found, event) for found in ledger.entries for event in found.events if isinstance(event, wanted)]
    force = in_force(kind, ledger)
    return [
        Adopted(
            index=found.index,
            at=found.entry.at if found.entry else 0,
            digest=event.digest,
            principal=found.asked.principal if found.asked else "",
            document=event.document,
            in_force=event.digest == force and number == len(adopted) - 1,
        )
        for number, (found, event) in enumerate(adopted)
    ]


def in_force(kind: str, ledger: OpenLedger) -> str:
    """Return the digest of the document of this kind that is in force; empty where there is none."""
    return _KINDS[kind].in_force(ledger.state.control)


def adoption(kind: str, document: bytes) -> object:
    """Return the command that adopts a document."""
    return _KINDS[kind].asks(document)


def say_checked(kind: str, path: Path, *, as_json: bool) -> None:
    """Check a file and print its digest."""
    digest = documents.digest(checked(kind, path))
    if as_json:
        emit({"file": str(path), "valid": True, "digest": digest})
    else:
        click.echo(f"{path} is valid; its digest is {digest}")


def say_adopted(kind: str, path: Path, settings: Settings, who: Identity, *, as_json: bool) -> None:
    """Have the ledger adopt a file, unless it is in force already."""
    document = checked(kind, path)
    digest = documents.digest(document)
    with OpenLedger(settings) as ledger:
        if in_force(kind, ledger) == digest:
            _say_in_force(digest, as_json=as_json)
            return
        verdict = ledger.ask(who, adoption(kind, document))
    tell(verdict, f"{digest} is in force from this entry on", as_json=as_json)


def say_history(kind: str, settings: Settings, *, as_json: bool) -> None:
    """Print every document of a kind that was adopted."""
    with OpenLedger(settings) as ledger:
        adopted = history(kind, ledger)
    if as_json:
        emit(adopted)
        return
    names = names_of(settings)
    rows = [
        [
            "in force" if one.in_force else "",
            one.digest[:16],
            str(one.index),
            when(one.at),
            called(names, one.principal),
        ]
        for one in adopted
    ]
    table(("", "digest", "entry", "adopted", "by"), rows, f"none is adopted; `headgate {kind} adopt FILE` adopts one")


def say_document(kind: str, settings: Settings, prefix: str, *, as_json: bool) -> None:
    """Print a document as it was adopted: the one in force, or the one whose digest begins with `prefix`."""
    with OpenLedger(settings) as ledger:
        adopted = history(kind, ledger)
    found = {one.digest: one for one in adopted if (one.digest.startswith(prefix) if prefix else one.in_force)}
    if len(found) != 1:
        what = f"{len(found)} were adopted whose digest begins" if found else "none was adopted whose digest begins"
        what = f"{what} with {prefix:.64}" if prefix else "none is in force"
        raise HeadgateError(f"{what}; `headgate {kind} list` lists them")
    (one,) = found.values()
    text = one.document.decode("utf-8")
    if as_json:
        emit({"digest": one.digest, "entry": one.index, "in_force": one.in_force, "document": text})
    else:
        click.echo(text, nl=not text.endswith("\n"))


def _say_in_force(digest: str, *, as_json: bool) -> None:
    if as_json:
        answer: dict[str, Any] = {"outcome": "in_force", "digest": digest}
        emit(answer)
    else:
        click.echo(f"{digest} is in force already")
