"""A metric through Kafka, with the worker killed on the way, is scored as `headgate backtest series` scores it."""

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from schemas.codec import frame
from streams.backtest import series_command
from streams.kafka import Record
from streams.settings import Settings
from tests.bench.nab.corpus import series
from tests.conftest import data_directory
from tests.crew import POLICY, Crew
from tests.plain import wait_until
from tests.sensors import Judged, undisturbed
from tests.traffic import batch, column

pytestmark = pytest.mark.broker

FILE = "realAWSCloudwatch/ec2_cpu_utilization_825cc2.csv"
SIZES = (1, 37, 300, 150, 512)


@pytest.fixture
def crew(settings: Settings, environ: dict[str, str]) -> Iterator[Crew]:
    """A ledger with a registrar that runs."""
    with Crew(settings, environ) as made:
        yield made.open()


@pytest.fixture
def rows(tmp_path: Path) -> tuple[Path, np.ndarray, np.ndarray]:
    """A published file of NAB, or a series like it where it is absent: its path, times in ms and values."""
    root = data_directory() / "nab-dev"
    if root.is_dir():
        one = next(one for one in series(root) if one.name == FILE)
        return root / "data" / FILE, one.milliseconds, one.values
    values = 92 + np.random.default_rng(1).normal(0, 1.5, 4032)
    values[1500:1560] -= 30
    values[1800:1900] = 25
    times = 1_397_088_000_000 + 300_000 * np.arange(4032, dtype=np.int64)
    file = tmp_path / "series.csv"
    text = "".join(f"{time},{value!r}\n" for time, value in zip(times.tolist(), values.tolist(), strict=True))
    file.write_text("timestamp,value\n" + text, "utf-8")
    return file, times, values


def test_live_scores_and_alarms_are_those_of_a_backtest(
    crew: Crew, rows: tuple[Path, np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """Batches of all sizes, a worker killed and started again: every score, and every alarm, bit for bit."""
    file, times, values = rows
    judged, signals, sent, first, turn = Judged(crew), crew.tape("signals"), 0, 0, 0
    crew.start("detect", "w1")
    while first < len(values):
        end = min(first + SIZES[turn % len(SIZES)], len(values))
        columns = {"load": column("load", values[first:end], "metric"), "at": column("at", times[first:end])}
        body = batch(columns, first, "a", model="metered", source="a")
        crew.send(Record(crew.topic("telemetry"), b"metered", frame(body)))
        sent, first, turn = sent + 1, end, turn + 1
        if turn == len(SIZES):
            wait_until(lambda then=sent: judged.through() >= then, "the first worker works")  # type: ignore[misc]
        if turn == len(SIZES) + 3:
            crew.kill("w1")
            crew.again("w1")
    wait_until(lambda: judged.through() >= sent, "all telemetry is judged")
    told = {word["first_position"]: word for word in signals.named("SeriesScored")}
    live = np.concatenate([np.frombuffer(told[place]["scores"], "<f8") for place in sorted(told)])

    (tmp_path / "policy.toml").write_bytes(POLICY)
    out = tmp_path / "out.csv"
    asked = [str(file), "--out", str(out), "--policy", str(tmp_path / "policy.toml")]
    assert CliRunner().invoke(series_command.command, asked).exit_code == 0
    with out.open(encoding="utf-8", newline="") as stream:
        written = list(csv.DictReader(stream))
    assert live.tolist() == [float(row["score"]) for row in written]
    alarms = [place + np.flatnonzero(np.frombuffer(w["scores"], "<f8") >= w["threshold"]) for place, w in told.items()]
    assert sorted(np.concatenate(alarms).tolist()) == [i for i, row in enumerate(written) if row["alarm"] == "1"]
    assert any(row["alarm"] == "1" for row in written)

    events, _ = undisturbed(crew)
    said = {seen.value["id"]: seen.raw for seen in signals.read()}
    assert list(said.values()) == events["metered"]
    names = [seen.name for seen in signals.read()]
    assert {"SignalRaised", "SignalCleared"} <= set(names)
    assert crew.tape("deadletter").read() == []
