"""Labelled failure cases: rows of judged signals out of the evidence store, and tests made of them that really run."""

import json
import os
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from agents.archive.choose import INCIDENT as WHY
from agents.detection.columns import decode
from agents.metrics.history import History, histories
from schemas.case import learning as s
from schemas.case.learning import Finding, MissedControl
from schemas.errors import HeadgateError
from streams.archive import parquet
from streams.archive.evidence import _described, evidence_store
from streams.archive.explain import Archive
from streams.archive.failure_tests import write_rows, write_tests
from streams.archive.failures import failures
from streams.archive.index import ArchiveIndex, NewFile
from streams.archive.parquet import Kept
from streams.archive.retention import folder
from streams.archive.store import SealedStore
from streams.archive.window import Window
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from tests.learnt import root
from tests.ledgers import INCIDENT, START
from tests.play import evidence, evidence_kept, incident_opened, opened
from tests.traffic import batch

ROWS = 6


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a directory of the test's own."""
    return Settings.model_validate({"var": tmp_path / "var", "bootstrap_servers": "127.0.0.1:1"})


def frozen(settings: Settings, finding: Finding | None = Finding.TRUE) -> History:
    """Return a case whose rows are frozen, and all but the last labelled; its first signal is judged."""
    key = archive_key(settings.keys_directory)
    store = evidence_store(settings, key)
    columns: dict[str, Any] = {
        "prediction_id": [f"p-{i}" for i in range(ROWS)],
        "f0": np.array([1.0, 2.0, 3.0, 4.0, 5.0, np.nan]),
        "color": ["red", "blue"] * 3,
        "prediction": ["yes"] * ROWS,
        "at": START + 200 * np.arange(ROWS),
    }
    made = decode(batch(columns, model="shuttle", version="2"))
    rows = parquet.write([Kept(made, np.full(ROWS, WHY, dtype=np.uint8), START)])
    file = NewFile(
        digest=store.put(rows, INCIDENT),
        kind=f"evidence/{INCIDENT}",
        model="shuttle",
        day="2023-11-14",
        size=len(rows),
        first_at=START,
        last_at=START,
        ids=columns["prediction_id"],
    )
    signals = [evidence(), evidence(signal="s-2", subject="color")]
    window = _described(Window("shuttle", "2", START, START + 500), signals, [file])
    manifest = store.put(json.dumps({"windows": [window]}).encode(), INCIDENT)
    said = {"prediction_id": [f"p-{i}" for i in range(ROWS - 1)], "label": ["yes", "no", "no", "no", "yes"]}
    data = parquet.write_texts(said | {"at": [START] * (ROWS - 1)})
    labels = SealedStore(settings.archive_directory / "rows", key).put(data, folder("shuttle"), "2023-11-14")
    kept = NewFile(
        digest=labels,
        kind="labels",
        model="shuttle",
        day="2023-11-14",
        size=len(data),
        first_at=START,
        last_at=START,
        ids=said["prediction_id"],
    )
    index = ArchiveIndex(settings.archive_directory, key, write=True)
    index.add([kept], [], [], {})
    index.close()
    ledger = opened(evidence=tuple(signals))
    ledger.ask(evidence_kept(digest=manifest), "evidence")
    ledger.ask(root(code=MissedControl.DATA_CONTRACT), "max")
    if finding is not None:
        ledger.ask(s.JudgeSignal(incident=INCIDENT, signal="s-1", finding=finding, note=""), "eva")
    (history,) = histories(ledger.verified)
    return history


def test_rows_come_with_what_was_said_and_what_turned_out_to_be_true(settings: Settings) -> None:
    """Each row of the judged signal, in or outside its window, with its label where the archive has one."""
    history, key = frozen(settings), archive_key(settings.keys_directory)
    table = failures([history], evidence_store(settings, key), Archive(settings))
    rows = table.to_pylist()
    assert [row["label"] for row in rows] == ["yes", "no", "no", "no", "yes", None]
    assert [row["in_window"] for row in rows] == [True, True, True, False, False, False]
    assert {(row["signal"], row["finding"], row["root_causes"]) for row in rows} == {("s-1", "true", "data_contract")}
    assert [row["feature/color"] for row in rows[:2]] == ["red", "blue"]
    assert [row["prediction/prediction"] for row in rows[:1]] == ["yes"]
    both = replace(history, case=replace(history.case, learning=replace(history.case.learning)))
    assert failures([history, both], evidence_store(settings, key), None).num_rows == 2 * ROWS


@pytest.mark.parametrize("finding", [None, Finding.DUPLICATE])
def test_what_nobody_judged_is_no_failure_case(settings: Settings, finding: Finding | None) -> None:
    """Without a verdict, or with one that only says that another signal says it, there is nothing to learn from."""
    history = frozen(settings, finding)
    with pytest.raises(HeadgateError, match="no frozen row belongs to a judged signal"):
        failures([history], evidence_store(settings, archive_key(settings.keys_directory)), None)


def test_another_model_s_rows_are_left_out(settings: Settings) -> None:
    """--model asks for one model's rows alone."""
    store = evidence_store(settings, archive_key(settings.keys_directory))
    history = frozen(settings)
    assert failures([history], store, None, "shuttle").num_rows == ROWS
    with pytest.raises(HeadgateError, match="no frozen row"):
        failures([history], store, None, "other")


def test_no_drill_is_a_failure_case(settings: Settings) -> None:
    """What was played is nothing to learn a model's failures from."""
    history = frozen(settings)
    drill = replace(history, case=replace(history.case, drill=True))
    with pytest.raises(HeadgateError, match="no frozen row"):
        failures([drill], evidence_store(settings, archive_key(settings.keys_directory)), None)


def test_the_tests_that_are_written_run_against_a_model(settings: Settings, tmp_path: Path) -> None:
    """A team runs them with nothing of ours: a model that errs less than the one that failed passes."""
    history = frozen(settings)
    rows = failures([history], evidence_store(settings, archive_key(settings.keys_directory)), Archive(settings))
    test = write_tests(rows, tmp_path / "validation")
    said = "['yes' if row['f0'] in (1.0, 5.0) else 'no' for row in rows]"
    (tmp_path / "model.py").write_text(f"def predict(rows):\n    return {said}\n")
    environ = os.environ | {"HEADGATE_PREDICT": "model:predict", "PYTHONPATH": str(tmp_path)}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(test)]
    result = subprocess.run(words, env=environ, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert "2 passed" in result.stdout, result.stdout
    written = runpy.run_path(str(test))
    answered, better = (written[name] for name in sorted(written) if name.startswith("test_"))
    better(lambda given: ["no"] * len(given), (INCIDENT, "s-1"))
    with pytest.raises(AssertionError, match="3 of 5 rows are wrong; 3 were wrong then"):
        better(lambda given: ["yes"] * len(given), (INCIDENT, "s-1"))
    for bad in (lambda given: [None] * len(given), lambda given: ["no"] * (len(given) - 1), lambda _: [float("nan")]):
        with pytest.raises(AssertionError):
            answered(bad, (INCIDENT, "s-1"))


def test_rows_are_written_for_their_owner_alone(settings: Settings, tmp_path: Path) -> None:
    """They may be personal data: nobody else on the machine reads the file."""
    history = frozen(settings)
    rows = failures([history], evidence_store(settings, archive_key(settings.keys_directory)), None)
    path = tmp_path / "failures.parquet"
    write_rows(rows, path)
    assert path.stat().st_mode & 0o077 == 0
    assert pq.read_table(path).num_rows == ROWS
    assert incident_opened().id == INCIDENT
