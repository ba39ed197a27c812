"""People work on an incident and learn from it at the command line, on a real broker with a registrar that decides."""

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
from tests.play import evidence

pytestmark = pytest.mark.broker
INCIDENT = "learnt-1"


@pytest.fixture(scope="module")
def desk(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A ledger with policy, systems and two managers, an incident, and a registrar at work."""
    var = tmp_path_factory.mktemp("learning")
    given = {"bootstrap_servers": broker.bootstrap, "ledger": f"learning-{time.time_ns()}", "var": var}
    made = Desk(Settings.model_validate(given))
    made.run("init", "--systems", str(DEPLOY / "systems.toml"))
    with registrar(made.settings):
        for name in ("ana", "ben"):
            made.run("keys", "new", name)
            public = made.settings.keys_directory / f"{name}.pub"
            made.run("keys", "enrol", str(public), "--role", Role.ML_MANAGER.value)
        made.opened(INCIDENT, evidence=(evidence(value=0.2),))
        yield made


@contextmanager
def reviews(settings: Settings) -> Iterator[None]:
    """Run the role that asks for reviews while the block runs."""
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


def say(desk: Desk, *words: str, who: str = "ana") -> str:
    """Say something of the incident."""
    return desk.run("incidents", *words[:1], INCIDENT, *words[1:], "--as", who)


def test_people_share_the_work_and_its_timeline_tells_it(desk: Desk) -> None:
    """Duties, checklist, tasks and notes are said and listed, and a note stands where it happened."""
    assert "ana is commander" in say(desk, "assume", "commander")
    assert "ben is commander" in say(desk, "hand-over", "commander", "--to", "ben", "--note", "it grows")
    assert "only the commander" in desk.fails(
        "incidents", "hand-over", INCIDENT, "commander", "--to", "ben", "--note", "x", "--as", "ana"
    )
    say(desk, "check", "who-is-harmed", "--note", "nobody")
    assert desk.json("incidents", "checklist", INCIDENT)[0]["answer"] == "nobody"
    given = ("--title", "Look upstream", "--owner", "ben", "--due", "2030-01-31", "--as", "ana")
    desk.run("incidents", "task", "add", INCIDENT, "t-1", *given)
    desk.run("incidents", "task", "done", INCIDENT, "t-1", "--note", "merged", "--as", "ben")
    assert desk.json("incidents", "task", "list", INCIDENT)["t-1"]["done_at"] > 0
    say(desk, "note", "customers call", "--at", "2020-01-31T12:00+01:00")
    first = desk.json("incidents", "timeline", INCIDENT)[0]
    assert (first["event"], first["told_at"]) == ("NoteAdded", 1_580_468_400_000)
    assert "[told " in desk.run("incidents", "timeline", INCIDENT)


def test_what_was_learnt_is_written_down_and_measured(desk: Desk, tmp_path: Path) -> None:
    """Causes, a replay, verdicts, a correction and the post-mortem reach the ledger, and metrics read it."""
    say(desk, "cause", "unit", "--kind", "root", "--code", "data_contract", "--text", "no unit in the contract")
    assert "unit [root, data_contract]" in desk.run("incidents", "causes", INCIDENT)
    result = tmp_path / "other.json"
    result.write_text("{}")
    say(desk, "replay", str(result), "--policy", str(DEPLOY / "policy.toml"), "--says", "found a minute earlier")
    assert "replay" in desk.run("archive", "evidence", INCIDENT)
    run = ("incidents", "replay", INCIDENT, "--policy", str(DEPLOY / "policy.toml"), "--as", "ana")
    assert "no prediction of the incident's models" in desk.fails(*run)
    assert "judges s-1 false" in say(desk, "judge", "1", "false", "--note", "a backfill")
    assert desk.json("incidents", "signals", INCIDENT)[0]["finding"] == "false"
    say(desk, "correct", "occurred", "--at", "2023-11-14T22:00Z", "--reason", "the release")
    file = tmp_path / "learnt.toml"
    file.write_text(desk.run("incidents", "post-mortem", "template", INCIDENT), "utf-8")
    assert "nothing is said" in desk.fails("incidents", "post-mortem", "write", str(file), "--as", "ana")
    file.write_text(file.read_text("utf-8").replace('= ""\n', '= "unknown: a test"\n'), "utf-8")
    digest = desk.run("incidents", "post-mortem", "write", str(file), "--as", "ana").split()[5]
    shown = desk.json("incidents", "post-mortem", "show", INCIDENT)
    assert (shown["digest"], shown["accepted_by"]) == (digest, "")
    said = desk.fails("incidents", "post-mortem", "accept", INCIDENT, "--digest", digest[:12], "--as", "ben")
    assert "accepted when it is over" in said
    assert "rated when it is over" in desk.fails("incidents", "rate", INCIDENT, "4", "--as", "ben")
    measured = desk.json("metrics", "--by", "system")
    assert measured["summary"]["incidents"] == 1
    assert measured["incidents"][0]["root_causes"] == ["data_contract"]
    assert "from the first bad row to the case" in desk.run("metrics")
    assert "# Incidents of" in desk.run("report", "trend")
    assert desk.json("report", "risk-register")[0]["control"] == "data_contract"
    proposal = tmp_path / "proposed.toml"
    told = desk.json("policy", "propose", "--from-feedback", "--least", "1", "--out", str(proposal))
    assert [(one["setting"], one["after"]) for one in told["changes"]] == [("detection.psi", 0.21)]
    assert "psi = 0.21\n" in proposal.read_text("utf-8")
    assert "there is no archive" in desk.fails("report", "failures", "--out", str(tmp_path / "rows.parquet"))


def test_a_decision_goes_to_a_reviewer_whose_word_is_a_label(desk: Desk, tmp_path: Path) -> None:
    """Listed with a due time, upheld and overridden by name, exported, and labelled under one position each."""
    with OpenLedger(desk.settings) as ledger:
        _, manifest = freeze(desk.settings, INCIDENT)
        kept = AttachEvidence(incident=INCIDENT, kind="window", digest=manifest, rows=12, summary="all")
        ledger.ask(desk.key("evidence"), kept)
    tape = Tape(str(desk.settings.bootstrap_servers), f"{desk.settings.ledger}.telemetry.v1")
    with reviews(desk.settings):
        desk.until(lambda ledger: len(ledger.state.cases[INCIDENT].reviews.waiting) == 3)
        assert [one["state"] for one in desk.json("reviews", "--mine")] == ["waiting"] * 3
        assert "p-3" in desk.run("reviews")
        assert "is in no review" in desk.fails("reviews", "show", "p-0")
        assert "for ana to review" in desk.run("reviews", "assign", "p-2", "--to", "ana", "--as", "ben")
        desk.run("reviews", "uphold", "p-3", "--reason", "the file says the same", "--as", "ben")
        given = ("override", "p-2", "--label", "no", "--reason", "income was read wrongly", "--as", "ana")
        assert "ana overrode decision p-2" in desk.run("reviews", *given)
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
    tape.close()
    assert desk.json("reviews", "show", "p-2")["values"]["prediction"]["value"] == "yes"
    out = tmp_path / "reviewed.parquet"
    assert "2 reviewed decisions" in desk.run("reviews", "export", "--out", str(out))
    assert pq.read_table(out).num_rows == 2
