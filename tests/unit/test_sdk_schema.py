"""The SDK's own copies of schemas, ids and limits agree with the application's."""

import tomllib
from pathlib import Path

import pytest
from headgate import Recorder, columns, settings, wire
from headgate.packer import Packer

from schemas import telemetry
from schemas.codec import open_frame
from schemas.telemetry import InferenceBatch, LabelBatch
from schemas.values import Flag, Mode

ROOT = Path(__file__).resolve().parents[2]
AVRO = ROOT / "schemas" / "avro"
SDK = ROOT / "sdk" / "headgate"


@pytest.mark.parametrize(
    ("name", "pinned"), [("InferenceBatch", wire.INFERENCE_BATCH_ID), ("LabelBatch", wire.LABEL_BATCH_ID)]
)
def test_the_copies_are_the_newest_schemas_under_their_pinned_ids(name: str, pinned: int) -> None:
    """What the SDK writes is what the application publishes as the schema of that id."""
    ids = tomllib.loads((AVRO / "ids.toml").read_text("utf-8"))[name]
    newest = max(ids, key=int)
    assert ids[newest] == pinned
    assert (SDK / f"{name}.{newest}.avsc").read_bytes() == (AVRO / f"{name}.{newest}.avsc").read_bytes()


def test_limits_and_words_agree() -> None:
    """The SDK never sends what the guard must refuse for its size."""
    assert settings.MAX_ROWS == telemetry.MAX_ROWS
    assert settings.MAX_FEATURES + len(columns.META) <= telemetry.MAX_COLUMNS
    assert columns.MAX_CATEGORIES == telemetry.MAX_CATEGORIES
    assert wire.MAX_BATCH_BYTES <= telemetry.MAX_BATCH_BYTES
    assert set(settings.MODES) == {str(mode) for mode in Mode}
    assert (columns.NULL, columns.WRONG_TYPE) == (Flag.NULL, Flag.WRONG_TYPE)


def test_the_application_reads_what_the_sdk_writes() -> None:
    """The strict codec opens both kinds of batch."""
    recorder = Recorder("m", "1", bootstrap_servers="127.0.0.1:1")
    recorder._courier.started = True
    recorder.record({"f": 1.0, "g": "x"}, prediction=None, trace_id=None)
    recorder.record({"f": None})
    recorder.label("p", 0.5)
    packer = Packer(recorder._settings, "i", "s")
    rows = packer.predictions(recorder._courier.rows.take(9, 9), 0)
    (inference,) = [open_frame(packed.framed, (InferenceBatch,)) for packed in rows if packed.framed]
    assert (inference.rows, inference.mode) == (2, "realtime")
    assert [column.name for column in inference.columns] == ["f", "g", "prediction_id", "at"]
    rows = packer.labels(recorder._courier.labels.take(9, 9))
    (labels,) = [open_frame(packed.framed, (LabelBatch,)) for packed in rows if packed.framed]
    assert (labels.prediction_ids, labels.labels) == (("p",), ("0.5",))
