"""The drills that Headgate comes with, played on one stack with real models, and scored."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from agents.drills.score import score
from streams.demo.timeline import Timeline
from streams.drills import files
from streams.drills.cluster import Cluster, own
from streams.drills.play import Play
from streams.drills.report import write_report
from streams.settings import Settings
from tests.conftest import RunningBroker

pytestmark = pytest.mark.broker
NAMES = [path.stem for path in files.known()]


@pytest.fixture(scope="module")
def told() -> io.StringIO:
    """What the timeline of the run says."""
    return io.StringIO()


@pytest.fixture(scope="module")
def playing(broker: RunningBroker, tmp_path_factory: pytest.TempPathFactory, told: io.StringIO) -> Iterator[Play]:
    """Every drill's models on one stack, watched until their monitors know what is normal."""
    given = {"bootstrap_servers": broker.bootstrap, "var": tmp_path_factory.mktemp("drills")}
    timeline = Timeline(Console(file=told, highlight=False, soft_wrap=True, width=200))
    drills = own(Settings.model_validate(given))
    with Cluster(drills, files.chosen(NAMES), timeline.say) as cluster, Play(cluster, timeline) as play:
        play.warm_up()
        yield play


def test_nothing_opens_while_nothing_is_wrong(playing: Play) -> None:
    """The same requests without a fault, of labelled, grouped and bare models: no incident, no alarm."""
    for played in playing.quiet("finance-bias", "infrastructure-outage", "regulator-interview"):
        card = score(played)
        assert card.passed, [f"{line.subject}: {line.found}" for line in card.missed]
        assert played.cases == ()
        assert played.rows > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_drill_is_passed(name: str, playing: Play, told: io.StringIO, tmp_path: Path) -> None:
    """Each expectation of the file is kept, and the report of the scene is written."""
    played = playing.scene(name)
    card = score(played)
    missed = [f"{line.subject}: wanted {line.wanted}, found {line.found}" for line in card.missed]
    assert card.passed, "\n".join([*missed, told.getvalue()[-6000:]])
    assert (write_report(played, card, tmp_path)[0]).exists()
