"""Batches as bytes: 0x00, the pinned schema id in four bytes, Avro; a batch that is too long is halved."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from importlib import resources
from typing import Any

import fastavro

MAX_BATCH_BYTES = 950_000
"""Bytes of one framed batch: under 1 MiB, and under librdkafka's and the broker's default limits with headers."""

INFERENCE_BATCH_ID = 1
LABEL_BATCH_ID = 2


class Schema:
    """One record's schema with its pinned id.

    Parameters
    ----------
    name
        The file beside this module, without ``.avsc``.
    pinned
        The schema id that precedes the record on the wire.
    """

    def __init__(self, name: str, pinned: int) -> None:
        text = (resources.files("headgate") / f"{name}.avsc").read_text(encoding="utf-8")
        self._schema = fastavro.parse_schema(json.loads(text))
        self._prefix = b"\0" + pinned.to_bytes(4, "big")

    def frame(self, record: dict[str, Any]) -> bytes:
        """Return the record in wire format."""
        out = io.BytesIO()
        out.write(self._prefix)
        fastavro.schemaless_writer(out, self._schema, record)
        return out.getvalue()


INFERENCE_BATCH = Schema("InferenceBatch.1", INFERENCE_BATCH_ID)
LABEL_BATCH = Schema("LabelBatch.1", LABEL_BATCH_ID)


def split(
    schema: Schema, rows: Sequence[Any], position: int, build: Callable[[Sequence[Any], int], dict[str, Any]]
) -> Iterator[tuple[bytes | None, int]]:
    """Yield the framed batches of the rows with the rows in each; None where a single row is too long.

    Parameters
    ----------
    rows
        At least one.
    position
        Of the first row.
    build
        Makes the record of some of the rows, given the position of their first.
    """
    pending = [(0, len(rows))]
    while pending:
        start, end = pending.pop()
        framed = schema.frame(build(rows[start:end], position + start))
        if len(framed) <= MAX_BATCH_BYTES:
            yield framed, end - start
        elif end - start == 1:
            yield None, 1
        else:
            middle = (start + end) // 2
            pending += [(middle, end), (start, middle)]
