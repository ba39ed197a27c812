"""Telemetry in every compression that Kafka knows, through `headgate run detect`."""

from collections.abc import Iterator

import numpy as np
import pytest
from confluent_kafka import Producer

from schemas.codec import frame
from schemas.values import Category
from streams.settings import Settings
from tests.plant import Plant, wait_for
from tests.traffic import batch, features

pytestmark = pytest.mark.broker

CODECS = ("lz4", "zstd", "snappy", "gzip", "none")
ROWS = 250


@pytest.fixture
def plant(settings: Settings, environ: dict[str, str]) -> Iterator[Plant]:
    """A detect worker, and the registrar that adopts its policy."""
    with Plant(settings, environ) as made:
        made.start(("registrar", "detect"))
        yield made


def send(plant: Plant, codec: str) -> None:
    """Send 2,500 rows and 1,000 in which f3 has moved, several records a compressed batch."""
    config = plant.clients.producer_config(linger_ms=20) | {"compression.type": codec}
    producer, rng = Producer(config), np.random.default_rng(4)
    for number in range(14):
        columns = features(rng, ROWS, 4)
        columns["f3"] = np.round(columns["f3"] + (40 if number >= 10 else 0), 1)
        producer.produce(plant.topic("telemetry"), frame(batch(columns, number * ROWS, model=codec)), codec.encode())
    assert producer.flush(20) == 0


def test_a_batch_in_any_compression_is_judged(plant: Plant) -> None:
    """lz4, zstd, snappy, gzip and none, side by side on the same partitions: every row counted, every shift found."""
    for codec in CODECS:
        send(plant, codec)
    wait_for(lambda: all(plant.rows(codec) == 14 * ROWS for codec in CODECS), "all rows are judged")
    wait_for(lambda: all(plant.raised(codec) for codec in CODECS), "each shift is found")
    for codec in CODECS:
        assert {(s.subject, s.category) for s in plant.raised(codec)} >= {("f3", Category.DATA_DRIFT)}
    assert plant.letters() == []
    assert plant.ended() == {}
