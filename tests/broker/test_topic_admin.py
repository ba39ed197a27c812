"""Topics are created as declared, differences are named, and what can be set right is."""

import time
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions

from schemas.errors import BrokerError
from schemas.topics import TOPICS, full_name
from streams.__main__ import headgate
from streams.kafka import Clients
from streams.settings import Settings
from streams.topic_admin import TopicAdmin
from tests.desk import Desk

pytestmark = pytest.mark.broker


def _until(holds: Callable[[], bool], within: float = 15.0) -> None:
    """The controller knows it first; the broker that answers hears of it a moment later."""
    deadline = time.monotonic() + within
    while not holds():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.05)


def test_topics_are_created_once_and_are_then_as_declared(settings: Settings, clients: Clients) -> None:
    """`apply` creates every declared topic with its partitions; a second `apply` and `check` find nothing to do."""
    topics = TopicAdmin(clients.admin(), settings)
    names = [full_name(settings.ledger, topic.name) for topic in TOPICS]
    assert topics.check() == [f"{name} does not exist" for name in names]
    assert sorted(topics.apply()) == sorted(f"created {name}" for name in names)
    _until(lambda: topics.apply() == [])
    assert topics.check() == []
    listed = clients.admin().list_topics(timeout=10).topics
    for topic in TOPICS:
        declared = topic.partitions or settings.partitions
        assert len(listed[full_name(settings.ledger, topic.name)].partitions) == declared


def test_a_topic_that_differs_is_named_and_set_right(settings: Settings, clients: Clients) -> None:
    """A ledger that somebody let expire is one difference with both values, and `apply` sets it back."""
    admin = clients.admin()
    topics = TopicAdmin(admin, settings)
    topics.apply()
    audit = full_name(settings.ledger, "audit")
    wrong = ConfigEntry("retention.ms", "1000", incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ConfigResource.Type.TOPIC, audit, incremental_configs=[wrong])
    admin.incremental_alter_configs([resource])[resource].result(20)
    _until(lambda: topics.check() == [f"{audit}: retention.ms is 1000, declared is -1"])
    assert topics.apply() == [f"set retention.ms of {audit}"]
    _until(lambda: topics.check() == [])


def test_a_wrong_number_of_partitions_is_named_and_never_changed(settings: Settings, clients: Clients) -> None:
    """More partitions would move keys, so `check` says so, `apply` leaves it, and the command exits with 1."""
    admin, desk = clients.admin(), Desk(settings)
    assert "created" in desk.run("topics", "apply")
    assert "as declared" in desk.run("topics", "check")
    commands = full_name(settings.ledger, "commands")
    admin.create_partitions([NewPartitions(commands, 3)])[commands].result(20)
    _until(lambda: bool(TopicAdmin(admin, settings).check()))
    result = CliRunner().invoke(headgate, ["topics", "check"], env=desk.environ)
    assert result.exit_code == 1
    assert result.stdout == f"{commands}: partitions is 3, declared is 1\n"
    assert isinstance(result.exception, BrokerError)
    assert "as declared" in desk.run("topics", "apply")


def test_the_declaration_can_be_listed(settings: Settings) -> None:
    """`topics list` prints each topic's name, key and what keeps it."""
    rows = {row["topic"]: row for row in Desk(settings).json("topics", "list")}
    assert set(rows) == {full_name(settings.ledger, topic.name) for topic in TOPICS}
    audit = rows[full_name(settings.ledger, "audit")]
    assert (audit["kept"], audit["partitions"], audit["written_by"]) == ("for ever", 1, ["registrar"])
    assert "for ever" in Desk(settings).run("topics", "list")
