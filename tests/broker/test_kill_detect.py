"""Detect, killed at work: it says what one detector says that was never disturbed, bit for bit."""

import random
from collections.abc import Iterator

import pytest

from streams.settings import Settings
from tests.crew import Crew, Feed, Killing, kill_at_work
from tests.sensors import Judged, Sensors, check

pytestmark = pytest.mark.broker


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


@pytest.mark.parametrize("kills", [6, pytest.param(100, marks=[pytest.mark.long, pytest.mark.timeout(1200)])])
def test_each_row_is_judged_once_through_kills(crew: Crew, kills: int) -> None:
    """SIGKILLs with telemetry behind no manifest: rows, signals and state are those of an undisturbed run."""
    sensors, judged = Sensors(crew), Judged(crew)
    killing = Killing("detect", lambda: sensors.sent, lambda given: min(given, judged.through()))
    crew.start("detect")
    with Feed(sensors.act, every=0.08):
        kill_at_work(crew, killing, random.Random(8), kills // 2)
        sensors.broken = True
        kill_at_work(crew, killing, random.Random(9), kills - kills // 2)
    check(crew, sensors, judged)
