"""A drill's clock: what it says, who may have one, and what a spoilt file does."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import PolicyError
from streams import clock
from streams.clock import LATEST, LEAD_MS, ClockFile, install, machine_seconds, now_ms, of_broker, to_broker
from streams.settings import load_settings

DAY_MS = 86_400_000
SAYS = """
import json, sys
from streams.clock import install, of_broker, to_broker
from streams.settings import load_settings
install(load_settings())
times = json.load(sys.stdin)
print(json.dumps([[of_broker(at), to_broker(at)] for at in times]))
"""


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Return where a drill's clock may be; afterwards this process goes by the machine's again."""
    yield tmp_path / "clock.json"
    install(load_settings({}))


def _install(path: Path, ledger: str = "drill-1") -> None:
    install(load_settings({"HEADGATE_CLOCK": str(path), "HEADGATE_LEDGER": ledger}))


def test_without_a_clock_time_is_the_machines() -> None:
    """Now is now, and a record's time is what Kafka stamped."""
    install(load_settings({}))
    before = time.time() * 1000
    assert before - 1 <= now_ms() <= time.time() * 1000
    assert before - 1001 <= now_ms(1.0) <= time.time() * 1000 - 1000
    assert (of_broker(1234), to_broker(1234)) == (1234, 1234)


def test_a_clock_runs_fast_and_stops_exactly_where_it_was_told(path: Path) -> None:
    """It begins where it is told, passes three days in a moment, and stands at their end to the millisecond."""
    file = ClockFile(path)
    file.begin(100 * DAY_MS)
    _install(path)
    assert 100 * DAY_MS <= now_ms() < 100 * DAY_MS + 5000
    end = 103 * DAY_MS
    seconds = file.run(1_000_000, until=end)
    assert LEAD_MS / 1000 < seconds + 0.1 < 2
    deadline = time.monotonic() + 5
    told = [now_ms()]
    while now_ms() < end:
        told.append(now_ms())
        assert time.monotonic() < deadline
    assert told == sorted(told)
    at = to_broker(end)
    assert (of_broker(at), of_broker(at + 7)) == (end, end + 7)
    assert of_broker(at - 1) < end
    assert abs(now_ms() - end) < 5000
    assert now_ms(1000.0) < 101 * DAY_MS


def test_a_run_cancels_what_was_to_come_and_leaves_what_was(path: Path) -> None:
    """A wait that ends early takes back the rest of it; times that were told are told again."""
    file = ClockFile(path)
    file.begin()
    _install(path)
    file.run(2)
    file.run(50, until=now_ms() + 10 * DAY_MS)
    segments = clock.read(path).segments
    machine = int(machine_seconds() * 1000)
    told = [(at, of_broker(at)) for at in range(machine - 1000, machine, 10)]
    file.run(1)
    assert len(clock.read(path).segments) <= len(segments)
    assert told == [(at, of_broker(at)) for at, _ in told]
    assert of_broker(machine + DAY_MS) < now_ms() + 2 * DAY_MS


def test_a_clock_that_is_past_the_end_of_a_run_goes_on_as_fast_as_life(path: Path) -> None:
    """An end that has gone by is no end to go back to."""
    file = ClockFile(path)
    file.begin(DAY_MS)
    assert file.run(60, until=5) <= LEAD_MS / 1000
    last = clock.read(path).segments[-1]
    assert (last.gains, last.per) == (1, 1)


def test_only_a_drill_has_a_clock_of_its_own(path: Path) -> None:
    """A ledger of another name refuses to start with one, and says what to do."""
    ClockFile(path).begin()
    for ledger in ("headgate", "drills", "demo-1"):
        with pytest.raises(PolicyError, match="Unset HEADGATE_CLOCK"):
            _install(path, ledger)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[",
        "{}",
        "[]",
        "7",
        "[" * 100_000,
        "1" * 5000,
        "[[1,2,3]]",
        "[[1,2,1,2]]",
        "[[1,2,0,0]]",
        "[[1,2,-1,-1]]",
        "[[1,2,true,1]]",
        "[[1.5,2,1,1]]",
        '[["1",2,1,1]]',
        "[[1,2,NaN,1]]",
        "[[1,2,1000001,1]]",
        f"[[{LATEST + 1},2,1,1]]",
        f"[[1,{10**30},1,1]]",
        "[[-1,2,1,1]]",
        "[[10,10,1,1],[10,10,2,1]]",
        "[[10,10,1,1],[20,21,2,1]]",
        "[[20,20,1,1],[10,10,2,1]]",
        "[" + ",".join(f"[{i},{i},1,1]" for i in range(10_001)) + "]",
        " " * 2_000_000,
        "\ud800",
    ],
    ids=range(25),
)
def test_a_spoilt_clock_is_refused_at_the_start_and_left_aside_later(path: Path, content: str) -> None:
    """A process does not start with it; one that runs goes on by what it read last."""
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    with pytest.raises(PolicyError, match="drill's clock"):
        _install(path)
    path.unlink()
    ClockFile(path).begin(DAY_MS)
    _install(path)
    at = int(machine_seconds() * 1000)
    known = of_broker(at)
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    assert (of_broker(at), to_broker(known)) == (known, at)
    path.unlink()
    assert of_broker(at) == known
    assert now_ms() >= known


def test_a_clock_that_changes_the_past_is_left_aside(path: Path) -> None:
    """What was told of a time stays told; a file that says otherwise counts for nothing until it is right again."""
    ClockFile(path).begin(DAY_MS)
    _install(path)
    good = path.read_text("utf-8")
    at = int(machine_seconds() * 1000)
    known = of_broker(at)
    path.write_text(json.dumps([[at - 60_000, 5 * DAY_MS, 1, 1]]), "utf-8")
    assert of_broker(at) == known
    path.write_text(good, "utf-8")
    ClockFile(path).run(10)
    assert of_broker(at) == known
    assert of_broker(at + DAY_MS) > known + 9 * DAY_MS


def test_a_missing_clock_is_refused(path: Path) -> None:
    """A drill whose clock is not there does not start on real time."""
    with pytest.raises(PolicyError, match="cannot be read as a drill's clock"):
        _install(path)


def test_a_clock_begins_once_and_runs_no_slower_than_life(path: Path) -> None:
    """Beginning again would change the past; slower than life, two moments would be one."""
    file = ClockFile(path)
    file.begin()
    with pytest.raises(PolicyError, match="begins once"):
        file.begin()
    for rate in (0, 0.5, -1, 1_000_001, float("nan"), float("inf")):
        with pytest.raises(PolicyError, match="cannot run at"):
            file.run(rate)
    with pytest.raises(PolicyError, match="9999"):
        file.run(2, until=LATEST + 1)


def test_two_processes_agree(path: Path) -> None:
    """Another process says the same of each moment, and finds the same record."""
    file = ClockFile(path)
    file.begin(40 * DAY_MS)
    file.run(3.7, until=40 * DAY_MS + 1_000)
    file.run(12_345.678, until=41 * DAY_MS + 7)
    _install(path)
    machine = int(machine_seconds() * 1000)
    times = [*range(machine - 300, machine + 8000, 7), *range(40 * DAY_MS, 42 * DAY_MS, 1_234_567)]
    names = os.environ | {"HEADGATE_CLOCK": str(path), "HEADGATE_LEDGER": "drill-2"}
    done = subprocess.run(
        [sys.executable, "-c", SAYS], input=json.dumps(times), env=names, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == [[of_broker(at), to_broker(at)] for at in times]
