"""The one place where a Kafka client is configured, and a producer whose every record is known to have arrived."""

import logging
import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from schemas.errors import BrokerError
from streams.settings import Settings

# The broker holds a record to its topic's limit; a client only needs to let the largest of them through.
MAX_REQUEST_BYTES = 2 * 1024 * 1024
SESSION_SECONDS = 6
DELIVERY_SECONDS = 10.0
_LOG = logging.getLogger("headgate.kafka")
# A broker that has just started answers so for a second, and the client asks again: nothing to tell anybody.
_LOG.addFilter(lambda record: "Coordinator load in progress: retrying" not in record.getMessage())

Header = tuple[str, bytes]

# The third is how the client's own search for the leaders says it.
_NO_LEADER_YET = frozenset({KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.LEADER_NOT_AVAILABLE, KafkaError._NOENT})  # noqa: SLF001


class Record(NamedTuple):
    """One record to send; without a partition its key decides (murmur2, as aiokafka and Java do)."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[Header] = ()
    partition: int | None = None


class Clients:
    """Makes the configuration of every client from the settings: confluent's, aiokafka's and Faust's."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def common(self) -> dict[str, Any]:
        """Return what every librdkafka client gets: where Kafka is, and who we are."""
        settings = self._settings
        config: dict[str, Any] = {
            "bootstrap.servers": settings.brokers,
            "security.protocol": settings.security_protocol,
            "client.id": settings.ledger,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "retry.backoff.ms": 50,
            "topic.metadata.refresh.interval.ms": 30_000,
            "topic.metadata.propagation.max.ms": 3000,  # a topic that is absent is an error soon
            "logger": _LOG,
        }
        if settings.ca_file is not None:
            config["ssl.ca.location"] = str(settings.ca_file)
        if settings.security_protocol.startswith("SASL"):
            config["sasl.mechanism"] = settings.sasl_mechanism
            config["sasl.username"] = settings.sasl_username
            config["sasl.password"] = _secret(settings)
        return config

    def producer_config(self, linger_ms: int = 0) -> dict[str, Any]:
        """Return the settings of an idempotent producer that places keys where aiokafka places them."""
        return self.common() | {
            "enable.idempotence": True,
            "acks": "all",
            "partitioner": "murmur2_random",
            "linger.ms": linger_ms,
            "delivery.timeout.ms": int(DELIVERY_SECONDS * 1000),
            "message.max.bytes": MAX_REQUEST_BYTES,
            "compression.type": "lz4",
        }

    def producer(self, linger_ms: int = 0) -> Producer:
        """Return an idempotent producer; a caller that needs to know what arrived takes AwaitedProducer."""
        return Producer(self.producer_config(linger_ms))

    def reader(self, *, end_of_partition: bool = True) -> Consumer:
        """Return a consumer that is told what to read with `assign`; it belongs to no group and commits nothing.

        With `end_of_partition` it says so, as a message with the error _PARTITION_EOF, when it has read everything.
        """
        return Consumer(self._consumer_config(f"{self._settings.ledger}-reader", end_of_partition=end_of_partition))

    def consumer(self, group: str, instance: str | None = None) -> Consumer:
        """Return a consumer of a group that commits only when it is told to; `instance` makes its membership static."""
        config = self._consumer_config(f"{self._settings.ledger}-{group}", end_of_partition=False)
        return Consumer(config | ({"group.instance.id": instance} if instance else {}))

    def admin(self) -> AdminClient:
        """Return a client for topics and access rules."""
        return AdminClient(self.common())

    def aiokafka(self) -> dict[str, Any]:
        """Return the keyword arguments that aiokafka's producer and consumer share."""
        settings = self._settings
        config: dict[str, Any] = {
            "bootstrap_servers": settings.brokers,
            "client_id": settings.ledger,
            "security_protocol": settings.security_protocol,
            "ssl_context": self._tls(),
        }
        if settings.security_protocol.startswith("SASL"):
            config["sasl_mechanism"] = settings.sasl_mechanism
            config["sasl_plain_username"] = settings.sasl_username
            config["sasl_plain_password"] = _secret(settings)
        return config

    def faust(self, instance: str | None = None) -> dict[str, Any]:
        """Return the keyword arguments of a Faust app.

        A worker that was killed keeps its partitions until its session ends, hence six seconds instead of sixty. Faust
        declares no topics, elects no leader through one, and opens no port.
        """
        return {
            "broker": [f"kafka://{address}" for address in self._settings.brokers.split(",")],
            "broker_credentials": self._credentials(),
            "broker_client_id": self._settings.ledger,
            "broker_session_timeout": float(SESSION_SECONDS),
            "broker_heartbeat_interval": 1.0,
            "broker_rebalance_timeout": 8.0,
            "broker_max_poll_records": 500,
            "broker_request_timeout": 15.0,
            "consumer_auto_offset_reset": "earliest",
            "consumer_group_instance_id": instance,
            "consumer_max_fetch_size": MAX_REQUEST_BYTES,
            "producer_acks": -1,
            "producer_max_request_size": MAX_REQUEST_BYTES,
            "producer_request_timeout": DELIVERY_SECONDS,
            "table_standby_replicas": 0,
            "topic_allow_declare": False,
            "topic_disable_leader": True,
            "topic_replication_factor": self._settings.replication,
            "web_enabled": False,
        }

    def _consumer_config(self, group: str, *, end_of_partition: bool) -> dict[str, Any]:
        return self.common() | {
            "group.id": group,
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "enable.partition.eof": end_of_partition,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": SESSION_SECONDS * 1000,
            "heartbeat.interval.ms": 1000,
            "fetch.error.backoff.ms": 50,
            "fetch.queue.backoff.ms": 20,  # a second, by default: a fast reader of a full topic then mostly waits
        }

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.security_protocol.endswith("SSL"):
            return None
        return ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)

    def _credentials(self) -> Any:
        import faust  # only the roles that run on it pay for loading it

        settings, context = self._settings, self._tls()
        if settings.security_protocol.startswith("SASL"):
            return faust.SASLCredentials(
                username=settings.sasl_username,
                password=_secret(settings),
                ssl_context=context,
                mechanism=settings.sasl_mechanism,
            )
        return faust.SSLCredentials(context=context) if context is not None else None


class AwaitedProducer:
    """A producer that returns only when Kafka has the record, and raises BrokerError when it does not have it in time.

    Safe to use from several threads. After a fatal error the next `send` starts with a new producer; the record that
    failed may stand in the topic or not, so that whoever sends it again relies on its id.
    """

    def __init__(self, clients: Clients, linger_ms: int = 0) -> None:
        self._clients = clients
        self._linger_ms = linger_ms
        self._producer = clients.producer(linger_ms)

    def send(
        self,
        topic: str,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header] = (),
        partition: int | None = None,
    ) -> int:
        """Send one record and return its offset."""
        return self.send_all([Record(topic, key, value, headers, partition)])[0]

    def send_all(self, records: Iterable[Record]) -> list[int]:
        """Send records in order and return their offsets; some may stand in their topics when this raises."""
        reports: dict[int, int | KafkaError] = {}
        deadline = time.monotonic() + DELIVERY_SECONDS + 5
        producer, count = self._producer, 0
        for record in records:
            self._enqueue(producer, record, _Delivery(reports, count), deadline)
            count += 1
        while len(reports) < count and time.monotonic() < deadline:
            producer.poll(0.05)
        return [self._offset(reports.get(position)) for position in range(count)]

    def flush(self, within: float = DELIVERY_SECONDS) -> None:
        """Wait until nothing is under way; BrokerError when that takes longer than `within` seconds."""
        if left := self._producer.flush(within):
            raise BrokerError(f"{left} records were not delivered within {within:.0f} s.")

    def _enqueue(self, producer: Producer, record: Record, report: "_Delivery", deadline: float) -> None:
        while True:
            try:
                producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    partition=-1 if record.partition is None else record.partition,
                    headers=list(record.headers),
                    on_delivery=report,
                )
            except BufferError:
                if time.monotonic() > deadline:
                    raise BrokerError(f"Kafka takes no more records for {record.topic}; is it running?") from None
                producer.poll(0.05)
            except KafkaException as error:
                self._offset(error.args[0])
            else:
                return

    def _offset(self, report: int | KafkaError | None) -> int:
        if isinstance(report, int):
            return report
        if report is None:
            raise BrokerError("Kafka did not confirm a record in time; is the broker running?")
        if report.fatal():
            self._producer = self._clients.producer(self._linger_ms)
        raise BrokerError(f"Kafka did not take a record: {report.str()}.")


class _Delivery:
    """Files one record's delivery report under its position."""

    def __init__(self, reports: dict[int, int | KafkaError], position: int) -> None:
        self._reports = reports
        self._position = position

    def __call__(self, error: KafkaError | None, message: Message) -> None:
        self._reports[self._position] = error if error is not None else message.offset()


def topic_id(admin: AdminClient, topic: str) -> str:
    """Return the id that Kafka gave to this very topic: one of the same name that is made again has another."""
    try:
        description = admin.describe_topics(TopicCollection([topic]), request_timeout=10)[topic].result(15)
    except KafkaException as error:
        raise BrokerError(f"the topic {topic} cannot be described: {error.args[0].str()}.") from error
    return str(description.topic_id)


def end_offset(admin: AdminClient, topic: str, partition: int = 0, within: float = 15.0) -> int:
    """Return the offset that the partition's next record will get; a partition without a leader yet is waited for."""
    return _bound(admin, TopicPartition(topic, partition), OffsetSpec.latest(), within)


def start_offset(admin: AdminClient, topic: str, partition: int = 0, within: float = 15.0) -> int:
    """Return the first offset that the partition still has; retention deletes from the beginning."""
    return _bound(admin, TopicPartition(topic, partition), OffsetSpec.earliest(), within)


def _bound(admin: AdminClient, where: TopicPartition, which: OffsetSpec, within: float) -> int:
    deadline = time.monotonic() + within
    while True:
        try:
            return int(admin.list_offsets({where: which}, request_timeout=10)[where].result(15).offset)
        except KafkaException as error:
            if error.args[0].code() not in _NO_LEADER_YET or time.monotonic() > deadline:
                reason = error.args[0].str()
                raise BrokerError(f"the bounds of {where.topic} cannot be read: {reason}.") from error
        time.sleep(0.05)


def _secret(settings: Settings) -> str:
    password = settings.password
    return "" if password is None else password.get_secret_value()
