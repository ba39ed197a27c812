"""Two detect workers: one joins, leaves and joins again under load, and each record counts once."""

from collections.abc import Iterator

import pytest

from streams.settings import Settings
from tests.crew import Crew, Feed
from tests.plain import wait_until
from tests.sensors import Judged, Sensors, check

pytestmark = pytest.mark.broker


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


def taken(crew: Crew, name: str) -> int:
    """Return how many partitions a worker has taken since its first start."""
    log = crew.log(name)
    return log.read_text("utf-8").count("partition taken") if log.exists() else 0


def go_on(judged: Judged) -> None:
    """Wait until every partition that has records is judged further than it is now."""
    now = judged.by_partition()
    wait_until(
        lambda: all(through > now[part] for part, through in judged.by_partition().items() if now.get(part)),
        "every partition goes on",
    )


def test_a_second_worker_that_joins_leaves_and_rejoins_counts_each_record_once(crew: Crew) -> None:
    """Models on both workers, rebalances under load: rows, signals and state are those of one undisturbed detector."""
    sensors, judged = Sensors(crew, count=6), Judged(crew)
    crew.start("detect", "w1")
    with Feed(sensors.act, every=0.1):
        wait_until(lambda: judged.through() > 100, "the first worker works")
        for turn in range(3):
            sensors.broken = turn > 0
            before = taken(crew, "w2")
            second = crew.start("detect", "w2")
            wait_until(lambda then=before: taken(crew, "w2") > then, "the second takes partitions")  # type: ignore[misc]
            go_on(judged)
            if turn < 2:
                wait_until(lambda: judged.through() < sensors.sent, "it leaves with work in flight")
                assert second.stop() == 0
                go_on(judged)
    assert crew.running["w1"].alive()
    check(crew, sensors, judged)
