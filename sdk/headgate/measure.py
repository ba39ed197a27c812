"""A prediction that is timed while it is made."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self


class Measure:
    """One prediction while it is being made: set its attributes inside the block.

    The block's latency is recorded with them. If the block raises, nothing is recorded but a failure in the
    counters, and the exception goes on.
    """

    __slots__ = (
        "_fail",
        "_record",
        "_since",
        "at",
        "caller",
        "confidence",
        "cost",
        "explanation",
        "features",
        "group",
        "prediction",
        "prediction_id",
        "risk",
        "trace_id",
    )

    def __init__(self, record: Callable[..., None], fail: Callable[[], object]) -> None:
        self._record, self._fail = record, fail
        self.features: Mapping[str, object] = {}
        self.prediction: object = None
        self.confidence: object = None
        self.prediction_id: object = None
        self.group: object = None
        self.risk: object = None
        self.trace_id: object = None
        self.explanation: object = None
        self.caller: object = None
        self.cost: object = None
        self.at: datetime | float | None = None

    def __enter__(self) -> Self:
        self._since = time.perf_counter()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._fail()
            return
        self._record(
            self.features,
            prediction=self.prediction,
            confidence=self.confidence,
            latency_ms=(time.perf_counter() - self._since) * 1000,
            prediction_id=self.prediction_id,
            group=self.group,
            risk=self.risk,
            trace_id=self.trace_id,
            explanation=self.explanation,
            caller=self.caller,
            cost=self.cost,
            at=self.at,
        )
