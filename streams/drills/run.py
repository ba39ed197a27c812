"""A whole run: the stack, one warm-up, every scene, its score and its report, and the ledger to verify it by."""

from collections.abc import Mapping
from pathlib import Path

from agents.drills.played import Played
from agents.drills.score import Scorecard, score
from schemas.drills import Scenario
from streams.demo.timeline import Timeline
from streams.drills.cluster import Cluster
from streams.drills.here import Here
from streams.drills.place import Place
from streams.drills.play import Play
from streams.drills.report import write_overview, write_report
from streams.ledger.export import export_topic
from streams.settings import Settings
from streams.view.drill_report import verdict


def play(
    settings: Settings,
    scenarios: Mapping[str, Scenario],
    timeline: Timeline,
    directory: Path,
    *,
    speed: float | None = None,
    faulty: bool = True,
) -> list[Scorecard]:
    """Play scenarios on a stack of their own, write the reports, and return the scores in their order.

    Parameters
    ----------
    settings
        The drills' own (`streams.drills.cluster.own`).
    directory
        Where the reports go.
    speed
        Replaces the scenarios' own.
    faulty
        Whether their faults are let in; without them nothing must open.
    """
    with Cluster(settings, scenarios, timeline.say) as cluster:
        cards = _play(cluster, timeline, directory, speed=speed, faulty=faulty)
        export_topic(settings, cluster.trust, settings.var / "ledger")
    return cards


def play_here(place: Here, timeline: Timeline, directory: Path, *, faulty: bool = True) -> list[Scorecard]:
    """Play scenarios on the pipeline that runs, as `play` does on one of their own."""
    with place:
        return _play(place, timeline, directory, faulty=faulty)


def _play(
    place: Place, timeline: Timeline, directory: Path, *, speed: float | None = None, faulty: bool
) -> list[Scorecard]:
    every: list[tuple[Played, Scorecard]] = []
    with Play(place, timeline) as playing:
        playing.warm_up()
        scenes = (playing.scene(name, speed) for name in place.scenarios) if faulty else iter(playing.quiet())
        for played in scenes:
            card = score(played)
            timeline.say(f"{played.name}: {verdict(card)}", "setup" if card.passed else "fault")
            write_report(played, card, directory / played.name)
            every.append((played, card))
    if len(every) > 1:
        write_overview(every, directory)
    return [card for _, card in every]
