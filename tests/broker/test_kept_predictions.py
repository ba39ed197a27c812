"""Single predictions on a real broker: packed once through kills, judged, kept, frozen with an incident, explained."""

import json
import random
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from agents.archive.choose import sampled
from agents.detection.columns import decode
from schemas.codec import frame, open_frame
from schemas.drills import read as scenario
from schemas.errors import KeyRefusedError
from schemas.merkle import verify_inclusion
from schemas.telemetry import Inference, InferenceBatch, LabelBatch, Value
from schemas.values import Mode
from streams.archive.evidence import evidence_store
from streams.cli.archive import command as archive_command
from streams.cli.drill_from import command as drill_command
from streams.cli.explain import command as explain_command
from streams.cli.trace import command as trace_command
from streams.kafka import Record
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from tests.crew import POLICY, Crew
from tests.plain import wait_until

pytestmark = pytest.mark.broker

SHARE = 0.3
KEEPING = POLICY + b"[archive]\nsample = 0.3\ntiers = []\nclose_seconds = 1\nevidence_rows = 60\n"


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        for role in ("detect", "archive", "intake", "triage", "evidence"):
            made.start(role)
        made.start("intake", "intake-2")
        yield made.open(KEEPING)


class Loans:
    """One model that predicts, one record a prediction; `factor` other than 1 breaks a feature."""

    def __init__(self, crew: Crew) -> None:
        self._crew, self._dice = crew, np.random.default_rng(4)
        self.sent: list[Inference] = []

    def send(self, rows: int, factor: float = 1.0, mode: Mode = Mode.REALTIME, version: str = "2") -> list[Inference]:
        """Write so many predictions, and return them when Kafka has them."""
        made = [replace(self._one(len(self.sent) + row, factor, mode), version=version) for row in range(rows)]
        topic = self._crew.topic("inbound")
        self._crew.send(*(Record(topic, None, frame(one)) for one in made))
        self.sent += made
        return made

    def _one(self, number: int, factor: float, mode: Mode) -> Inference:
        features = self._dice.normal((10, 20, 30), 1.0)
        features[1] *= factor
        values = [Value(name=f"f{i}", role="feature", number=float(x)) for i, x in enumerate(features)]
        values.append(Value(name="prediction", role="prediction", text="no" if features[0] > 10 else "yes"))
        values.append(Value(name="confidence", role="confidence", number=float(self._dice.beta(12, 2))))
        values.append(Value(name="shap", role="explanation", text=json.dumps({"f0": round(float(features[0]), 3)})))
        values.append(Value(name="risk", role="risk", number=0.9 if number % 50 == 0 else 0.1))
        return Inference(
            model="loans",
            version="2",
            instance="a",
            mode=mode,
            prediction_id=f"loan-{number}",
            at=int(time.time() * 1000),
            values=tuple(values),
        )


def counted(crew: Crew) -> dict[tuple[str, int], int]:
    """Return how often each row stands in telemetry, by source and position."""
    found: dict[tuple[str, int], int] = {}
    for seen in crew.tape("telemetry").read():
        if seen.name == "InferenceBatch":
            rows = decode(open_frame(seen.raw, (InferenceBatch,)))
            for position in rows.positions().tolist():
                found[rows.source, position] = found.get((rows.source, position), 0) + 1
    return found


def explained(crew: Crew, identifier: str) -> tuple[Result, dict[str, Any]]:
    """Return what `headgate explain --json` says."""
    done = CliRunner().invoke(explain_command, [identifier, "--json"], obj=crew.settings)
    return done, json.loads(done.stdout)


def test_each_prediction_counts_once_and_can_be_explained(crew: Crew) -> None:
    """Kills repeat no row; risky, shadow and sampled rows are kept; evidence verifies by the ledger's digest."""
    loans, dice, signals = Loans(crew), random.Random(3), crew.tape("signals")
    crew.send(Record(crew.topic("inbound"), None, b"garbage"))
    for _ in range(3):
        loans.send(400)
        time.sleep(dice.uniform(0.05, 0.4))  # the stimulus: a seeded moment
        for name in ("intake", "archive"):
            crew.kill(name)
            crew.again(name)
    shadows = loans.send(20, mode=Mode.SHADOW)

    def judged() -> int:
        words = [word for word in signals.named("MonitorObserved") if word["mode"] == "realtime"]
        return int(words[-1]["rows"]) if words else 0

    wait_until(lambda: judged() >= 1200, "every row is judged")
    loans.send(400, factor=1.5)
    wait_until(lambda: judged() >= 1600, "every row is judged")
    assert judged() == 1600
    assert len(counted(crew)) == len(loans.sent)
    letters = crew.tape("deadletter").named("DeadLetter")
    assert {letter["consumer"] for letter in letters} == {"intake"}

    truth = loans.sent[0].prediction_id
    label = LabelBatch(model="loans", source="l", first_position=0, prediction_ids=(truth,), labels=("no",), at=(1,))
    crew.send(Record(crew.topic("telemetry"), b"loans", frame(label)))
    _check_evidence(crew)
    loans.send(400, factor=1.5, version="3")
    _check_joined(crew)
    _check_explained(crew, loans, shadows)


def _check_evidence(crew: Crew) -> None:
    attached = wait_until(lambda: crew.audit.events("EvidenceAttached"), "evidence is in the ledger")[0]
    store = evidence_store(crew.settings, archive_key(crew.settings.keys_directory))
    manifest = json.loads(store.get(attached["digest"], attached["incident"]))
    assert (attached["kind"], attached["rows"], manifest["rows"]) == ("window", 60, 60)
    done = CliRunner().invoke(archive_command, ["evidence", attached["incident"], "--json"], obj=crew.settings)
    assert json.loads(done.stdout)["evidence"][0]["digest"] == attached["digest"]
    digest = manifest["windows"][0]["files"][0]["digest"]
    path = crew.settings.archive_directory / "evidence" / attached["incident"] / digest
    good = path.read_bytes()
    path.write_bytes(good[:-1] + bytes([good[-1] ^ 1]))
    with pytest.raises(KeyRefusedError, match="was changed"):
        store.get(digest, attached["incident"])
    path.write_bytes(good)


def _check_joined(crew: Crew) -> None:
    """The version that came to show the same is frozen as well, once, and alone."""
    first, joined = wait_until(
        lambda: (told := crew.audit.events("EvidenceAttached"))[1:] and told, "the evidence of the version that joined"
    )
    assert joined["incident"] == first["incident"]
    assert joined["kind"].startswith("window-")
    store = evidence_store(crew.settings, archive_key(crew.settings.keys_directory))
    manifest = json.loads(store.get(joined["digest"], joined["incident"]))
    assert [(window["model"], window["version"]) for window in manifest["windows"]] == [("loans", "3")]
    assert manifest["rows"] == joined["rows"] > 0


def _check_explained(crew: Crew, loans: Loans, shadows: list[Inference]) -> None:
    wait_until(lambda: _seen(crew) >= len(loans.sent), "the archive has seen every prediction")
    assert _seen(crew) == len(loans.sent)
    kept = [one for one in loans.sent if sampled(one.prediction_id, SHARE)][-1]
    for one in (kept, shadows[-1], loans.sent[0]):
        said = explained(crew, one.prediction_id)[1]["decisions"]
        assert len(said) == 1, "a repeat is not kept twice"
        by_name = {value.name: value.number if value.text is None else value.text for value in one.values}
        assert (said[0]["model"], said[0]["version"], said[0]["at"]) == ("loans", one.version, one.at)
        assert said[0]["inputs"] == {name: by_name[name] for name in ("f0", "f1", "f2")}
        assert (said[0]["prediction"], said[0]["confidence"]) == (by_name["prediction"], by_name["confidence"])
        assert said[0]["explanations"] == {"shap": by_name["shap"]}
        assert said[0]["shadow"] is (one.mode is Mode.SHADOW)
    first = wait_until(
        lambda: (said := explained(crew, "loan-0")[1])["labels"] and said, "the label of a kept prediction is kept"
    )
    assert first["labels"] == [{"label": "no", "at": 1}]
    told = CliRunner().invoke(explain_command, [shadows[-1].prediction_id], obj=crew.settings).stdout
    assert "SHADOW" in told
    assert "by loans version 2, instance a (shadow)" in told
    assert "risk" in explained(crew, "loan-0")[1]["decisions"][0]["kept_for"]
    assert explained(crew, kept.prediction_id)[1]["decisions"][0]["incidents"], "it falls in the incident's window"
    _check_traced(crew, kept.prediction_id)
    _check_drawn(crew)
    left = next(one for i, one in enumerate(loans.sent) if i % 50 and i < 400 and not sampled(one.prediction_id, SHARE))
    done, said = explained(crew, left.prediction_id)
    assert (done.exit_code, said["reason"]) == (1, "sampled_out")


def _check_traced(crew: Crew, identifier: str) -> None:
    """Its record is named where it stands in Kafka, and each entry on its way is proven."""
    done = CliRunner().invoke(trace_command, [identifier, "--json"], obj=crew.settings)
    told = json.loads(done.stdout)
    decision, ledger = told["decisions"][0], told["ledger"]
    place = decision["telemetry"]
    seen = {(one.partition, one.offset): one for one in crew.tape("telemetry").read()}
    rows = decode(open_frame(seen[place["partition"], place["offset"]].raw, (InferenceBatch,)))
    assert (rows.source, rows.positions()[place["row"]]) == (decision["source"], decision["position"])
    (incident,) = told["incidents"]
    types = {event["type"] for entry in incident["entries"] for event in entry["events"]}
    assert {"CaseOpened", "CaseDeclared", "EvidenceAttached"} <= types
    for entry in incident["entries"]:
        path = [bytes.fromhex(step) for step in entry["path"]]
        leaf, root = bytes.fromhex(entry["leaf"]), bytes.fromhex(ledger["root"])
        verify_inclusion(leaf, entry["index"], ledger["size"], path, root)
    assert "entries proven" in CliRunner().invoke(trace_command, [identifier], obj=crew.settings).stdout


def _check_drawn(crew: Crew) -> None:
    """The incident's drill breaks the input that was broken, by about as much, and serves what was really asked."""
    (incident,) = {event["incident"] for event in crew.audit.events("CaseOpened")}
    done = CliRunner().invoke(drill_command, [incident], obj=crew.settings)
    drawn = scenario(done.stdout.encode())
    fault = drawn.steps[0].faults[0].model_dump()
    assert (fault["kind"], fault["feature"]) == ("units", "f1")
    assert 20 * fault["factor"] + fault["offset"] == pytest.approx(30, abs=1.5)
    assert drawn.served["drill-loans"].features["f2"].mean == pytest.approx(30, abs=0.5)
    assert set(drawn.served["drill-loans"].outcomes) == {"no", "yes"}


def _seen(crew: Crew) -> int:
    """Return how many predictions the archive says it has seen, each once."""
    done = CliRunner().invoke(archive_command, ["status", "--json"], obj=crew.settings)
    return int(json.loads(done.stdout)["counters"].get("seen", 0))
