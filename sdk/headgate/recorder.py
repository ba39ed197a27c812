"""The recorder: what a model server calls on each prediction, at the cost of one append."""

import atexit
import contextlib
import os
import time
import weakref
from collections.abc import Mapping, Sequence
from datetime import datetime
from sys import getsizeof
from time import time as now
from typing import Any, Self

from headgate.cells import CELL, ROW, Layout, keep, layout, millis, text, tidy
from headgate.counters import Counters
from headgate.courier import Courier
from headgate.extras import NONE, gather
from headgate.measure import Measure
from headgate.names import EMPTY, NamesRefusedError, Plan, bounded, plan
from headgate.settings import MAX_FEATURES, Settings

_LIVE: "weakref.WeakSet[Recorder]" = weakref.WeakSet()
_EXIT_TIMEOUT = 2.0
_MAX_PLANS = 64


class Recorder:
    """Sends predictions and labels of one model version; never blocks, never raises after construction.

    Parameters
    ----------
    model, version
        What is being recorded.
    instance
        Which replica this is; host name and process id unless given.
    mode
        ``realtime``, ``batch`` or ``shadow``.
    bootstrap_servers, kafka
        Where Kafka is, and further client settings (TLS, SASL).
    ledger
        Prefix of the topic, ``{ledger}.telemetry.v1``.
    features
        The only feature names that may leave this process; None allows all.
    hash_key, hashed
        Columns whose values are replaced by a hash under this key before they are sent.
    max_rows, max_delay
        A batch is sent at so many rows, or so many seconds after its first.
    max_bytes
        Memory for everything that waits, at least 8 MiB.
    sample
        Share of predictions to keep, decided by the prediction id, so that labels follow.
    """

    def __init__(  # noqa: PLR0913  # a constructor of optional keywords
        self,
        model: str,
        version: str,
        *,
        instance: str | None = None,
        mode: str = "realtime",
        bootstrap_servers: str = "localhost:9092",
        ledger: str = "headgate",
        kafka: Mapping[str, object] | None = None,
        features: Sequence[str] | None = None,
        hash_key: bytes | None = None,
        hashed: Sequence[str] = (),
        max_rows: int = 2000,
        max_delay: float = 1.0,
        max_bytes: int = 64 << 20,
        sample: float = 1.0,
    ) -> None:
        self._settings = Settings(
            model=model,
            version=version,
            instance=instance,
            mode=mode,
            bootstrap_servers=bootstrap_servers,
            ledger=ledger,
            kafka=dict(kafka or {}),
            features=None if features is None else frozenset(features),
            hash_key=hash_key,
            hashed=frozenset(hashed),
            max_rows=max_rows,
            max_delay=max_delay,
            max_bytes=max_bytes,
            sample=sample,
        )
        self._courier = Courier(self._settings)
        self._plan = EMPTY
        self._plans: dict[tuple[Any, ...], Plan] = {}
        self._layout = layout(())
        self._layouts: dict[tuple[type, ...], Layout] = {}
        _LIVE.add(self)

    def record(  # noqa: PLR0913  # everything that can be said of one prediction, each by its keyword
        self,
        features: Mapping[str, object],
        *,
        prediction: object = None,
        confidence: object = None,
        latency_ms: object = None,
        prediction_id: object = None,
        group: object = None,
        risk: object = None,
        trace_id: object = None,
        explanation: object = None,
        caller: object = None,
        cost: object = None,
        at: datetime | float | None = None,
    ) -> None:
        """Queue one prediction; the values are taken now, so the dict may be changed afterwards.

        A value that is no number, text or None is sent as "wrong type". `at` is a datetime or epoch seconds; now,
        if not given. `latency_ms` is in milliseconds, `confidence` from 0 to 1, `cost` in any one unit. `group` and
        `explanation` are texts, or dicts of up to 8 by name. `caller` is who asked, as a pseudonym, never a name or an
        address: it is kept and shown as it is. With ``hashed=["caller"]`` the recorder makes the pseudonym.
        """
        courier = self._courier
        courier.tally.record()
        try:
            if type(features) is not dict or len(features) > MAX_FEATURES:
                features = bounded(features, self._settings.features)
            keys = tuple(features)
            chosen = self._plan
            if keys != chosen.keys:
                chosen = self._plan_for(keys)
            extras, group, more = (
                (NONE, group, 0)
                if caller is None and cost is None and explanation is None and type(group) is not dict
                else gather(group, explanation, caller, cost)
            )
            cells = [
                *(features.values() if chosen.pick is None else chosen.pick(features)),
                prediction,
                confidence,
                latency_ms,
                group,
                risk,
                prediction_id,
                trace_id,
                now() if at is None else millis(at),
            ]
            kinds = tuple(map(type, cells))
            laid = self._layout
            if kinds != laid.kinds:
                laid = self._layout_for(kinds)
            size = -1 if laid.tidy else laid.weigh(cells)
            if size < 0:
                cells, size = tidy(cells)
            if courier.closed:
                courier.tally.refuse("closed")
            elif not courier.rows.put((chosen.names, cells, extras), size + more):
                courier.tally.refuse("full")
            elif not courier.started:
                courier.start()
        except NamesRefusedError:
            courier.tally.refuse("columns")
        except Exception:  # noqa: BLE001  # whatever is wrong with a row, the model must answer its caller
            courier.tally.refuse("encode")

    def label(self, prediction_id: object, label: object, at: datetime | float | None = None) -> None:
        """Queue what turned out to be true of an earlier prediction, known at `at` (now, if not given)."""
        courier = self._courier
        courier.label_tally.record()
        try:
            known, truth = text(prediction_id), text(label)
            when = None if at is None else millis(at)
            if type(known) is not str or type(truth) is not str:
                courier.label_tally.refuse("encode")
                return
            row = (known, truth, when if type(when) is int else int(now() * 1000))
            if courier.closed:
                courier.label_tally.refuse("closed")
            elif not courier.labels.put(row, ROW + getsizeof(known) + getsizeof(truth)):
                courier.label_tally.refuse("full")
            elif not courier.started:
                courier.start()
        except Exception:  # noqa: BLE001  # as in record
            courier.label_tally.refuse("encode")

    def metric(self, name: str, value: object, at: datetime | float | None = None) -> None:
        """Queue one value of a metric of this instance, such as a queue's depth: each name is a series of its own."""
        self.metrics({name: value}, at)

    def metrics(self, values: Mapping[str, object], at: datetime | float | None = None) -> None:
        """Queue the values of several metrics at one time, by name; a value that is no number is sent as wrong type."""
        courier = self._courier
        courier.metric_tally.record()
        try:
            given = bounded(values, None)
            names = plan(tuple(given), None).names
            cells = [keep(value) for value in given.values()]
            when = int(now() * 1000) if at is None else millis(at)
            size = ROW + sum(CELL + (getsizeof(cell) if type(cell) is str else 0) for cell in cells)
            if courier.closed:
                courier.metric_tally.refuse("closed")
            elif not names:
                courier.metric_tally.refuse("columns")
            elif not courier.metrics.put((names, [*cells, when]), size):
                courier.metric_tally.refuse("full")
            elif not courier.started:
                courier.start()
        except NamesRefusedError:
            courier.metric_tally.refuse("columns")
        except Exception:  # noqa: BLE001  # as in record
            courier.metric_tally.refuse("encode")

    def measure(self) -> Measure:
        """Return a context manager that times its block and records what was set on it."""
        return Measure(self.record, self._courier.tally.fail)

    def flush(self, timeout: float = 5.0) -> bool:
        """Send what waits now; return whether all of it was acknowledged or counted as dropped in time (seconds)."""
        return self._courier.flush(timeout)

    def close(self, timeout: float = 5.0) -> bool:
        """Flush, stop the worker, and drop whatever is recorded from now on; return what `flush` did."""
        return self._courier.close(timeout)

    @property
    def counters(self) -> Counters:
        """Predictions of this process so far."""
        return self._courier.tally.snapshot(self._courier.rows.waiting())

    @property
    def label_counters(self) -> Counters:
        """Labels of this process so far."""
        return self._courier.label_tally.snapshot(self._courier.labels.waiting())

    @property
    def metric_counters(self) -> Counters:
        """Rows of metrics of this process so far."""
        return self._courier.metric_tally.snapshot(self._courier.metrics.waiting())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _plan_for(self, keys: tuple[Any, ...]) -> Plan:
        chosen = self._plans.get(keys)
        if chosen is None:
            chosen = plan(keys, self._settings.features)
            if len(self._plans) < _MAX_PLANS:
                self._plans[keys] = chosen
        self._plan = chosen
        return chosen

    def _layout_for(self, kinds: tuple[type, ...]) -> Layout:
        laid = self._layouts.get(kinds)
        if laid is None:
            laid = layout(kinds)
            if laid.tidy:  # its types may be known the next time
                return laid
            if len(self._layouts) < _MAX_PLANS:
                self._layouts[kinds] = laid
        self._layout = laid
        return laid

    def _forked(self) -> None:
        self._courier.abandon()
        closed = self._courier.closed
        self._courier = Courier(self._settings)
        self._courier.closed = closed


def _after_fork() -> None:
    for recorder in list(_LIVE):
        recorder._forked()  # noqa: SLF001  # module and class are one idea


def _at_exit() -> None:
    deadline = time.monotonic() + _EXIT_TIMEOUT
    for recorder in list(_LIVE):
        with contextlib.suppress(Exception):
            recorder.close(max(0.0, deadline - time.monotonic()))


os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
