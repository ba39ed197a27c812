"""Recorded rows into framed batches: sampling, ids, positions and limits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from headgate.cells import text
from headgate.columns import META, MetricRow, Row, columns, extra_names, feature_names, metric_columns, unicode
from headgate.settings import MAX_FEATURES, MAX_NAMES, Settings
from headgate.wire import INFERENCE_BATCH, LABEL_BATCH, split

Label = tuple[str, str, int]
"""Prediction id, label, epoch milliseconds."""

_ID = META.index("prediction_id") - len(META)


@dataclass(frozen=True, slots=True)
class Packed:
    """So many rows in a framed batch, or lost for a reason; `reported` drops are told of in it."""

    rows: int
    framed: bytes = b""
    lost: str = ""
    reported: int = 0


class Packer:
    """Counts the rows of one source and packs them.

    Parameters
    ----------
    settings
        Of the recorder.
    instance
        Which replica this is.
    source
        Distinct for each process that records, because positions start at 0 in each.
    """

    def __init__(self, settings: Settings, instance: str, source: str) -> None:
        self._settings = settings
        self._head = {
            "model": settings.model,
            "version": settings.version,
            "instance": instance,
            "mode": settings.mode,
            "source": source,
        }
        self._source = source
        self._position = self._label_position = self._metric_position = self._serial = 0
        self._seen: set[str] = set()

    def predictions(self, rows: Sequence[Row], dropped: int) -> Iterator[Packed]:
        """Yield the batches of the rows; each row is in exactly one of them, or lost in one."""
        sampled = [row for row in rows if self._identified(row)]
        kept = _narrow(sampled)
        yield Packed(len(rows) - len(sampled), lost="sampled")
        yield Packed(len(sampled) - len(kept), lost="columns")
        if not kept:
            return
        first = self._position
        self._position += len(kept)

        def build(part: Sequence[Row], position: int) -> dict[str, Any]:
            return {
                **self._head,
                "first_position": position,
                "rows": len(part),
                "columns": columns(part, self._seen, self._settings.hashed, self._settings.digest),
                "dropped": dropped if position == first else 0,
            }

        reported = dropped
        for framed, count in split(INFERENCE_BATCH, kept, first, build):
            yield Packed(count, framed, reported=reported) if framed else Packed(count, lost="encode")
            reported = 0

    def labels(self, rows: Sequence[Label]) -> Iterator[Packed]:
        """Yield the batches of the labels whose predictions are in the sample."""
        kept = [row for row in rows if self._settings.keeps(row[0])]
        yield Packed(len(rows) - len(kept), lost="sampled")
        if not kept:
            return
        first = self._label_position
        self._label_position += len(kept)
        for framed, count in split(LABEL_BATCH, kept, first, self._label_batch):
            yield Packed(count, framed) if framed else Packed(count, lost="encode")

    def metrics(self, rows: Sequence[MetricRow]) -> Iterator[Packed]:
        """Yield the batches of the metrics, by their names: so no series has a cell without a value."""
        by_names: dict[tuple[str, ...], list[MetricRow]] = {}
        for row in rows:
            by_names.setdefault(row[0], []).append(row)
        for alike in by_names.values():
            first = self._metric_position
            self._metric_position += len(alike)
            for framed, count in split(INFERENCE_BATCH, alike, first, self._metric_batch):
                yield Packed(count, framed) if framed else Packed(count, lost="encode")

    def _metric_batch(self, rows: Sequence[MetricRow], position: int) -> dict[str, Any]:
        return {
            **self._head,
            "source": f"{self._source}-metrics",  # positions of metrics and predictions are counted apart
            "first_position": position,
            "rows": len(rows),
            "columns": metric_columns(rows),
        }

    def _label_batch(self, rows: Sequence[Label], position: int) -> dict[str, Any]:
        hashes = "prediction_id" in self._settings.hashed
        return {
            "model": self._settings.model,
            "source": f"{self._source}-labels",  # positions of labels and predictions are counted apart
            "first_position": position,
            "prediction_ids": [self._settings.digest(row[0]) if hashes else unicode(row[0]) for row in rows],
            "labels": [unicode(row[1]) for row in rows],
            "at": [row[2] for row in rows],
        }

    def _identified(self, row: Row) -> bool:
        cells = row[1]
        known = text(cells[_ID])
        if type(known) is not str:
            known = f"{self._source}-{self._serial:x}"
            self._serial += 1
            if cells[_ID] is None:
                cells[_ID] = known
        return self._settings.keeps(known)


def _narrow(rows: Sequence[Row]) -> Sequence[Row]:
    features, extra = len(feature_names(rows)), len(extra_names(rows))
    if features <= MAX_FEATURES and features + extra <= MAX_NAMES:
        return rows
    kept: list[Row] = []
    names: set[str] = set()
    extras: set[tuple[str, str]] = set()
    for row in rows:
        named, more = names.union(row[0]), extras.union(extra_names([row]))
        if len(named) <= MAX_FEATURES and len(named) + len(more) <= MAX_NAMES:
            names, extras = named, more
            kept.append(row)
    return kept
