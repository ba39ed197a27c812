"""The state topic: claims, snapshots and manifests, each known to be written before the next step relies on it."""

import asyncio
import time
from collections.abc import Iterable

from confluent_kafka import Consumer, KafkaError, TopicPartition

from schemas.errors import BrokerError, SchemaError
from schemas.state import Manifest, Snapshot
from streams.kafka import Clients, Record
from streams.worker.outbox import Outbox
from streams.worker.snapshots import Reading, Restored, Scope, StateRecord, opened, sealed

READ_WITHIN = 60.0


class StateTopic:
    """Reads and writes the state of source partitions, each in the partition of its own number."""

    def __init__(self, clients: Clients, outbox: Outbox, topic: str, secret: bytes) -> None:
        self.topic = topic
        self._clients = clients
        self._outbox = outbox
        self._secret = secret

    async def claim(self, scope: Scope) -> tuple[int, Restored]:
        """Claim a source partition; return the epoch of its new owner and what it begins with."""
        epoch = (await self._write(scope, scope.claim_key(), None)).offset
        return epoch, await asyncio.to_thread(self._read, scope, epoch)

    async def save(self, scope: Scope, epoch: int, units: Iterable[tuple[str, int, bytes]]) -> dict[str, int]:
        """Write snapshots (unit, source offset, state), and return where each stands when all are safe."""
        names, pending = [], []
        for unit, offset, body in units:
            snapshot = Snapshot(
                unit=unit,
                topic_id=scope.topic_id,
                partition=scope.partition,
                offset=offset,
                epoch=epoch,
                body=body,
                mac=b"",
            )
            key = scope.unit_key(unit)
            names.append(unit)
            pending.append(await self._send(scope, key, sealed(snapshot, key, self._secret)))
        return {unit: report.offset for unit, report in zip(names, await asyncio.gather(*pending), strict=True)}

    async def complete(self, scope: Scope, epoch: int, through: int) -> None:
        """Write that every unit is saved as of source offset `through` or later."""
        manifest = Manifest(
            topic_id=scope.topic_id, partition=scope.partition, complete_through=through, epoch=epoch, mac=b""
        )
        key = scope.manifest_key(epoch)
        await self._write(scope, key, sealed(manifest, key, self._secret))

    async def delete(self, scope: Scope, keys: Iterable[bytes]) -> None:
        """Write tombstones."""
        await asyncio.gather(*[await self._send(scope, key, None) for key in keys])

    async def snapshot_at(self, scope: Scope, unit: str, offset: int) -> Snapshot:
        """Return the unit's snapshot that stands at an offset of the state topic; SchemaError if it is gone."""
        record = await asyncio.to_thread(self._read_one, scope, offset)
        if record is None or record.key != scope.unit_key(unit):
            raise SchemaError(f"the snapshot of {unit[:80]} is no longer where it was written")
        found = opened(record, self._secret)
        assert isinstance(found, Snapshot)
        return found

    async def _send(self, scope: Scope, key: bytes, value: bytes | None) -> "asyncio.Future[Outbox.Report]":
        return await self._outbox.send(Record(self.topic, key, value, (), scope.partition))

    async def _write(self, scope: Scope, key: bytes, value: bytes | None) -> Outbox.Report:
        return await (await self._send(scope, key, value))

    def _read(self, scope: Scope, claim: int) -> Restored:
        reading = Reading(scope, self._secret)
        for record in self._records(scope.partition, 0, claim):
            if record.offset < claim:
                reading.add(record)
        return reading.result()

    def _read_one(self, scope: Scope, offset: int) -> StateRecord | None:
        return next((r for r in self._records(scope.partition, offset, offset) if r.offset == offset), None)

    def _records(self, partition: int, first: int, last: int) -> Iterable[StateRecord]:
        """Yield records until one at `last` or later was seen."""
        reader = self._clients.reader(end_of_partition=False)
        try:
            reader.assign([TopicPartition(self.topic, partition, first)])
            yield from self._consume(reader, last)
        finally:
            reader.close()

    def _consume(self, reader: Consumer, last: int) -> Iterable[StateRecord]:
        deadline = time.monotonic() + READ_WITHIN
        while time.monotonic() < deadline:
            for message in reader.consume(200, 0.02):
                if error := message.error():
                    if error.fatal() or error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED:
                        raise BrokerError(f"the state topic {self.topic} cannot be read: {error.str()}.")
                    continue
                deadline = time.monotonic() + READ_WITHIN
                yield StateRecord(message.offset(), message.key(), message.value())
                if message.offset() >= last:
                    return
        raise BrokerError(f"the state topic {self.topic} gave nothing for {READ_WITHIN:.0f} s; is Kafka running?")
