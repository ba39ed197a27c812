"""A recorder whose worker never starts, what it would have sent, and values that no recorder should meet."""

import io
import json
import struct
from collections.abc import Mapping
from importlib import resources
from typing import Any

import fastavro
from headgate import Recorder
from headgate.packer import Packer

NOWHERE = "127.0.0.1:1"


SCHEMAS = {
    number: fastavro.parse_schema(json.loads((resources.files("headgate") / f"{name}.1.avsc").read_text()))
    for number, name in ((1, "InferenceBatch"), (2, "LabelBatch"))
}


def opened(framed: bytes) -> dict[str, Any]:
    """Decode a framed batch with plain fastavro."""
    assert framed[0] == 0
    found = fastavro.schemaless_reader(io.BytesIO(framed[5:]), SCHEMAS[int.from_bytes(framed[1:5], "big")], None)
    assert isinstance(found, dict)
    return found


def still(**options: Any) -> Recorder:
    """Return a recorder whose worker never starts, so that a test sees what was queued."""
    recorder = Recorder("credit", "7", instance="a", bootstrap_servers=NOWHERE, **options)
    recorder._courier.started = True
    return recorder


def framed(recorder: Recorder) -> list[bytes]:
    """Return the batches that the worker would send."""
    courier = recorder._courier
    rows = courier.rows.take(4096, 1 << 20)
    packer = Packer(recorder._settings, "a", "s")
    return [packed.framed for packed in packer.predictions(rows, 0) if packed.framed]


def batch(recorder: Recorder) -> dict[str, Any]:
    """Return the one batch that the worker would send."""
    (only,) = framed(recorder)
    return opened(only)


def cells(batch: Mapping[str, Any], name: str) -> tuple[list[Any], list[int]]:
    """Return a column's values and flags."""
    column = next(column for column in batch["columns"] if column["name"] == name)
    rows = batch["rows"]
    code = {"double": "d", "long": "q", "string": "H"}[column["kind"]]
    values: list[Any] = list(struct.unpack(f"<{rows}{code}", column["values"]))
    if column["kind"] == "string":
        values = [column["dictionary"][value] for value in values]
    return values, list(column["flags"] or bytes(rows))


class Hostile:
    """A value every method of which raises, and a BaseException at that."""

    def _raise(self, *_: object) -> Any:
        raise KeyboardInterrupt

    __float__ = __index__ = __int__ = __str__ = __repr__ = __len__ = __bool__ = __sizeof__ = _raise
    __iter__ = __getitem__ = __lt__ = __gt__ = _raise


class Endless(Mapping[str, float]):
    """A mapping without an end."""

    def __getitem__(self, key: str) -> float:
        return 1.0

    def __iter__(self) -> Any:
        n = 0
        while True:
            yield f"f{n}"
            n += 1

    def __len__(self) -> int:
        return 3
