"""What the tests on a broker share."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streams.kafka import Clients
from tests.counting import PARTITIONS, Bench


@pytest.fixture
def bench(
    clients: Clients,
    ledger_name: str,
    environ: dict[str, str],
    make_topic: Callable[..., str],
    tmp_path: Path,
) -> Iterator[Bench]:
    """Topics of this test's own, and a place to start workers on them."""
    make_topic("in", PARTITIONS)
    make_topic("out")
    make_topic("state", PARTITIONS, **{"cleanup.policy": "compact", "max.message.bytes": "16777216"})
    make_topic("deadletter", 1, **{"max.message.bytes": "4194304"})
    made = Bench(clients, ledger_name, environ, tmp_path)
    yield made
    made.end()
