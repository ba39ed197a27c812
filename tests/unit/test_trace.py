"""The way of one prediction: its row, the windows and incidents, what people did, and a proof of each entry."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from agents.archive.choose import SAMPLE
from agents.detection.columns import decode
from schemas import events
from schemas.errors import LedgerError
from schemas.merkle import verify_inclusion
from streams.__main__ import headgate
from streams.archive import parquet
from streams.archive.explain import Archive, Windows, explain
from streams.archive.index import ArchiveIndex, NewFile
from streams.archive.parquet import Kept
from streams.archive.retention import folder
from streams.archive.store import SealedStore
from streams.ledger.keyring import archive_key
from streams.ledger.whole import Whole
from streams.settings import Settings
from streams.view.explained import lines as explained
from streams.view.trace import SHOWN, trace
from streams.view.traced import lines
from tests import story
from tests.chapters.drills import EXERCISE
from tests.ledgers import INCIDENT, START, Ledger, read
from tests.traffic import batch

NAMES = {"p-mia": "mia"}


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """The story: its incident has a plan, approvals, actions, reviews, messages and reports."""
    return story.told()


@pytest.fixture(scope="module")
def whole(ledger: Ledger) -> Whole:
    """The story as a reader finds it."""
    checkpoint = ledger.fold.checkpoint
    assert checkpoint is not None
    return Whole(read(ledger.leaves, ledger.notes), ledger.state, checkpoint)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a directory of the test's own, and an archive that holds p-1 and p-9 of the bad version."""
    made = Settings.model_validate({"var": tmp_path / "var", "bootstrap_servers": "127.0.0.1:1"})
    ids = ["p-1", "p-9"]
    rows = decode(
        batch(
            {"prediction_id": ids, "f0": np.ones(2), "prediction": ["yes"] * 2, "at": np.array([START, 1])},
            model="shuttle",
            version="2",
        )
    )
    data = parquet.write([Kept(rows, np.full(2, SAMPLE, dtype=np.uint8), START)])
    key = archive_key(made.keys_directory)
    digest = SealedStore(made.archive_directory / "rows", key).put(data, folder("shuttle"), "2023-11-14")
    said = {"kind": "rows", "model": "shuttle", "day": "2023-11-14", "size": len(data), "ids": ids}
    index = ArchiveIndex(made.archive_directory, key, write=True)
    index.add([NewFile(digest=digest, first_at=START, last_at=START, **said)], [], [], {})  # type: ignore[arg-type]
    index.close()
    return made


def test_no_text_of_a_row_or_an_incident_rules_a_terminal(settings: Settings, whole: Whole) -> None:
    """Instances, labels and titles come from elsewhere: their control characters are not printed."""
    found = told(settings, whole, "p-1")
    (decision,) = found["decisions"]
    decision |= {"instance": "a\x1b[2J", "telemetry": None}
    decision["incidents"] = [{"incident": "i", "severity": "sev1", "phase": "declared", "title": "t\x1b[2J"}]
    found["labels"] = [{"label": "no\x1b[2J", "at": START}]
    assert not [line for line in (*lines(found), *explained(found)) if not line.isprintable()]


def told(settings: Settings, whole: Whole, identifier: str) -> dict[str, Any]:
    """Return the way of a prediction."""
    windows = Windows()
    windows.take(whole.entries)
    return trace(explain(Archive(settings), identifier, windows, whole.state), whole, NAMES)


def test_a_prediction_is_followed_to_the_incident_and_what_people_did(settings: Settings, whole: Whole) -> None:
    """The window that counted it, the plan, approvals, actions, its review, messages and reports, in one document."""
    found = told(settings, whole, "p-1")
    (incident,) = [one for one in found["incidents"] if one["incident"] == INCIDENT]
    assert [(one["signal"], one["detector"]) for one in incident["counted"]] == [("s-1", "psi")]
    assert incident["plan"]["digest"] == whole.state.cases[INCIDENT].plan.digest  # type: ignore[union-attr]
    assert {action["outcome"] for action in incident["actions"]} >= {"done"}
    assert (incident["review"]["verdict"], incident["review"]["decided_by"]) == ("uphold", "p-rio")
    assert "sent" in {message["state"] for message in incident["messages"]}
    assert {report["state"] for report in incident["reports"]} & {"submitted", "running", "not_applicable"}
    types = [event["type"] for entry in incident["entries"] for event in entry["events"]]
    assert types[0] == "CaseOpened"
    assert {"CaseGrew", "PlanProposed", "ApprovalGiven", "ActionFinished", "CaseResolved"} <= set(types)
    reviews = [event for entry in incident["entries"] for event in entry["events"] if event["type"] == "ReviewDecided"]
    assert len(reviews) == 1, "the review of another prediction is none of its way"
    said = "\n".join(lines(found))
    assert "Counted by psi of f1: f1 has drifted" in said
    assert "Review     p-rio: uphold" in said
    assert "mia" in said
    assert json.loads(json.dumps(found)) == found


def test_each_entry_on_the_way_is_proven(settings: Settings, whole: Whole) -> None:
    """Its path leads from its leaf to the root that the checkpoint signs; that of another leaf does not."""
    found = told(settings, whole, "p-1")
    size, root = found["ledger"]["size"], bytes.fromhex(found["ledger"]["root"])
    entries = [entry for incident in found["incidents"] for entry in incident["entries"]]
    assert len(entries) > 10
    for entry in entries:
        path = [bytes.fromhex(step) for step in entry["path"]]
        verify_inclusion(bytes.fromhex(entry["leaf"]), entry["index"], size, path, root)
    with pytest.raises(LedgerError):
        verify_inclusion(bytes(32), entries[0]["index"], size, path, root)


def test_a_prediction_from_before_is_on_no_incident_s_way(settings: Settings, whole: Whole) -> None:
    """It is kept, and nothing counted it."""
    found = told(settings, whole, "p-9")
    assert (found["archived"], found["incidents"]) == (True, [])
    assert "none counted it" in "\n".join(lines(found))


def test_a_review_is_found_where_the_row_is_kept_no_more(settings: Settings, whole: Whole) -> None:
    """The ledger knows it by its id, and says that its right outcome is another."""
    found = told(settings, whole, "p-2")
    assert not found["archived"]
    assert [one["incident"] for one in found["incidents"]] == [INCIDENT]
    assert "override, the right outcome is no" in "\n".join(lines(found))


def test_without_a_ledger_the_row_is_told_alone(settings: Settings) -> None:
    """And without any of both one sentence says why, and what to do."""
    found = trace(explain(Archive(settings), "p-1", None, None), None, {})
    assert found["incidents"] is None
    assert "Ledger     could not be read" in "\n".join(lines(found))
    environ = {"HEADGATE_VAR": str(settings.var), "HEADGATE_BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    done = CliRunner().invoke(headgate, ["trace", "nobody", "--json"], env=environ)
    assert (done.exit_code, json.loads(done.stdout)["reason"]) == (1, "unknown")
    failed = CliRunner().invoke(headgate, ["trace", "nobody"], env=environ)
    assert "`headgate archive status` says what is kept" in str(failed.exception)
    nowhere = CliRunner().invoke(headgate, ["trace", "p-1"], env=environ | {"HEADGATE_VAR": str(settings.var / "none")})
    assert "there is no archive" in str(nowhere.exception)


def test_what_is_shown_are_events_of_the_ledger(whole: Whole) -> None:
    """No name is misspelt; a drill's incident says that it is one."""
    assert {record.__name__ for record in events.RECORDS} >= SHOWN
    decision = {"model": "played", "version": "1", "instance": "a", "at": START, "incidents": [{"incident": EXERCISE}]}
    found = {"prediction_id": "x", "archived": True, "decisions": [decision], "labels": [], "scores": []}
    assert [one["drill"] for one in trace(found, whole, {})["incidents"]] == [True]
