"""A whole run: the stack, one warm-up, every scene, its score and its report, and the ledger to verify it by."""

from collections.abc import Mapping
from pathlib import Path

from agents.drills.played import Played
from agents.drills.score import Scorecard, score
from schemas.drills import Scenario
from streams.demo.timeline import Timeline
from streams.drills.cluster import Cluster
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
    every: list[tuple[Played, Scorecard]] = []
    with Cluster(settings, scenarios, timeline.say) as cluster:
        with Play(cluster, timeline) as playing:
            playing.warm_up()
            scenes = (playing.scene(name, speed) for name in scenarios) if faulty else iter(playing.quiet())
            for played in scenes:
                card = score(played)
                timeline.say(f"{played.name}: {verdict(card)}", "setup" if card.passed else "fault")
                write_report(played, card, directory / played.name)
                every.append((played, card))
        export_topic(settings, cluster.trust, settings.var / "ledger")
    if len(every) > 1:
        write_overview(every, directory)
    return [card for _, card in every]
