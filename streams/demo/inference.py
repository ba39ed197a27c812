"""What the demonstration's model is asked: one tensor of sensor readings."""

from typing import Any

from streams.demo.models import MODEL, SENSORS, Array
from streams.serving import protocol
from streams.serving.protocol import Table


def read_question(body: Any) -> Table:
    """Check a request; SchemaError tells the caller what is wrong with it."""
    return protocol.read_table(body, len(SENSORS))


def answer(version: str, request_id: str, classes: list[str], confidence: Array) -> dict[str, object]:
    """Return the response body."""
    return protocol.answer(MODEL, version, request_id, {"class": classes, "confidence": confidence.tolist()})
