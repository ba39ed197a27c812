"""The demonstration's model, its faults and its protocol, without any server."""

from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from schemas.errors import SchemaError
from streams.demo.faults import Fault, distort, switch, watched
from streams.demo.inference import answer, read_question
from streams.demo.models import TRAINING_ROWS, Array, Classifier, read_rows, train
from streams.demo.traffic import questions
from streams.serving.protocol import MAX_LABELS, MAX_ROWS, read_labels

WINDOW, REFERENCE = 500, 2_000


@pytest.fixture(scope="module")
def trained() -> dict[str, Classifier]:
    """Train both versions once."""
    return {training.version: training.classifier for training in train(7)}


def psi(reference: Array, current: Array) -> float:
    """Return the population stability index over the deciles of `reference`."""
    edges = np.unique(np.quantile(reference, np.linspace(0.1, 0.9, 9)))
    parts = []
    for values in (reference, current):
        counts = np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        parts.append(np.maximum(counts / len(values), 1e-4))
    return float(((parts[0] - parts[1]) * np.log(parts[0] / parts[1])).sum())


def served(seed: int, rows: int) -> Array:
    """Return the first rows that the traffic of this seed asks about."""
    asked = islice(questions(seed), rows // 10)
    return np.array([row for question in asked for row in question.rows])[:rows]


def test_both_versions_are_good_and_the_same_each_time(trained: dict[str, Classifier]) -> None:
    """Accuracy on unseen rows is over 99 %, and training again with the seed gives the same artefact."""
    for training in train(7):
        assert training.accuracy > 0.99
        assert training.classifier.to_json() == trained[training.version].to_json()
    assert trained["1"].to_json() != trained["2"].to_json()


def test_an_artefact_survives_its_text(trained: dict[str, Classifier]) -> None:
    """Writing and reading an artefact gives the same predictions."""
    rows = read_rows()[0][-100:]
    again = Classifier.from_json(trained["2"].to_json())
    assert np.array_equal(again.predict(rows)[1], trained["2"].predict(rows)[1])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"centre":[1],"scale":[1],"weights":[1]}', "[" * 5000, '{"centre":"x"}', " " * 70_000]
)
def test_a_foreign_artefact_is_refused(text: str) -> None:
    """What is no classifier is a SchemaError, never another exception."""
    with pytest.raises(SchemaError):
        Classifier.from_json(text)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_without_a_fault_no_sensor_drifts(seed: int) -> None:
    """Between the first 2,000 rows and any later 500 no sensor's PSI reaches 0.1."""
    rows = served(seed, 20_000)
    for start in range(REFERENCE, len(rows) - WINDOW, WINDOW):
        window = rows[start : start + WINDOW]
        assert max(psi(rows[:REFERENCE, n], window[:, n]) for n in range(9)) < 0.1


@pytest.mark.parametrize("fault", [Fault.UNITS, Fault.STUCK, Fault.SWAPPED])
def test_a_fault_is_seen_and_felt(fault: Fault, trained: dict[str, Classifier]) -> None:
    """A fault moves the PSI of what the model is fed far over 0.15 and lowers confidence and accuracy of version 2."""
    model = trained["2"]
    rows, truth = read_rows()
    rows, truth = rows[TRAINING_ROWS:][:REFERENCE], truth[TRAINING_ROWS:][:REFERENCE]
    broken = distort(rows, fault, model.centre)
    assert max(psi(rows[:, n], broken[:, n]) for n in range(9)) > 1.0
    (right, sure), (wrong, unsure) = model.predict(rows), model.predict(broken)
    assert unsure.mean() < sure.mean() - 0.005
    assert (wrong == truth).mean() < (right == truth).mean()


@pytest.mark.parametrize("fault", [Fault.NONE, Fault.LATENCY])
def test_no_fault_and_slowness_leave_features_alone(fault: Fault) -> None:
    """The model is fed exactly what arrived."""
    rows = read_rows()[0][:10]
    assert distort(rows, fault, rows[0]) is rows


def test_the_switch_follows_its_file(tmp_path: Path) -> None:
    """No file is no fault; writing a fault turns it on and off; a word that is no fault is none."""
    file = tmp_path / "fault"
    switched = watched(file)
    assert switched.now() is Fault.NONE
    for fault in Fault:
        switch(file, fault)
        assert switched.now() is fault
    file.unlink()
    assert switched.now() is Fault.NONE
    file.write_text("sabotage")
    assert switched.now() is Fault.NONE
    assert watched(None).now() is Fault.NONE


def body(**changes: object) -> dict[str, object]:
    """Return a good request with `changes` to its tensor."""
    tensor = {"name": "sensors", "shape": [2, 9], "datatype": "FP64", "data": [0.5] * 18}
    return {"id": "a", "inputs": [tensor | changes]}


def test_nested_and_flat_data_are_the_same_question() -> None:
    """Row-major flat data and nested data give the same rows."""
    flat, nested = read_question(body()), read_question(body(data=[[0.5] * 9] * 2))
    assert np.array_equal(flat.rows, nested.rows)
    assert flat.rows.shape == (2, 9)


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        [],
        {},
        {"inputs": []},
        {"inputs": [1]},
        body() | {"id": 5},
        body() | {"id": "x" * 101},
        body(shape=[2, 8]),
        body(shape=[0, 9], data=[]),
        body(shape=[MAX_ROWS + 1, 9]),
        body(shape=[True, 9]),
        body(shape="2,9"),
        body(datatype="BYTES"),
        body(data=None),
        body(data=["x"] * 18),
        body(data=[float("nan")] * 18),
        body(data=[10**400] * 18),
        body(data=[0.5] * 17),
        body(data={"0": 1}),
        body(data=[[1], [1, 2]]),
    ],
)
def test_hostile_questions_are_refused(hostile: object) -> None:
    """What is not a finite [n, 9] tensor is a SchemaError."""
    with pytest.raises(SchemaError):
        read_question(hostile)


def test_an_answer_names_the_version_and_each_class() -> None:
    """The response is Open Inference Protocol V2 with one class and one confidence a row."""
    said = answer("2", "a", ["normal", "anomaly"], np.array([0.9, 0.8]))
    assert (said["model_name"], said["model_version"], said["id"]) == ("shuttle", "2", "a")
    assert said["outputs"] == [
        {"name": "class", "shape": [2], "datatype": "BYTES", "data": ["normal", "anomaly"]},
        {"name": "confidence", "shape": [2], "datatype": "FP64", "data": [0.9, 0.8]},
    ]


def test_labels_are_checked() -> None:
    """A list of pairs of texts is taken, anything else refused."""
    assert read_labels({"labels": [{"prediction_id": "a-0", "label": "normal"}]}) == [("a-0", "normal")]
    hostile_reports: list[object] = [None, {}, {"labels": {}}, {"labels": [1]}, {"labels": [{"prediction_id": 1}]}]
    for hostile in hostile_reports:
        with pytest.raises(SchemaError):
            read_labels(hostile)
    with pytest.raises(SchemaError):
        read_labels({"labels": [{"prediction_id": "a", "label": "b"}] * (MAX_LABELS + 1)})
