"""The telemetry topic is deleted and made again: offsets begin anew, and so does the incident of the next fault."""

from collections.abc import Callable, Iterator

import pytest

from streams.kafka import Clients, topic_id
from streams.settings import Settings
from tests.crew import Crew, Feed
from tests.plain import wait_until
from tests.sensors import Judged, Sensors

pytestmark = pytest.mark.broker


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with registrar, detect and triage."""
    with Crew(settings, environ) as made:
        made.open()
        made.start("detect")
        made.start("triage")
        yield made


def break_one(crew: Crew, sensors: Sensors) -> list[str]:
    """Learn, break, wait for a case more, let the telemetry run dry; return all cases."""
    before = len(crew.audit.events("CaseOpened"))
    judged = Judged(crew)
    with Feed(sensors.act, every=0.02):
        wait_until(lambda: sensors.rows["d0", "2"] > 1200, "the detectors have learnt")
        sensors.broken = True
        wait_until(lambda: len(crew.audit.events("CaseOpened")) > before, "the fault has a case")
    wait_until(lambda: judged.through() >= sensors.sent, "all telemetry is judged")
    return [body["incident"] for body in crew.audit.events("CaseOpened")]


def test_a_new_fault_on_a_topic_made_again_is_a_new_incident(
    crew: Crew, clients: Clients, make_topic: Callable[..., str]
) -> None:
    """The same fault of the same model on the new topic: one new incident, though the old one was never over."""
    assert len(break_one(crew, Sensors(crew, count=1))) == 1
    admin, telemetry = clients.admin(), crew.topic("telemetry")
    old = topic_id(admin, telemetry)
    admin.delete_topics([telemetry], operation_timeout=10)[telemetry].result(15)
    wait_until(lambda: telemetry not in clients.reader().list_topics(timeout=5).topics, "the topic is gone")
    assert make_topic("telemetry", 4) == telemetry
    assert topic_id(admin, telemetry) != old
    first, *others = break_one(crew, Sensors(crew, count=1))
    assert len(others) == 1
    assert others[0] != first
    sources = {seen["source"]["topic_id"] for seen in crew.tape("signals").named("SignalRaised")}
    assert sources == {old, topic_id(admin, telemetry)}
