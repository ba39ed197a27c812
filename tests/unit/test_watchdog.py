"""A worker that holds work and does not move ends itself."""

import subprocess
import sys

import pytest

from streams.worker.watchdog import EXIT_STATUS


@pytest.mark.parametrize(("held", "status"), [("0.0", EXIT_STATUS), ("None", 0), ("time.monotonic()", 0)])
def test_work_that_is_held_too_long_ends_the_process(held: str, status: int) -> None:
    """Work held too long ends it with status 70 although its own code is stuck; one that moves is left alone."""
    script = (
        "import time\n"
        "from streams.worker.watchdog import Watchdog\n"
        f"Watchdog(lambda: {held}, limit=0.2).start()\n"
        f"time.sleep({30 if status else 0.7})\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=20).returncode == status
