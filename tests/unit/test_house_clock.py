"""One clock: nothing in streams but streams/clock.py reads the machine's, so that a drill can run faster than life."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
READS = {
    "time": {"time", "time_ns"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
ASKS_WHEN_EMPTY = {"gmtime": 0, "localtime": 0, "ctime": 0, "asctime": 0, "strftime": 1}
ALLOWED = {
    "streams/clock.py": "it is the clock",
    "streams/demo": "measures in real seconds, on a ledger of its own that has no drill's clock",
    "streams/local": "starts and stops processes, which live on the machine's time",
}
SOURCES = sorted(
    path
    for path in (ROOT / "streams").rglob("*.py")
    if not any(str(path.relative_to(ROOT)).startswith(allowed) for allowed in ALLOWED)
)
# A stamp of Kafka's is real time: whoever takes one says in the same line by which clock it goes on.
STAMPS = ("message.timestamp()", "record.timestamp or")
STAMPED = {"of_broker(", "stamped = ", "_, timestamp = message.timestamp()", "/ 1000.0"}


def _readings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"from time import {name.name}" for name in node.names if name.name in READS["time"])
        if isinstance(node, ast.Attribute):
            of = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
            if node.attr in READS.get(of, ()):
                yield f"{of}.{node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            few = ASKS_WHEN_EMPTY.get(node.func.attr)
            if getattr(node.func.value, "id", "") == "time" and few is not None and len(node.args) <= few:
                yield f"time.{node.func.attr} without a time"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_takes_the_time_from_the_one_clock(path: Path) -> None:
    """No module asks the machine what time it is, and a record's stamp is brought to this process's clock."""
    text = path.read_text("utf-8")
    found = list(_readings(ast.parse(text)))
    assert not found, f"{found[0]}: take now_ms() of streams/clock.py, or machine_seconds() where others check it"
    raw = [
        line.strip()
        for line in text.splitlines()
        if any(stamp in line for stamp in STAMPS) and not any(word in line for word in STAMPED)
    ]
    assert not raw, f"{raw[0]}: bring it to this process's clock with of_broker()"


@pytest.mark.parametrize(
    "code",
    [
        "import time\nx = time.time()",
        "import time\ndef f(now=time.time): pass",
        "from time import time",
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime, UTC\ndatetime.now(UTC)",
        "from datetime import date\ndate.today()",
        "import time\ntime.strftime('%Y')",
        "import time\ntime.gmtime()",
    ],
)
def test_each_way_of_asking_the_machine_is_seen(code: str) -> None:
    """The check above would say so: by call, as a default, by another import, or by leaving the time out."""
    assert list(_readings(ast.parse(code)))


def test_converting_a_time_and_measuring_are_no_readings() -> None:
    """A monotonic deadline and a given time are nobody's clock."""
    code = "import time\ntime.monotonic()\ntime.gmtime(5)\ntime.strftime('%Y', time.gmtime(5))\ntime.sleep(1)"
    assert not list(_readings(ast.parse(code)))
