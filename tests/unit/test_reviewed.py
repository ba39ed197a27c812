"""Decisions to review, out of the evidence store: read to choose from, shown, and exported with their verdicts."""

from dataclasses import replace
from pathlib import Path

import pytest

from agents.roles.review import chosen
from schemas import commands as c
from schemas.case.reviews import ReviewVerdict
from schemas.errors import HeadgateError, SchemaError
from schemas.values import Role
from streams.archive.reviewed import decisions, export, kept_windows, outcome, row_of
from streams.archive.store import SealedStore
from streams.settings import Settings
from tests.chapters.reviews import decide
from tests.frozen import freeze
from tests.ledgers import INCIDENT, Ledger, enrolment
from tests.play import evidence_kept, opened


@pytest.fixture
def store(tmp_path: Path) -> tuple[SealedStore, str]:
    """Frozen decisions, and the digest of their manifest."""
    return freeze(Settings.model_validate({"var": tmp_path / "var", "bootstrap_servers": "127.0.0.1:1"}), INCIDENT)


def queued(store: tuple[SealedStore, str]) -> Ledger:
    """Return a ledger in which everything that should be reviewed is queued."""
    ledger = opened()
    ledger.ask(evidence_kept(digest=store[1]), "evidence")
    ledger.ask(c.EnrolKey(enrolment=enrolment("rio", Role.REVIEWER)), "ada")
    (manifest,) = kept_windows(ledger.case)
    for one in chosen(ledger.control, ledger.case, decisions(store[0], INCIDENT, manifest)):
        ledger.ask(one, "evidence")
    return ledger


def test_the_kept_decisions_are_read_with_what_they_state(store: tuple[SealedStore, str]) -> None:
    """Uncertain and risky ones are queued; shadow decisions and those of a sure, harmless kind are not."""
    rows = decisions(store[0], INCIDENT, store[1])
    assert [row.prediction for row in rows] == [f"p-{i}" for i in range(6)]
    assert (rows[4].risk, rows[5].confidence) == (None, None)
    waiting = queued(store).case.reviews.waiting
    assert [(one.prediction, one.band.value) for one in waiting] == [
        ("p-3", "risky"),
        ("p-2", "risky"),
        ("p-1", "uncertain"),
    ]


def test_a_reviewed_decision_is_shown_and_exported_with_its_label(store: tuple[SealedStore, str]) -> None:
    """What is upheld is labelled by its own outcome, what is overridden by the person's."""
    ledger = queued(store)
    with pytest.raises(HeadgateError, match="no review is decided yet"):
        export([ledger.case], store[0])
    ledger.ask(decide("p-3"), "rio")
    ledger.ask(decide("p-2", ReviewVerdict.OVERRIDE, label="no"), "rio")
    rows = export([ledger.case], store[0]).to_pylist()
    assert [(row["prediction_id/prediction_id"], row["verdict"], row["label"]) for row in rows] == [
        ("p-3", "uphold", "no"),
        ("p-2", "override", "no"),
    ]
    assert rows[1]["prediction/prediction"] == "yes"
    assert {row["reviewer"] for row in rows} == {"p-rio"}
    shown = row_of(store[0], INCIDENT, ledger.case.reviews.queued["p-2"])
    assert shown["values"]["risk"] == {"role": "risk", "value": 0.9}


def test_a_row_that_is_not_there_is_said(store: tuple[SealedStore, str]) -> None:
    """A file that is gone, one that holds other rows, and evidence that is no manifest are each a sentence."""
    review = queued(store).case.reviews.queued["p-1"]
    with pytest.raises(HeadgateError, match="is not there"):
        row_of(store[0], INCIDENT, replace(review, digest="ab" * 32))
    with pytest.raises(HeadgateError, match="does not hold this decision"):
        row_of(store[0], INCIDENT, replace(review, prediction="p-9"))
    with pytest.raises(SchemaError, match="no manifest"):
        decisions(store[0], INCIDENT, store[0].put(b"[]", INCIDENT))


@pytest.mark.parametrize(("value", "label"), [("yes", "yes"), (1.0, "1"), (0.25, "0.25"), (3, "3")])
def test_an_upheld_outcome_is_a_label(value: object, label: str) -> None:
    """Whole numbers are written as the names of classes are."""
    assert outcome({"values": {"y": {"role": "prediction", "value": value}}}) == label


@pytest.mark.parametrize("values", [{}, {"y": {"role": "prediction", "value": float("nan")}}])
def test_a_row_without_an_outcome_gives_no_label(values: dict[str, object]) -> None:
    """Nothing is made up."""
    with pytest.raises(SchemaError, match="no prediction"):
        outcome({"values": values})
