"""What streams/kafka.py tells each kind of client, without a broker."""

import ssl
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import BrokerError
from streams.kafka import Clients
from streams.settings import Settings

SASL: dict[str, Any] = {
    "bootstrap_servers": "a:1,b:2",
    "security_protocol": "SASL_SSL",
    "sasl_username": "detect",
    "sasl_password": "hunter2",
}


def _clients(**given: Any) -> Clients:
    return Clients(Settings.model_validate(given))


def test_a_producer_loses_nothing_and_places_keys_as_others_do() -> None:
    """Every confluent producer is idempotent, waits for all replicas, gives up in time, and hashes with murmur2."""
    config = _clients(bootstrap_servers="k:9092").producer_config()
    assert config["enable.idempotence"] is True
    assert config["acks"] == "all"
    assert config["partitioner"] == "murmur2_random"
    assert config["delivery.timeout.ms"] == 10_000


def test_all_three_client_libraries_get_the_login() -> None:
    """SASL and TLS reach librdkafka, aiokafka and Faust alike."""
    clients = _clients(**SASL)
    common = clients.common()
    assert (common["sasl.mechanism"], common["sasl.username"], common["sasl.password"]) == (
        "SCRAM-SHA-512",
        "detect",
        "hunter2",
    )
    aiokafka = clients.aiokafka()
    assert isinstance(aiokafka["ssl_context"], ssl.SSLContext)
    assert aiokafka["sasl_plain_password"] == "hunter2"


def test_an_unset_login_is_sent_to_nobody() -> None:
    """Without SASL no client gets a user name or a TLS context."""
    clients = _clients(bootstrap_servers="k:9092")
    assert not [name for name in clients.common() if name.startswith(("sasl", "ssl"))]
    assert clients.aiokafka()["ssl_context"] is None


def test_without_a_broker_the_error_says_how_to_start_one(tmp_path: Path) -> None:
    """Neither an address nor an embedded broker is one sentence with both ways out."""
    with pytest.raises(BrokerError, match=r"headgate broker.*HEADGATE_BOOTSTRAP_SERVERS"):
        _clients(var=tmp_path).common()
