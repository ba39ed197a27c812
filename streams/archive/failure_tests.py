"""Validation tests made from labelled failure cases: a folder that a model's team runs against its own predict()."""

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS = "failures.parquet"
_TEST = "test_failures.py"

_SOURCE = '''"""What went wrong before must not go wrong again: rows of real incidents, put to a model's own predict().

Needs pytest and pyarrow alone. Say which function predicts, and run it in the environment of the model:

    HEADGATE_PREDICT=my_package.model:predict pytest test_failures.py

predict takes a list of rows, each a dict of feature name to value (None where the row had none), and returns a list
with one prediction a row. The rows stand in failures.parquet: what a person judged true there was a failure; false
and benign ones are ordinary data that a model must take. A row may be personal data: keep the file as the model's own.
"""

import importlib
import math
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

ROWS = pq.read_table(Path(__file__).with_name("failures.parquet")).to_pylist()
FEATURE, PREDICTION = "feature/", "prediction/"
SIGNALS = sorted({(row["incident"], row["signal"]) for row in ROWS})


def rows_of(key):
    return [row for row in ROWS if (row["incident"], row["signal"]) == key]


def served(row):
    return next((value for name, value in row.items() if name.startswith(PREDICTION)), None)


def same(one, label):
    try:
        return math.isclose(float(one), float(label), rel_tol=1e-9, abs_tol=1e-12)
    except (TypeError, ValueError):
        return str(one) == str(label)


@pytest.fixture(scope="session")
def predict():
    name = os.environ.get("HEADGATE_PREDICT", "")
    if ":" not in name:
        pytest.fail("HEADGATE_PREDICT=package.module:function says what to test")
    module, function = name.split(":", 1)
    return getattr(importlib.import_module(module), function)


def answers(predict, rows):
    features = [{n[len(FEATURE):]: v for n, v in row.items() if n.startswith(FEATURE)} for row in rows]
    return list(predict(features))


@pytest.mark.parametrize("key", SIGNALS, ids=lambda key: "-".join(key)[:80])
def test_every_row_of_the_incident_is_answered(predict, key):
    """The model takes what came then, and says something that can be used of each row."""
    rows = rows_of(key)
    found = answers(predict, rows)
    assert len(found) == len(rows)
    assert not [one for one in found if one is None or (isinstance(one, float) and not math.isfinite(one))]


@pytest.mark.parametrize("key", SIGNALS, ids=lambda key: "-".join(key)[:80])
def test_the_model_is_wrong_less_often_than_the_one_that_failed(predict, key):
    """Of the rows whose label is known, fewer are wrong than were then; none where none was."""
    rows = [row for row in rows_of(key) if row["label"] is not None]
    if not rows:
        pytest.skip("no label of these rows is known")
    before = sum(not same(served(row), row["label"]) for row in rows)
    after = sum(not same(one, row["label"]) for one, row in zip(answers(predict, rows), rows))
    assert after < before or after == before == 0, f"{after} of {len(rows)} rows are wrong; {before} were wrong then"
'''


def write_rows(rows: pa.Table, path: Path) -> None:
    """Write rows as a Parquet file that its owner alone can read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        pq.write_table(rows, file, compression="zstd")


def write_tests(rows: pa.Table, folder: Path) -> Path:
    """Write the test file with its rows beside it, and return where it is."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_rows(rows, folder / _ROWS)
    test = folder / _TEST
    test.write_text(_SOURCE, "utf-8")
    return test
