"""Logs: one line an event, from us and from libraries, as the settings say."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAY = """
import logging, structlog
from streams.logs import configure
from streams.settings import load_settings
configure(load_settings({environ!r}))
structlog.get_logger("headgate.detect").info("judged", rows=200)
logging.getLogger("headgate.kafka").warning("slow %s", "broker")
logging.getLogger("aiokafka").info("chatter")
structlog.get_logger("headgate.detect").debug("detail")
"""


def _said(**environ: str) -> list[str]:
    command = [sys.executable, "-c", SAY.format(environ=environ)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr.splitlines()


def test_json_logs_are_one_object_a_line() -> None:
    """Every line parses; ours and a library's look alike; chatter and debug messages are left out."""
    first, second = (json.loads(line) for line in _said(HEADGATE_LOG_FORMAT="json"))
    assert (first["event"], first["rows"], first["level"]) == ("judged", 200, "info")
    assert (second["event"], second["logger"]) == ("slow broker", "headgate.kafka")


def test_the_level_is_a_setting() -> None:
    """Errors only means no line here; debug means one more."""
    assert _said(HEADGATE_LOG_LEVEL="error") == []
    assert len(_said(HEADGATE_LOG_LEVEL="debug")) == 3
