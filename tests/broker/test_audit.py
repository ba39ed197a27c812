"""The ledger on a real Kafka: verified, exported and shown, and what strangers write there changes nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from schemas.topics import full_name
from streams.kafka import AwaitedProducer, Clients, Record
from streams.ledger.export import export_topic
from streams.ledger.keyring import write_trust
from streams.ledger.source import Topic
from streams.ledger.verify import verify, verify_folder
from streams.settings import Settings
from streams.topic_admin import TopicAdmin
from tests.folders import eventful, leaves_in, notes_in
from tests.ledgers import Ledger, resigned

pytestmark = pytest.mark.broker


@pytest.fixture
def ledger(settings: Settings, clients: Clients) -> Ledger:
    """A ledger on the test's topics, with the notes of a stranger between those of the log."""
    ledger = eventful()
    TopicAdmin(clients.admin(), settings).apply()
    _send(settings, clients, "audit", ledger.leaves)
    strange = resigned(ledger.leaves, "thief")
    notes = [note.encode() for pair in zip(strange, ledger.notes, strict=False) for note in pair]
    _send(settings, clients, "checkpoints", [*notes, b"", *(note.encode() for note in ledger.notes[-2:])])
    return ledger


def _send(settings: Settings, clients: Clients, topic: str, values: list[bytes]) -> None:
    name = full_name(settings.ledger, topic)
    AwaitedProducer(clients).send_all([Record(name, b"k", value, (), 0) for value in values])


def test_the_ledger_in_kafka_verifies_exports_and_verifies_again(
    ledger: Ledger, settings: Settings, tmp_path: Path
) -> None:
    """Topic and export say the same, and the export holds the leaves and the log's own checkpoints."""
    report = verify(Topic(settings), trust=ledger.trust, since=ledger.notes[4].encode())
    assert report.sentence() == "verified and complete since size 5"
    assert export_topic(settings, ledger.trust, tmp_path / "ledger").verified
    assert leaves_in(tmp_path / "ledger") == ledger.leaves
    assert notes_in(tmp_path / "ledger") == [*ledger.notes, *ledger.notes[-2:]]
    assert verify_folder(tmp_path / "ledger", trust=ledger.trust).root == report.root


def test_a_forged_record_is_told_and_counts_for_nothing(ledger: Ledger, settings: Settings, clients: Clients) -> None:
    """An entry that somebody writes into the open topic stands there without a checkpoint, and changes nothing."""
    before = verify(Topic(settings), trust=ledger.trust)
    _send(settings, clients, "audit", [ledger.leaves[6]])
    after = verify(Topic(settings), trust=ledger.trust)
    assert (after.verified, after.unfinished, after.root) == (True, 1, before.root)


def test_records_that_kafka_lost_are_missed(ledger: Ledger, settings: Settings, clients: Clients) -> None:
    """Where the head of the topic was deleted, verification fails at the first entry."""
    head = TopicPartition(full_name(settings.ledger, "audit"), 0, 3)
    admin = clients.admin()
    admin.delete_records([head])[head].result(20)
    report = verify(Topic(settings), trust=ledger.trust)
    assert (report.consistent, report.first_bad_index) == (False, 0)


def test_the_command_reads_kafka_where_no_folder_is_named(
    ledger: Ledger, settings: Settings, environ: dict[str, str], tmp_path: Path
) -> None:
    """`audit verify`, `export` and `show` work on the topic, as processes."""
    settings.var.mkdir(parents=True)
    write_trust(settings.var / "trust.json", ledger.trust)

    def headgate(*words: str | Path) -> subprocess.CompletedProcess[str]:
        run = [sys.executable, "-m", "streams", "audit", *map(str, words)]
        return subprocess.run(run, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    done = headgate("verify", "--trust", settings.var / "trust.json", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["verified"] is True
    done = headgate("export", "ledger")
    assert done.returncode == 0, done.stderr
    assert verify_folder(tmp_path / "ledger").consistent
    done = headgate("export", "ledger")
    assert (done.returncode, done.stdout) == (1, "")
    assert "not an empty folder" in done.stderr
    assert len(headgate("show", "--json").stdout.splitlines()) == len(ledger.leaves)
