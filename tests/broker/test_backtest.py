"""The backtest of what Kafka holds is what the live roles said of it, ids included."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.__main__ import headgate
from streams.backtest.judging import records
from streams.backtest.records import MODEL
from streams.kafka import Record
from streams.settings import Settings
from tests.crew import POLICY, SYSTEMS, Crew
from tests.faults import FAULTS, layout, write
from tests.lookalikes import clinic
from tests.plain import wait_until
from tests.served import served

pytestmark = pytest.mark.broker


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


def test_a_backtest_of_the_topic_tells_what_the_live_roles_told(crew: Crew, tmp_path: Path) -> None:
    """Signals have the same ids and values, and the incidents the same ids and categories."""
    table = write(served(clinic(), FAULTS["units"].make), tmp_path / "table.parquet")
    crew.start("detect")
    crew.start("triage")
    sent = [Record(crew.topic("telemetry"), MODEL.encode(), r.value) for r in records(table, layout(clinic()))]
    crew.send(*sent)
    signals, incidents = crew.tape("signals"), crew.tape("incidents")
    wait_until(lambda: signals.named("SignalRaised"), "the fault is raised")
    wait_until(lambda: incidents.named("IncidentOpened"), "its incident is opened")
    rows = clinic().rows
    wait_until(lambda: any(w["rows"] >= rows for w in signals.named("MonitorObserved")), "all rows are judged")

    policy, systems = tmp_path / "policy.toml", tmp_path / "systems.toml"
    policy.write_bytes(POLICY)
    systems.write_bytes(SYSTEMS)
    environ = {name: value for name, value in crew.environ.items() if name.startswith("HEADGATE_")}
    options = ["backtest", "topic", "--policy", str(policy), "--systems", str(systems), "--json"]
    result = CliRunner().invoke(headgate, options, env=environ)
    assert result.exit_code == 0, result.output
    found = json.loads(result.stdout)
    live = signals.named("SignalRaised")
    assert [s["id"] for s in found["signals"]] == [s["id"] for s in live]
    assert [s["score"] for s in found["signals"]] == [s["score"] for s in live]
    opened = incidents.named("IncidentOpened")
    assert [i["id"] for i in found["incidents"]] == [i["id"] for i in opened]
    assert found["rows"] == rows
