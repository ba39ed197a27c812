"""Whatever is done to an exported ledger is found, and the first bad index is named; a sound one never fails."""

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from agents.ledger.fold import open_entry
from schemas.avro import decode, encode
from schemas.codec import frame
from schemas.ledger import AuditEntry, Command
from schemas.note import Verifier
from streams.ledger.export import export
from streams.ledger.verify import Report, verify_folder
from tests.folders import eventful, exported, leaves_in, long, notes_in, of, seal, starts, write
from tests.ledgers import Ledger, establishment, key_of, resigned

SEEDS = 40
LEDGER = eventful()
STARTS = starts(LEDGER.notes)
COUNT = len(LEDGER.leaves)

Tampering = Callable[[random.Random, Path], int]


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An export that nobody touched."""
    return exported(LEDGER, tmp_path_factory.mktemp("tamper") / "ledger")


def _report(folder: Path, since: str | None = None) -> Report:
    return verify_folder(folder, trust=LEDGER.trust, since=since.encode() if since else None)


def _copy(pristine: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(pristine, folder))


def _flip(rng: random.Random, path: Path) -> int:
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data))
    data[at] ^= rng.randrange(1, 256)
    path.write_bytes(data)
    return at


def _entry_at(position: int) -> int:
    """Return the entry whose bytes, length included, stand at a position of the bundle."""
    for index, leaf in enumerate(LEDGER.leaves):
        position -= 2 + len(leaf)
        if position < 0:
            return index
    raise AssertionError(position)


def byte_of_the_entries(rng: random.Random, folder: Path) -> int:
    """Change one byte of the entries."""
    return STARTS[_entry_at(_flip(rng, folder / "entries/000000"))]


def byte_of_the_checkpoints(rng: random.Random, folder: Path) -> int:
    """Change one byte of the checkpoints; the entry named is the first that this checkpoint proves."""
    lines = (folder / "checkpoints").read_bytes().splitlines(keepends=True)
    at = _flip(rng, folder / "checkpoints")
    sizes = [int(note.split("\n")[1]) for note in LEDGER.notes]
    for line, size in zip(lines, sizes, strict=True):
        at -= len(line)
        if at < 0:
            return STARTS[size - 1]
    raise AssertionError(at)


def byte_of_manifest_or_checkpoint(rng: random.Random, folder: Path) -> int:
    """Change one byte of what speaks of the whole ledger."""
    _flip(rng, folder / rng.choice(["manifest.json", "checkpoint"]))
    return COUNT - 1


def _first_under(schema: Path) -> int:
    """Return the first entry that was written under a schema."""
    name = schema.name.split(".")[0]
    for found in LEDGER.verified:
        if found.entry is not None and found.asked is not None:
            names = {"AuditEntry", "Command", found.asked.kind, *(event.type for event in found.entry.events)}
            if name in names:
                return found.index
    raise AssertionError(name)


def byte_of_a_schema(rng: random.Random, folder: Path) -> int:
    """Change one byte of a schema; the entry named is the first that was written under it."""
    path = rng.choice(sorted((folder / "schemas").iterdir()))
    _flip(rng, path)
    return _first_under(path)


def entry_removed(rng: random.Random, folder: Path) -> int:
    """Take an entry out."""
    gone = rng.randrange(COUNT)
    write(folder, LEDGER.leaves[:gone] + LEDGER.leaves[gone + 1 :], LEDGER.notes)
    return STARTS[gone]


def entries_swapped(rng: random.Random, folder: Path) -> int:
    """Exchange two entries."""
    leaves = list(LEDGER.leaves)
    one, other = sorted(rng.sample(range(COUNT), 2))
    while leaves[one] == leaves[other]:
        one, other = sorted(rng.sample(range(COUNT), 2))
    leaves[one], leaves[other] = leaves[other], leaves[one]
    write(folder, leaves, LEDGER.notes)
    return STARTS[one]


def entry_inserted(rng: random.Random, folder: Path) -> int:
    """Put a copy of another entry in, at the end too."""
    at = rng.randrange(COUNT + 1)
    others = [leaf for leaf in LEDGER.leaves if at == COUNT or leaf != LEDGER.leaves[at]]
    write(folder, [*LEDGER.leaves[:at], rng.choice(others), *LEDGER.leaves[at:]], LEDGER.notes)
    return [*STARTS, COUNT][at]


def entry_duplicated(rng: random.Random, folder: Path) -> int:
    """Repeat an entry."""
    at = rng.randrange(COUNT)
    write(folder, [*LEDGER.leaves[: at + 1], *LEDGER.leaves[at:]], LEDGER.notes)
    return [*STARTS, COUNT][at + 1]


def entries_truncated(rng: random.Random, folder: Path) -> int:
    """Cut the entries anywhere."""
    path = folder / "entries/000000"
    at = rng.randrange(path.stat().st_size)
    path.write_bytes(path.read_bytes()[:at])
    seal(folder, COUNT, LEDGER.leaves[0])
    return STARTS[_entry_at(at)]


def file_removed(rng: random.Random, folder: Path) -> int:
    """Take a file out, with or without a word of it in the manifest."""
    path = rng.choice(sorted(path for path in folder.rglob("*") if path.is_file()))
    path.unlink()
    if path.name != "manifest.json" and rng.random() < 0.5:
        seal(folder, COUNT, LEDGER.leaves[0])
    if path.parent.name == "schemas":
        return _first_under(path)
    return COUNT - 1 if path.name in {"manifest.json", "checkpoint"} else 0


def file_added(rng: random.Random, folder: Path) -> int:
    """Put a file in, with or without a word of it in the manifest."""
    directory = rng.choice([folder, folder / "entries", folder / "schemas"])
    (directory / rng.choice(["000001", "note.txt", ".hidden"])).write_bytes(rng.randbytes(rng.randrange(2) * 3))
    if rng.random() < 0.5:
        seal(folder, COUNT, LEDGER.leaves[0])
    return COUNT if (folder / "entries/000001").is_file() and directory.name == "entries" else COUNT - 1


def _resigned(folder: Path, leaves: list[bytes]) -> None:
    write(folder, leaves, resigned(leaves))


def _entries(kind: Callable[[Command], bool]) -> list[tuple[int, AuditEntry]]:
    found = [(v.index, v.entry) for v in LEDGER.verified if v.entry is not None]
    return [(index, entry) for index, entry in found if kind(decode(Command, entry.command))]


def approval_forged(rng: random.Random, folder: Path) -> int:
    """Sign an approval with another key than the person's, and have the log sign it all anew."""
    index, entry = rng.choice(_entries(lambda command: command.kind == "Approve"))
    command = decode(Command, entry.command)
    forged = replace(command, signature=key_of(f"thief-{rng.random()}").sign(command.body))
    leaves = list(LEDGER.leaves)
    leaves[index] = frame(replace(entry, command=encode(forged)))
    _resigned(folder, leaves)
    return index


def decision_changed(rng: random.Random, folder: Path) -> int:
    """Change what followed from a command, and have the log sign it all anew."""
    index, entry = rng.choice(_entries(lambda _: True))
    others = [event for v in LEDGER.verified if v.entry is not None for event in v.entry.events]
    stranger = rng.choice([event for event in others if event not in entry.events])
    changed = [
        replace(entry, outcome="refused" if entry.outcome == "accepted" else "accepted"),
        replace(entry, events=entry.events[:-1]),
        replace(entry, events=(*entry.events, stranger)),
        replace(entry, events=(*entry.events, entry.events[-1])),
        replace(entry, policy="0" * 64),
    ]
    leaves = list(LEDGER.leaves)
    leaves[index] = frame(rng.choice(changed))
    assert open_entry(leaves[index], index) != entry
    _resigned(folder, leaves)
    return index


def ledger_forked(rng: random.Random, folder: Path) -> int:
    """Tell the same history anew: with fresh keys, or with a thief's genesis under the log's own key."""
    log = rng.choice(["fresh", "log"])
    fork = Ledger(log=log)
    fork.ask(establishment(log_key=Verifier("play", key_of(log).public).to_vkey(), nonce=rng.randbytes(8)), "ada")
    for found in LEDGER.verified[1:]:
        if found.asked is not None and found.asked.kind != "TakeOver":
            fork.ask(found.asked.body, found.asked.principal.removeprefix("p-"))
    shutil.rmtree(folder)
    assert export(of(fork), None, folder).consistent
    return 0


TAMPERINGS: tuple[Tampering, ...] = (
    byte_of_the_entries,
    byte_of_the_checkpoints,
    byte_of_manifest_or_checkpoint,
    byte_of_a_schema,
    entry_removed,
    entries_swapped,
    entry_inserted,
    entry_duplicated,
    entries_truncated,
    file_removed,
    file_added,
    approval_forged,
    decision_changed,
    ledger_forked,
)

FEWER: dict[Tampering, int] = {ledger_forked: 8, approval_forged: 8, file_added: 20}
"""Those with little to vary: a key and a nonce, one of two approvals, one of eighteen files."""


@pytest.mark.parametrize("tampering", TAMPERINGS, ids=lambda tampering: str(tampering.__name__))
def test_tampering_is_found_and_the_first_bad_entry_named(tampering: Tampering, pristine: Path, tmp_path: Path) -> None:
    """Each of its seeded ways to do it is found, and the index is that of the first entry concerned."""
    for seed in range(FEWER.get(tampering, SEEDS)):
        folder = _copy(pristine, tmp_path / "ledger")
        expected = tampering(random.Random(seed), folder)
        report = _report(folder)
        assert not report.consistent, f"seed {seed}: not found"
        assert not report.verified
        assert report.first_bad_index == expected, f"seed {seed}: {report.error}"
        assert report.error


def test_a_sound_ledger_never_fails(tmp_path: Path) -> None:
    """Every prefix that ends at a checkpoint verifies, under trust and without, and holds what was written."""
    for end, note in enumerate(LEDGER.notes, 1):
        size = int(note.split("\n")[1])
        folder = tmp_path / str(end)
        sound = replace(LEDGER, leaves=LEDGER.leaves[:size], notes=LEDGER.notes[:end])
        exported(sound, folder)
        assert _report(folder).verified
        assert verify_folder(folder).consistent
        assert (leaves_in(folder), notes_in(folder)) == (sound.leaves, sound.notes)


def test_a_tail_that_was_cut_together_with_its_checkpoints_is_found_by_one_that_was_kept(tmp_path: Path) -> None:
    """Under `since` every shorter ledger fails at the first entry that is gone, and every longer one is complete."""
    kept = 8
    for end in range(1, len(LEDGER.notes) + 1):
        size = int(LEDGER.notes[end - 1].split("\n")[1])
        folder = tmp_path / str(end)
        exported(replace(LEDGER, leaves=LEDGER.leaves[:size], notes=LEDGER.notes[:end]), folder)
        report = _report(folder, since=LEDGER.notes[kept])
        if size <= kept:
            assert (report.first_bad_index, report.consistent) == (size, False)
        else:
            assert (report.verified, report.complete_since) == (True, kept + 1)


def test_a_fork_fails_under_trust_and_without_it_says_only_what_is_known(pristine: Path, tmp_path: Path) -> None:
    """A ledger that was signed anew with fresh keys is consistent in itself, and not the one that is trusted."""
    folder = _copy(pristine, tmp_path / "ledger")
    ledger_forked(random.Random(1), folder)
    alone = verify_folder(folder)
    assert alone.consistent
    assert not alone.verified
    assert alone.sentence() == f"consistent under genesis {alone.genesis}; identity and completeness not checked"
    assert not _report(folder).consistent


def test_tampering_is_found_beyond_the_first_file_of_entries(tmp_path: Path) -> None:
    """In a ledger of several files of entries, the first bad index is exact across their borders."""
    ledger = long(514)
    folder = exported(ledger, tmp_path / "ledger")
    for index in (255, 256, 512):
        leaves = list(ledger.leaves)
        leaves[index] = leaves[index][:-1] + bytes([leaves[index][-1] ^ 1])
        write(folder, leaves, ledger.notes)
        assert verify_folder(folder, trust=ledger.trust).first_bad_index == index
        write(folder, ledger.leaves[:index] + ledger.leaves[index + 1 :], ledger.notes)
        assert verify_folder(folder, trust=ledger.trust).first_bad_index == index
