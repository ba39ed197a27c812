"""Creates the topics that schemas/topics.py declares, and says where Kafka differs from the declaration."""

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewTopic

from schemas.errors import BrokerError
from schemas.topics import TOPICS, Topic, full_name
from streams.settings import Settings

_SECONDS = 30


def config_of(topic: Topic, replication: int) -> dict[str, str]:
    """Return the Kafka configuration of a topic."""
    config = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(topic.retention_ms),
        "max.message.bytes": str(topic.max_bytes + 1024),
        "unclean.leader.election.enable": "false",
        "min.insync.replicas": "2" if replication > 2 else "1",
    }
    if topic.append_time:
        config["message.timestamp.type"] = "LogAppendTime"
    if replication == 1 and topic.name in ("audit", "documents"):
        config["flush.messages"] = "1"  # one disk is all there is, so what is confirmed must be on it
    return config


class TopicAdmin:
    """Applies and checks the declared topics of one ledger."""

    def __init__(self, admin: AdminClient, settings: Settings) -> None:
        self._admin, self._settings = admin, settings

    def apply(self) -> list[str]:
        """Create what is missing, set what differs; return a line for each thing done."""
        done = []
        existing = self._existing()
        new = [topic for topic in TOPICS if self._name(topic) not in existing]
        requests = [
            NewTopic(
                self._name(topic),
                num_partitions=self._partitions(topic),
                replication_factor=self._settings.replication,
                config=config_of(topic, self._settings.replication),
            )
            for topic in new
        ]
        if requests:
            for name, future in self._admin.create_topics(requests, operation_timeout=_SECONDS).items():
                try:
                    future.result(_SECONDS)
                    done.append(f"created {name}")
                except KafkaException as error:
                    if error.args[0].code() != KafkaError.TOPIC_ALREADY_EXISTS:
                        raise BrokerError(f"{name} cannot be created: {error.args[0].str()}") from None
        differing = {topic: self._differences(topic) for topic in TOPICS if topic not in new}
        for topic, differences in differing.items():
            settable = {key: wanted for key, (wanted, _) in differences.items() if key != "partitions"}
            if settable:
                self._set(topic, settable)
                done.append(f"set {', '.join(sorted(settable))} of {self._name(topic)}")
        return done

    def check(self) -> list[str]:
        """Return a sentence for each difference between Kafka and the declaration."""
        found, existing = [], self._existing()
        for topic in TOPICS:
            name = self._name(topic)
            if name not in existing:
                found.append(f"{name} does not exist")
                continue
            for key, (wanted, is_now) in sorted(self._differences(topic).items()):
                found.append(f"{name}: {key} is {is_now}, declared is {wanted}")
        return found

    def _name(self, topic: Topic) -> str:
        return full_name(self._settings.ledger, topic.name)

    def _partitions(self, topic: Topic) -> int:
        return topic.partitions or self._settings.partitions

    def _existing(self) -> dict[str, int]:
        try:
            listed = self._admin.list_topics(timeout=_SECONDS)
        except KafkaException as error:
            raise BrokerError(f"Kafka does not answer: {error.args[0].str()}; is it running?") from None
        return {name: len(topic.partitions) for name, topic in listed.topics.items()}

    def _differences(self, topic: Topic) -> dict[str, tuple[str, str]]:
        name = self._name(topic)
        resource = ConfigResource(ConfigResource.Type.TOPIC, name)
        try:
            current = self._admin.describe_configs([resource], request_timeout=_SECONDS)[resource].result(_SECONDS)
        except KafkaException as error:
            raise BrokerError(f"{name} cannot be described: {error.args[0].str()}") from None
        wanted = config_of(topic, self._settings.replication)
        found = {
            key: (value, current[key].value if key in current else "unset")
            for key, value in wanted.items()
            if key not in current or current[key].value != value
        }
        partitions = self._existing().get(name, 0)
        if partitions != self._partitions(topic):
            found["partitions"] = (str(self._partitions(topic)), str(partitions))
        return found

    def _set(self, topic: Topic, values: dict[str, str]) -> None:
        entries = [
            ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET) for key, value in values.items()
        ]
        resource = ConfigResource(ConfigResource.Type.TOPIC, self._name(topic), incremental_configs=entries)
        try:
            self._admin.incremental_alter_configs([resource], request_timeout=_SECONDS)[resource].result(_SECONDS)
        except KafkaException as error:
            raise BrokerError(f"{self._name(topic)} cannot be configured: {error.args[0].str()}") from None
