"""The archive role: writes telemetry that policy wants kept to encrypted Parquet files, by model and day.

Rows wait in memory until enough of them, or the first for long enough, make a file worth while. Then files, index and
offsets become durable together; until then a restart reads the same telemetry again.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from agents.archive.choose import choose, sampled
from agents.archive.held import HeldWindow
from agents.detection.columns import decode
from agents.detection.detect import ACCEPTED
from agents.ledger.control import Control
from schemas.codec import open_frame
from schemas.errors import BrokerError, SchemaError
from schemas.policy import ArchivePolicy
from schemas.systems import STRICTEST_TIER
from schemas.telemetry import MAX_ROWS, InferenceBatch, LabelBatch, ScoreBatch
from schemas.topics import full_name
from streams.archive import parquet
from streams.archive.index import ArchiveIndex, NewFile
from streams.archive.parquet import Kept, Signature
from streams.archive.retention import folder, prune
from streams.archive.store import SealedStore
from streams.clock import of_broker
from streams.kafka import Clients, topic_id
from streams.ledger.keyring import archive_key
from streams.settings import Settings
from streams.stop import Stop

_LOG = structlog.get_logger("archive")
_CHUNK = 100
_PRUNE_SECONDS = 3600.0
_LOOK_SECONDS = 5.0
_PASSING = frozenset({KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN})  # noqa: SLF001 - so the client names them


@dataclass(slots=True)
class _Waiting:
    """What will make the next files."""

    rows: dict[tuple[str, str, Signature], list[Kept]] = field(default_factory=dict)
    said: dict[tuple[str, str, str], list[dict[str, Any]]] = field(default_factory=dict)
    marks: dict[tuple[str, str], int] = field(default_factory=dict)
    counted: Counter[str] = field(default_factory=Counter)
    ids: set[str] = field(default_factory=set)
    kept: int = 0
    since: float = 0.0


class Archiver:
    """One process of the role on one archive directory.

    Parameters
    ----------
    control
        Returns what the ledger has in force: policy and systems.
    held
        Returns what cases hold, so that it is not deleted.
    """

    def __init__(
        self,
        settings: Settings,
        control: Callable[[], Control],
        instance: str | None = None,
        held: Callable[[], Sequence[HeldWindow]] = tuple,
    ) -> None:
        clients = Clients(settings)
        self._control = control
        self._held = held
        self._topic = full_name(settings.ledger, "telemetry")
        self._admin = clients.admin()
        self._topic_id = topic_id(self._admin, self._topic)
        key = archive_key(settings.keys_directory)
        self._store = SealedStore(settings.archive_directory / "rows", key)
        self._index = ArchiveIndex(settings.archive_directory, key, write=True)
        self._consumer: Consumer = clients.consumer("archive", instance)
        self._next: dict[int, int] = {}
        self._waiting = _Waiting()
        self._pruned = self._looked = time.monotonic()

    def run(self, stop: Stop) -> None:
        """Serve until asked to stop; BrokerError and OSError end it, and a restart goes on where nothing is lost."""
        self._consumer.subscribe([self._topic], on_assign=self._assigned, on_revoke=self._revoked)
        _LOG.info("keeping telemetry", topic=self._topic, directory=str(self._store.directory.parent))
        try:
            while not stop.requested:
                self.once(0.2)
            self.close_files()
        finally:
            self._consumer.close()
            self._index.close()

    def once(self, seconds: float) -> None:
        """Read for at most so long, and write what is due."""
        for message in self._consumer.consume(_CHUNK, seconds):
            self._take(message)
            if self._waiting.kept >= self._policy.rows_per_file:
                self.close_files()
        now, policy = time.monotonic(), self._policy
        waited = self._waiting.since and now - self._waiting.since >= policy.close_seconds
        if waited:
            self.close_files()
        if now - self._pruned > _PRUNE_SECONDS:
            self._pruned = now
            prune(self._index, self._store, policy, held=self._held())
        if now - self._looked > _LOOK_SECONDS:
            self._looked = now
            if topic_id(self._admin, self._topic) != self._topic_id:
                raise BrokerError(f"{self._topic} was made again; a restart reads it from its beginning.")

    @property
    def _policy(self) -> ArchivePolicy:
        policy = self._control().policy
        return ArchivePolicy() if policy is None else policy.archive

    def close_files(self) -> None:
        """Write what waits; the index then holds it, and telemetry is read on from behind it."""
        waiting, self._waiting = self._waiting, _Waiting()
        files = [self._write_rows(*key[:2], parts) for key, parts in waiting.rows.items()]
        files += [self._write_said(*key, said) for key, said in waiting.said.items()]
        waiting.counted["files"] += len(files)
        marks = [(model, source, position) for (model, source), position in waiting.marks.items()]
        offsets = [(f"{self._topic}/{self._topic_id}", p, offset) for p, offset in self._next.items()]
        self._index.add(files, marks, offsets, dict(waiting.counted))
        try:
            if self._next:
                at = [TopicPartition(self._topic, p, offset) for p, offset in self._next.items()]
                self._consumer.commit(offsets=at, asynchronous=False)
        except KafkaException as error:  # the index knows better than Kafka where to go on
            _LOG.warning("offsets were not committed", reason=error.args[0].str())

    def _take(self, message: Message) -> None:
        error = message.error()
        if error is not None:
            if error.retriable() or error.code() in _PASSING:
                return
            raise BrokerError(f"{self._topic} cannot be read: {error.str()}.")
        partition, offset = message.partition(), message.offset()
        if offset < self._next.get(partition, 0):
            raise BrokerError(f"{self._topic} was made again: offset {offset} came a second time.")
        self._next[partition] = offset + 1
        waiting = self._waiting
        waiting.since = waiting.since or time.monotonic()
        received_at = max(of_broker(message.timestamp()[1]), 0)
        try:
            body = open_frame(message.value(), allowed=ACCEPTED)
            if isinstance(body, InferenceBatch):
                self._rows(body, received_at)
            elif isinstance(body, LabelBatch):
                _check(body.prediction_ids, body.labels, body.at)
                triples = zip(body.prediction_ids, body.labels, body.at, strict=True)
                said = [{"prediction_id": i, "label": label, "at": at} for i, label, at in triples]
                self._said("labels", body.model, said, received_at)
            elif isinstance(body, ScoreBatch):
                _check(body.prediction_ids, body.scores, body.at)
                each = zip(body.prediction_ids, body.scores, body.at, strict=True)
                said = [{"prediction_id": i, "judge": body.judge, "score": s, "at": at} for i, s, at in each]
                self._said("scores", body.model, said, received_at)
        except SchemaError:  # detect writes the dead letter; here it is only counted
            waiting.counted["refused"] += 1

    def _rows(self, batch: InferenceBatch, received_at: int) -> None:
        rows, waiting = decode(batch), self._waiting
        key = (rows.model, rows.source)
        if key not in waiting.marks:
            waiting.marks[key] = self._index.mark(*key)
        positions = rows.positions()
        fresh = rows.between(int(np.searchsorted(positions, waiting.marks[key], side="right")), rows.rows)
        waiting.marks[key] = max(waiting.marks[key], int(positions[-1]))
        waiting.counted["repeated"] += rows.rows - fresh.rows
        if not fresh.rows:
            return
        why = choose(fresh, self._policy, self._tier(fresh.model))
        waiting.counted["seen"] += fresh.rows
        if not why.any():
            return
        chosen = fresh if why.all() else fresh.counted().where(why > 0)
        kept = Kept(chosen, why[why > 0], received_at)
        waiting.rows.setdefault((chosen.model, _day(received_at), parquet.signature(chosen)), []).append(kept)
        waiting.ids.update(text for text in parquet.ids([kept]) if text is not None)
        waiting.kept += chosen.rows
        waiting.counted["kept"] += chosen.rows

    def _said(self, kind: str, model: str, said: list[dict[str, Any]], received_at: int) -> None:
        """Keep what is said of predictions that are kept."""
        policy, waiting = self._policy, self._waiting
        whole = self._tier(model) in policy.tiers
        for one in said:
            i = one["prediction_id"]
            if whole or sampled(i, policy.sample) or i in waiting.ids or self._index.holds(i):
                waiting.said.setdefault((kind, model, _day(received_at)), []).append(one)
                waiting.kept += 1
                waiting.counted[kind] += 1

    def _tier(self, model: str) -> str:
        declared = self._control().systems.find(model)
        return declared[1].tier if declared else STRICTEST_TIER

    def _write_rows(self, model: str, day: str, parts: list[Kept]) -> NewFile:
        times = [part.received_at for part in parts]
        return self._put("rows", model, day, parquet.write(parts), parquet.ids(parts), (min(times), max(times)))

    def _write_said(self, kind: str, model: str, day: str, said: list[dict[str, Any]]) -> NewFile:
        columns = {name: [one[name] for one in said] for name in said[0]}
        at = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
        data = parquet.write_texts(columns)
        return self._put(kind, model, day, data, [one["prediction_id"] for one in said], (at, at + 86_399_999))

    def _put(
        self, kind: str, model: str, day: str, data: bytes, ids: list[str | None], times: tuple[int, int]
    ) -> NewFile:
        digest = self._store.put(data, folder(model), day)
        first, last = times
        return NewFile(
            digest=digest, kind=kind, model=model, day=day, size=len(data), first_at=first, last_at=last, ids=ids
        )

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Go on where the index says; Kafka's word counts only for a partition that another archive has read."""
        for partition in consumer.committed(partitions, timeout=10):
            known = self._index.offset(f"{self._topic}/{self._topic_id}", partition.partition)
            self._next[partition.partition] = max(partition.offset, 0) if known is None else known
        consumer.assign([TopicPartition(self._topic, p.partition, self._next[p.partition]) for p in partitions])

    def _revoked(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.close_files()
        for partition in partitions:
            self._next.pop(partition.partition, None)


def _day(at: int) -> str:
    return datetime.fromtimestamp(min(at, 253_402_300_799_000) / 1000, UTC).date().isoformat()


def _check(*columns: tuple[Any, ...]) -> None:
    if len({len(column) for column in columns}) != 1 or len(columns[0]) > MAX_ROWS:
        raise SchemaError("ids, values and times are as many of each")
