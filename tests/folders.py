"""Exports of in-memory ledgers for tests, and what somebody who tampers with one can do without our code."""

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from schemas.commands import Acknowledge, TakeOver
from streams.ledger.export import export
from streams.ledger.exported import Contents
from streams.ledger.verify import Report, verify
from tests.ledgers import INCIDENT, Ledger
from tests.play import opened, resolved


class Memory:
    """Leaves and checkpoints in memory, read as strictly as a topic or an export."""

    def __init__(self, leaves: list[bytes], notes: list[str], *, strict: bool = False) -> None:
        self._leaves, self._notes = leaves, notes
        self.strict = strict

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._leaves)

    def leaves(self) -> Iterator[tuple[int, bytes]]:
        """Each leaf with its offset."""
        return iter(enumerate(self._leaves))

    def notes(self) -> Iterator[bytes]:
        """Each checkpoint."""
        return (note.encode() for note in self._notes)

    def finish(self, contents: Contents) -> None:
        """Nothing else belongs to it."""


def of(ledger: Ledger) -> Memory:
    """Return what Kafka would hold of a ledger."""
    return Memory(ledger.leaves, ledger.notes)


def exported(ledger: Ledger, folder: Path) -> Path:
    """Export a sound ledger."""
    assert export(of(ledger), ledger.trust, folder).verified
    return folder


def verified(ledger: Ledger) -> Report:
    """Verify a ledger in memory."""
    return verify(of(ledger), trust=ledger.trust)


def eventful() -> Ledger:
    """Return a ledger with everything that is special: refusals, foreign bytes, a take-over over two leaves, a case."""
    ledger = resolved()
    ledger.ask(Acknowledge(incident="nobody", note="who?"), "max")
    ledger.write(b"bytes of a stranger")
    ledger.write(ledger.leaves[3])
    ledger.ask(TakeOver(epoch=1, void_from=ledger.fold.size), "registrar")
    ledger.ask(Acknowledge(incident=INCIDENT, note="too late"), "max")
    return ledger


def long(size: int) -> Ledger:
    """Return a ledger of so many entries."""
    ledger = opened()
    while len(ledger.leaves) < size:
        ledger.ask(Acknowledge(incident=INCIDENT, note="here", repeat=len(ledger.leaves)), "max")
    return ledger


def starts(notes: list[str]) -> list[int]:
    """Return, for each entry, the first of those that the same checkpoint proves."""
    found: list[int] = []
    for note in notes:
        size = int(note.split("\n")[1])
        found += [len(found)] * (size - len(found))
    return found


def leaves_in(folder: Path) -> list[bytes]:
    """Return the leaves of an export."""
    leaves = []
    for path in sorted((folder / "entries").iterdir()):
        data, at = path.read_bytes(), 0
        while at < len(data):
            head, length = 2, int.from_bytes(data[at : at + 2], "big")
            if length == 0:
                head, length = 6, int.from_bytes(data[at + 2 : at + 6], "big")
            leaves.append(data[at + head : at + head + length])
            at += head + length
    return leaves


def notes_in(folder: Path) -> list[str]:
    """Return the checkpoints of an export."""
    return [b64decode(line).decode() for line in (folder / "checkpoints").read_bytes().splitlines()]


def write(folder: Path, leaves: list[bytes], notes: list[str]) -> None:
    """Put other leaves and checkpoints into an export, and make all that follows from them fit again."""
    for path in (folder / "entries").iterdir():
        path.unlink()
    for number in range(0, max(len(leaves), 1), 256):
        packed = b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves[number : number + 256])
        (folder / f"entries/{number // 256:06d}").write_bytes(packed)
    (folder / "checkpoints").write_text("".join(b64encode(note.encode()).decode() + "\n" for note in notes))
    if notes:
        (folder / "checkpoint").write_text(notes[-1])
    seal(folder, len(leaves), leaves[0] if leaves else b"")


def seal(folder: Path, size: int, first: bytes) -> None:
    """Write the manifest that fits the other files, as the README of the format says."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    document = {
        "format": "headgate-ledger-1",
        "origin": "play",
        "genesis": sha256(first).hexdigest(),
        "size": size,
        "files": {str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest() for path in files},
    }
    (folder / "manifest.json").write_text(json.dumps(document, sort_keys=True, separators=(",", ":")))
