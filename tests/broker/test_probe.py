"""A vendor exchanges a model: `headgate run probe` asks, detection is told, and the signal comes within an interval.

Meanwhile another vendor's endpoint takes every request and answers none.
"""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from schemas import probing
from schemas.values import Category
from streams.settings import Settings
from tests.answering import Model, exchanged
from tests.plant import Plant, wait_for
from tests.traffic import batch, features

pytestmark = pytest.mark.broker

EVERY = 1
VERSION = "2024-06"
PROBES = tuple({"income": 5 * n} for n in range(16))


@pytest.fixture
def vendor() -> Iterator[Model]:
    """The vendor's server."""
    with Model() as model:
        yield model


@pytest.fixture
def silent() -> Iterator[Model]:
    """A server that answers nothing until the test is over."""
    over = threading.Event()
    with Model(lambda _: over.wait(60)) as model:
        yield model
        over.set()


@pytest.fixture
def plant(settings: Settings, environ: dict[str, str], vendor: Model, silent: Model, tmp_path: Path) -> Iterator[Plant]:
    """Detect and probe workers whose systems document declares the models of both vendors."""
    settings.probes_directory.mkdir(parents=True)
    systems = tmp_path / "systems.toml"
    lines = 'version = 1\n[systems.loans]\nscope = "Decides on loans."\nthird_party = true\n'
    for name, server in (("affordability", silent), ("credit", vendor)):
        document = probing.write(probing.ProbeSet(version=1, model=name, output="prediction", probes=PROBES))
        (settings.probes_directory / f"{name}.json").write_bytes(document)
        lines += (
            f'[systems.loans.models.{name}]\nprobe = {{ endpoint = "{server.url}", file = "{name}.json", '
            f'digest = "{probing.digest(document)}", every_seconds = {EVERY}, version = "{VERSION}", '
            "timeout_seconds = 3 }\n"
        )
    systems.write_text(lines, "utf-8")
    with Plant(settings, environ) as made:
        made.start(("registrar", "detect", "probe"), systems=systems)
        yield made


def test_a_model_exchanged_behind_its_version_is_raised_within_one_interval(
    plant: Plant, vendor: Model, silent: Model
) -> None:
    """While answers are the same nothing is said; the first run after the exchange raises AML.T0109."""
    wait_for(lambda: len(vendor.asked) >= 3 * len(PROBES) + 1, "the fourth run of the probes begins")
    columns = features(np.random.default_rng(1), 500, 2)
    plant.send("telemetry", batch(columns, model="credit", version=VERSION), b"credit")
    wait_for(lambda: plant.rows("credit", VERSION) == 500, "detection has read what stood before")
    assert plant.raised("credit") == []
    assert silent.asked
    vendor.answer = exchanged
    changed = time.monotonic()
    (signal,) = wait_for(lambda: plant.raised("credit"), "the exchange is raised", 4 * EVERY + 10)
    took = time.monotonic() - changed
    assert (signal.category, signal.subject, signal.technique) == (Category.ATTACK, "canary", "AML.T0109")
    assert signal.version == VERSION
    # Within one interval the next run begins; the rest is what asking, Kafka and detection take on a busy machine.
    assert took < EVERY + 3
    assert plant.ended() == {}
