"""What stands in an exported ledger, and that no hostile folder does harm."""

import io
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fastavro
import pytest

from schemas.catalogue import CATALOGUE, Catalogue
from schemas.errors import HeadgateError, LedgerError, SchemaError
from schemas.note import Verifier
from streams.ledger.export import export
from streams.ledger.exported import Folder
from streams.ledger.verify import verify_folder
from tests.folders import Memory, eventful, exported, leaves_in, notes_in, of
from tests.ledgers import Ledger, key_of, resigned
from tests.play import opened, resolved


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A ledger with voids, refusals and a resolved case."""
    return eventful()


def test_an_export_holds_the_leaves_and_checkpoints_as_they_stand(ledger: Ledger, tmp_path: Path) -> None:
    """What is read from the folder by the letter of its description is what was in the ledger."""
    folder = exported(ledger, tmp_path / "ledger")
    assert leaves_in(folder) == ledger.leaves
    assert notes_in(folder) == ledger.notes
    assert (folder / "checkpoint").read_text() == ledger.notes[-1]
    manifest = json.loads((folder / "manifest.json").read_bytes())
    assert manifest["size"] == len(ledger.leaves)
    assert manifest["genesis"] == ledger.trust.genesis
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {*manifest["files"], "manifest.json"} == files


def test_the_same_ledger_gives_the_same_bytes(ledger: Ledger, tmp_path: Path) -> None:
    """Two exports of one ledger do not differ in a byte."""
    one, other = exported(ledger, tmp_path / "one"), exported(ledger, tmp_path / "other")
    files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in files)


def test_an_export_is_read_with_nothing_but_its_own_schemas(tmp_path: Path) -> None:
    """A stranger with an Avro library reads entries, commands and events from the folder alone."""
    ledger = resolved()
    folder = exported(ledger, tmp_path / "ledger")
    schemas = {
        path.name.split(".")[0]: fastavro.parse_schema(json.loads(path.read_bytes()))
        for path in (folder / "schemas").iterdir()
    }
    seen = []
    for index, leaf in enumerate(leaves_in(folder)):
        entry = fastavro.schemaless_reader(io.BytesIO(leaf[5:]), schemas["AuditEntry"], None)
        assert entry["index"] == index
        command = fastavro.schemaless_reader(io.BytesIO(entry["command"]), schemas["Command"], None)
        fastavro.schemaless_reader(io.BytesIO(command["body"]), schemas[command["kind"]], None)
        for event in entry["events"]:
            fastavro.schemaless_reader(io.BytesIO(event["body"]), schemas[event["type"]], None)
            seen.append(event["type"])
    assert seen == [event.type for found in ledger.verified if found.entry for event in found.entry.events]


def test_what_the_log_did_not_sign_stays_out(ledger: Ledger, tmp_path: Path) -> None:
    """Notes of strangers and of no shape, strange signatures beside the log's, and uncovered leaves are left out."""
    count = len(ledger.leaves)
    stranger = resigned(ledger.leaves[:1], "thief")[0]
    cosigned = [note + stranger.split("\n\n")[1] for note in ledger.notes]
    mixed = [stranger.split("\n\n")[0] + "\n\n" + stranger.split("\n\n")[1], "nonsense", "", *cosigned, stranger]
    source = Memory([*ledger.leaves, b"later"], mixed)
    report = export(source, ledger.trust, tmp_path / "ledger")
    assert (report.verified, report.entries) == (True, count)
    assert notes_in(tmp_path / "ledger") == ledger.notes
    reordered = [note.replace("\n\n", "\n\n" + stranger.split("\n\n")[1]) for note in ledger.notes]
    export(Memory(ledger.leaves, reordered), None, tmp_path / "again")
    assert notes_in(tmp_path / "again") == ledger.notes


def test_leaves_that_no_tile_can_hold_are_exported_too(tmp_path: Path) -> None:
    """An empty leaf and one over 65,535 bytes, which a stranger wrote, are void, exported and verified."""
    ledger = opened()
    for junk in (b"", b"\0" * 70_000, b"x" * 65_535):
        ledger.append(junk)
    folder = exported(ledger, tmp_path / "ledger")
    assert leaves_in(folder) == ledger.leaves
    assert len(verify_folder(folder).voids) == 3


def test_a_leaf_beyond_all_bounds_is_refused(tmp_path: Path) -> None:
    """A leaf that no broker would take is refused with its size."""
    source = Memory([b"\0" * (17 << 20)], resigned([b"\0" * (17 << 20)]))
    with pytest.raises(LedgerError, match="17825792 bytes"):
        export(source, opened().trust, tmp_path / "ledger")


def test_a_broken_ledger_is_exported_only_by_force(ledger: Ledger, tmp_path: Path) -> None:
    """Without force nothing appears; with it the export is there, and does not verify."""
    leaves = [*ledger.leaves[:4], ledger.leaves[4] + b"\0", *ledger.leaves[5:]]
    source = Memory(leaves, ledger.notes)
    with pytest.raises(LedgerError, match="not exported: entry 4"):
        export(source, ledger.trust, tmp_path / "ledger")
    assert list(tmp_path.iterdir()) == []
    assert not export(source, ledger.trust, tmp_path / "ledger", force=True).consistent
    report = verify_folder(tmp_path / "ledger", trust=ledger.trust)
    assert (report.consistent, report.first_bad_index) == (False, 4)
    assert leaves_in(tmp_path / "ledger") == leaves


def test_nothing_is_no_ledger(tmp_path: Path) -> None:
    """An empty topic, and one that the log never signed, are not exported."""
    with pytest.raises(LedgerError, match="empty"):
        export(Memory([], []), None, tmp_path / "ledger")
    with pytest.raises(LedgerError, match="signed no checkpoint"):
        export(Memory(opened().leaves, []), None, tmp_path / "ledger")
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_never_written_into(ledger: Ledger, tmp_path: Path) -> None:
    """A folder with something in it, a file and a link are refused; an empty folder becomes the export."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine").touch()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for name in ("full", "file", "link"):
        with pytest.raises(HeadgateError, match="not an empty folder"):
            export(of(ledger), ledger.trust, tmp_path / name)
    with pytest.raises(HeadgateError, match="cannot be written"):
        export(of(ledger), ledger.trust, tmp_path / "file/below")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "full", "link"]
    (tmp_path / "empty").mkdir()
    assert verify_folder(exported(ledger, tmp_path / "empty")).consistent


def _link(path: Path) -> None:
    path.rename(path.with_name("away"))
    path.symlink_to(path.with_name("away"))


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _endless(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # sparse: a terabyte that takes no room


def _too_long(path: Path) -> None:
    path.write_bytes(b"\0\0" + b"\xff" * 200)


@pytest.mark.parametrize("harm", [_link, _pipe, _directory, _endless, _too_long, Path.unlink])
@pytest.mark.parametrize("name", ["entries/000000", "checkpoints", "checkpoint", "manifest.json"])
def test_hostile_files_are_found_and_do_no_harm(
    harm: Callable[[Path], None], name: str, ledger: Ledger, tmp_path: Path
) -> None:
    """A link, a pipe, a directory, an endless file and nonsense in a file's place are found, and nothing hangs."""
    folder = exported(ledger, tmp_path / "ledger")
    harm(folder / name)
    report = verify_folder(folder, trust=ledger.trust)
    assert not report.consistent
    assert report.first_bad_index is not None


@pytest.mark.parametrize("directory", ["entries", "schemas"])
def test_a_link_in_place_of_a_directory_is_found(directory: str, ledger: Ledger, tmp_path: Path) -> None:
    """A directory of the export that is a link, or missing, is found."""
    folder = exported(ledger, tmp_path / "ledger")
    (folder / directory).rename(tmp_path / "away")
    (folder / directory).symlink_to(tmp_path / "away")
    assert not verify_folder(folder).consistent
    (folder / directory).unlink()
    assert not verify_folder(folder).consistent


def test_no_folder_is_one_sentence(tmp_path: Path) -> None:
    """A path that is no folder is refused with the way out; an empty folder is a ledger that is broken at once."""
    with pytest.raises(LedgerError, match="headgate audit export"):
        Folder(tmp_path / "nowhere")
    assert verify_folder(tmp_path).first_bad_index == 0


def test_files_of_entries_are_full_but_the_last(tmp_path: Path) -> None:
    """A file with fewer or more than 256 entries among others is found, though the entries are the same."""
    ledger = eventful()
    folder = exported(ledger, tmp_path / "ledger")
    data = (folder / "entries/000000").read_bytes()
    cut = 2 + len(ledger.leaves[0])
    (folder / "entries/000000").write_bytes(data[:cut])
    (folder / "entries/000001").write_bytes(data[cut:])
    report = verify_folder(folder)
    assert "fewer than 256" in str(report.error)
    assert report.first_bad_index == 1


def test_the_catalogue_knows_the_file_of_each_schema_id() -> None:
    """An id has one file; an unknown id and a file that is gone are SchemaErrors."""
    name, text = CATALOGUE.file_of(CATALOGUE.versions["Command"][1])
    assert name == "Command.1.avsc"
    assert json.loads(text)["name"] == "Command"
    with pytest.raises(SchemaError, match="not in the catalogue"):
        CATALOGUE.file_of(10**9)

    def gone(name: str) -> str:
        raise FileNotFoundError(name)

    with pytest.raises(SchemaError, match="cannot be read"):
        Catalogue([], {"Command": {1: 5}}, gone).file_of(5)


def test_a_ledger_that_is_not_the_trusted_one_is_not_exported(ledger: Ledger, tmp_path: Path) -> None:
    """Under another genesis, and under another log key, nothing is exported."""
    genesis = replace(ledger.trust, genesis="0" * 64)
    log = replace(ledger.trust, log=Verifier("play", key_of("thief").public))
    for trust in (genesis, log):
        with pytest.raises(LedgerError, match="export"):
            export(of(ledger), trust, tmp_path / "ledger")
    assert list(tmp_path.iterdir()) == []


def test_each_byte_of_the_small_files_counts(ledger: Ledger, tmp_path: Path) -> None:
    """No byte of the newest checkpoint, the manifest and one schema can be changed, the last bit of each included."""
    folder = exported(ledger, tmp_path / "ledger")
    for name in ("checkpoint", "manifest.json", "schemas/CaseRecovering.1.avsc"):
        data = (folder / name).read_bytes()
        for at in range(0, len(data), 1 + len(data) // 12):
            (folder / name).write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
            assert not verify_folder(folder, trust=ledger.trust).consistent, f"{name}, byte {at}"
        (folder / name).write_bytes(data)
    assert verify_folder(folder, trust=ledger.trust).verified
