"""Single decisions are queued from frozen rows, reviewed at the command line, and come back as labels."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from schemas.commands import AttachEvidence
from schemas.values import Role
from streams.ledger.keyring import read_trust, trust_path
from streams.roles.followers import follower
from streams.roles.loop import RoleLoop
from streams.settings import DEPLOY, Settings
from streams.stop import Stop
from streams.view.asking import OpenLedger
from tests.conftest import RunningBroker
from tests.desk import Desk, registrar
from tests.frozen import freeze
from tests.plain import Tape, wait_until

pytestmark = pytest.mark.broker
INCIDENT = "reviewed-1"


@contextmanager
def reviews(settings: Settings) -> Iterator[None]:
    """Run the role while the block runs."""
    stop = Stop()
    loop = RoleLoop(settings, read_trust(trust_path(settings)), [follower(settings, "reviews")])
    thread = threading.Thread(target=loop.run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.requested = True
        thread.join(30)
        assert not thread.is_alive(), "the role does not end"


def test_a_decision_goes_to_a_reviewer_whose_word_is_a_label(broker: RunningBroker, tmp_path: Path) -> None:
    """Listed with a due time, upheld and overridden by name, exported, and labelled once, also after a restart."""
    given = {"bootstrap_servers": broker.bootstrap, "ledger": f"reviews-{time.time_ns()}", "var": tmp_path / "var"}
    desk = Desk(Settings.model_validate(given))
    desk.run("init", "--systems", str(DEPLOY / "systems.toml"))
    with registrar(desk.settings):
        desk.run("keys", "new", "rio")
        desk.run("keys", "enrol", str(desk.settings.keys_directory / "rio.pub"), "--role", Role.REVIEWER.value)
        desk.opened(INCIDENT)
        _, manifest = freeze(desk.settings, INCIDENT)
        with OpenLedger(desk.settings) as ledger:
            kept = AttachEvidence(incident=INCIDENT, kind="window", digest=manifest, rows=12, summary="all")
            ledger.ask(desk.key("evidence"), kept)
        tape = Tape(str(broker.bootstrap), f"{desk.settings.ledger}.telemetry.v1")
        with reviews(desk.settings):
            desk.until(lambda ledger: len(ledger.state.cases[INCIDENT].reviews.waiting) == 3)
            listed = desk.json("reviews", "--mine")
            assert [one["state"] for one in listed] == ["waiting"] * 3
            assert "p-3" in desk.run("reviews")
            assert "is in no review" in desk.fails("reviews", "show", "p-0")
            assert "this person's already" in desk.fails("reviews", "assign", "p-1", "--to", "rio", "--as", "rio")
            desk.run("reviews", "uphold", "p-3", "--reason", "the file says the same", "--as", "rio")
            given = ("override", "p-2", "--label", "no", "--reason", "income was read wrongly", "--as", "rio")
            assert "rio" in desk.run("reviews", *given)
            assert "somebody has decided" in desk.fails("reviews", *given)
            wait_until(lambda: len(tape.named("LabelBatch")) == 2, "both labels are sent")
        labels = tape.named("LabelBatch")
        assert [(one["prediction_ids"], one["labels"], one["source"]) for one in labels] == [
            (["p-3"], ["no"], "review"),
            (["p-2"], ["no"], "review"),
        ]
        with reviews(desk.settings):
            wait_until(lambda: len(tape.named("LabelBatch")) == 4, "both labels are sent again")
        again = tape.named("LabelBatch")[2:]
        assert [one["first_position"] for one in again] == [one["first_position"] for one in labels]
        assert desk.json("reviews", "show", "p-2")["values"]["prediction"]["value"] == "yes"
        out = tmp_path / "reviewed.parquet"
        assert "2 reviewed decisions" in desk.run("reviews", "export", "--out", str(out))
        assert pq.read_table(out).num_rows == 2
        tape.close()
