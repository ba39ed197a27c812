"""The archive without a broker: what is chosen, what the index holds, what is told of one prediction."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agents.archive.choose import RISK, SAMPLE, SHADOW, TIER, choose, reasons, sampled
from agents.archive.relevance import most_relevant, relevance, usual
from agents.detection.columns import Rows, decode
from schemas.errors import HeadgateError, SchemaError
from schemas.policy import ArchivePolicy
from schemas.values import Flag, Mode
from streams.archive import parquet
from streams.archive.explain import Archive, Windows, explain
from streams.archive.index import ArchiveIndex, NewFile
from streams.archive.parquet import Kept
from streams.archive.retention import folder, prune
from streams.archive.store import SealedStore
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from streams.view.explained import lines
from tests.ledgers import INCIDENT, START, genesis
from tests.play import incident_grew, incident_quieted, opened
from tests.traffic import batch, column

IDS = [f"p-{i}" for i in range(200)]
DAY_MS = 86_400_000


def rows(count: int = 200, mode: Mode = Mode.REALTIME, **columns: Any) -> Rows:
    """Return decoded rows with ids, and these columns."""
    made = {"prediction_id": IDS[:count], "f0": np.arange(count, dtype=float), **columns}
    return decode(batch(made, mode=mode))


def test_what_is_risky_shadow_sampled_or_of_a_high_tier_is_kept() -> None:
    """Each reason is noted; the sample is the rows whose id hashes into it."""
    policy = ArchivePolicy(sample=0.2)
    assert (choose(rows(), policy, "high") & TIER).all()
    assert (choose(rows(mode=Mode.SHADOW), policy, "low") & SHADOW).all()
    chosen = choose(rows(), policy, "low")
    assert chosen.tolist() == [SAMPLE if sampled(name, 0.2) else 0 for name in IDS]
    assert 20 < np.count_nonzero(chosen) < 60
    assert reasons(RISK | SHADOW) == ("risk", "shadow")


def test_a_risk_is_a_number_or_a_word_and_one_that_cannot_be_read_counts() -> None:
    """From the policy's threshold on, or one of its words in any case; a cell of a wrong type may be a high risk."""
    policy = ArchivePolicy(sample=0, risk=0.5)
    numbers = column("risk", np.array([0.4, 0.5, 0.9, 0.0]), "risk", bytes([0, 0, 0, Flag.WRONG_TYPE]))
    assert choose(rows(4, risk=numbers), policy, "low").tolist() == [0, RISK, RISK, RISK]
    words = column("risk", ["low", "HIGH", "critical", "low"], "risk", bytes([0, 0, 0, Flag.NULL]))
    assert choose(rows(4, risk=words), policy, "low").tolist() == [0, RISK, RISK, 0]


def test_rows_without_ids_are_sampled_by_their_position() -> None:
    """The same rows each time."""
    made = decode(batch({"f0": np.zeros(1000)}))
    chosen = choose(made, ArchivePolicy(sample=0.5), "low")
    assert 400 < np.count_nonzero(chosen) < 600
    assert (choose(made, ArchivePolicy(sample=0.5), "low") == chosen).all()


def test_the_most_relevant_rows_are_those_far_from_what_was_usual() -> None:
    """Outliers, unusable cells and unheard-of texts first; the rest of the bound is a sample of the others."""
    dice = np.random.default_rng(1)
    before = [rows(f0=dice.normal(size=200), c=["a", "b"] * 100)]
    values = dice.normal(size=200)
    values[7] = 40.0
    flags = bytes([Flag.NULL if i == 9 else 0 for i in range(200)])
    texts = ["a"] * 200
    texts[11] = "zz"
    now = rows(f0=column("f0", values, flags=flags), c=texts)
    subjects = {name: usual(before, name) for name in ("f0", "c", "none")}
    order = np.argsort(-relevance(now, subjects), kind="stable")
    assert set(order[:3].tolist()) == {7, 9, 11}
    chosen = most_relevant([now, now], subjects, 10)
    assert sum(int((part > 0).sum()) for part in chosen) == 10
    assert all(part[row] == 1 for part in chosen for row in (7, 9, 11))
    assert sum(int((part == 2).sum()) for part in chosen) == 2
    assert [int((part > 0).sum()) for part in most_relevant([now], subjects, 1000)] == [200]


def test_a_row_comes_back_from_parquet_as_it_was() -> None:
    """Numbers bit for bit, texts, nulls and wrong types, version, source and position."""
    strange = column("f1", np.array([1.5, np.nan, np.inf, 0.0]), flags=bytes([0, 0, 0, Flag.WRONG_TYPE]))
    texts = column("color", ["red", "red", "blue", "red"], flags=bytes([0, 0, 0, Flag.NULL]))
    made = rows(4, f1=strange, color=texts).counted()
    part = made.where(np.array([True, False, True, True]))
    table = parquet.read(parquet.write([Kept(part, np.array([1, 2, 4], dtype=np.uint8), 99)]))
    first, second, third = (parquet.row(table, number) for number in range(3))
    assert (first["version"], first["source"], first["position"], first["received_at"]) == ("1", "a", 0, 99)
    assert (second["position"], second["kept_for"]) == (2, 2)
    assert second["values"]["f1"] == {"role": "feature", "value": np.inf}
    assert (first["values"]["color"]["value"], third["values"]["color"]["value"]) == ("red", None)
    assert third["values"]["f1"] == {"role": "feature", "value": None, "wrong_type": True}
    with pytest.raises(SchemaError, match="no Parquet"):
        parquet.read(b"PAR1 not")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with a directory of the test's own."""
    return Settings.model_validate({"var": tmp_path / "var", "bootstrap_servers": "127.0.0.1:1"})


def keep(settings: Settings, made: Rows, at: int, day: str) -> NewFile:
    """Keep rows in the archive, and return their file."""
    key = archive_key(settings.keys_directory)
    parts = [Kept(made, np.full(made.rows, SAMPLE, dtype=np.uint8), at)]
    data = parquet.write(parts)
    digest = SealedStore(settings.archive_directory / "rows", key).put(data, folder(made.model), day)
    file = NewFile(
        digest=digest,
        kind="rows",
        model=made.model,
        day=day,
        size=len(data),
        first_at=at,
        last_at=at,
        ids=parquet.ids(parts),
    )
    index = ArchiveIndex(settings.archive_directory, key, write=True)
    index.add([file], [(made.model, made.source, made.rows - 1)], [("t/id", 0, 5)], {"seen": made.rows})
    index.close()
    return file


def test_a_prediction_is_told_whole_and_expires(settings: Settings) -> None:
    """What was decided, from what; once its file is pruned it is said to have expired, then it is unknown."""
    at = 400 * DAY_MS
    keep(settings, rows(3, prediction=["yes", "no", "yes"], confidence=np.array([0.5, 0.75, 1.0])), at, "1971-02-05")
    archive = Archive(settings)
    found = explain(archive, "p-1", None, None)
    decision = found["decisions"][0]
    assert (decision["prediction"], decision["confidence"], decision["inputs"]) == ("no", 0.75, {"f0": 1.0})
    assert (decision["model"], decision["version"], decision["position"], decision["at"]) == ("m", "1", 1, at)
    assert decision["kept_for"] == ["sample"]
    assert json.loads(json.dumps(found)) == found
    told = "\n".join(lines(found))
    assert "Outcome    no" in told
    assert "the ledger could not be read" in told
    store = SealedStore(settings.archive_directory / "rows", archive_key(settings.keys_directory))
    policy = ArchivePolicy(keep_days=10)
    assert prune(archive.index, store, policy, at + 9 * DAY_MS) == 0
    assert prune(archive.index, store, policy, at + 11 * DAY_MS) == 1
    assert list(store.files()) == []
    assert explain(archive, "p-1", None, None)["reason"] == "expired"


def test_a_prediction_that_is_not_kept_says_why(settings: Settings) -> None:
    """Outside the sample it was left out by policy; inside it, no such prediction was seen."""
    keep(settings, rows(1), 1, "1970-01-01")
    archive, state = Archive(settings), genesis().state
    left = next(name for name in (f"q-{i}" for i in range(100)) if not sampled(name, 0.05))
    seen = next(name for name in (f"q-{i}" for i in range(1000)) if sampled(name, 0.05))
    assert explain(archive, left, None, state)["reason"] == "sampled_out"
    assert explain(archive, seen, None, state)["reason"] == "unknown"
    assert explain(archive, left, None, None)["reason"] == "unknown"


def test_index_is_exact_and_holds_no_id(settings: Settings) -> None:
    """Files, marks, offsets and counters are there together, or not at all; ids stand in it as keyed hashes."""
    file = keep(settings, rows(), 5, "1970-01-01")
    key = archive_key(settings.keys_directory)
    index = ArchiveIndex(settings.archive_directory, key, write=True)
    assert (index.mark("m", "a"), index.mark("m", "b"), index.offset("t/id", 0), index.offset("t/id", 1)) == (
        199,
        -1,
        5,
        None,
    )
    broken = replace(file, ids=[object()])  # type: ignore[list-item]
    with pytest.raises(AttributeError):
        index.add([file, broken], [("m", "a", 999)], [("t/id", 0, 9)], {"seen": 1})
    assert (index.mark("m", "a"), index.offset("t/id", 0), len(index.find("p-3"))) == (199, 5, 1)
    assert index.holds("p-3")
    assert not index.holds("other")
    assert index.summary()["counters"] == {"seen": 200}
    index.close()
    stored = b"".join(path.read_bytes() for path in settings.archive_directory.glob("index*"))
    assert b"p-137" not in stored


def test_an_archive_that_was_never_begun_says_so(settings: Settings) -> None:
    """With the command that begins one."""
    with pytest.raises(HeadgateError, match="headgate run archive"):
        Archive(settings)


def test_a_prediction_falls_into_an_incident_from_its_first_bad_row_until_it_is_over() -> None:
    """By model, version, instance and time; an incident that grows goes on."""
    ledger = opened()

    def incidents(at: int, version: str = "2", model: str = "shuttle") -> list[str]:
        windows = Windows()
        windows.take(ledger.verified)
        return windows.of(model, version, "a", START + at)

    assert incidents(0) == incidents(10**9) == [INCIDENT]
    assert incidents(-1) == incidents(0, "1") == incidents(0, model="other") == []
    ledger.ask(incident_quieted(last_signal_at=START + 2000), "triage")
    assert (incidents(2000), incidents(2001)) == ([INCIDENT], [])
    ledger.ask(incident_grew(sequence=3), "triage")
    assert incidents(10**9) == [INCIDENT]
