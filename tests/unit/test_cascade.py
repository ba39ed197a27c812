"""A cascade over the dependency map is one incident, with its origin and how far it reaches."""

from typing import Any

from agents.triage.judge import Judge
from agents.triage.triage import Triage
from schemas.policy import TriagePolicy
from schemas.signals import IncidentGrew, IncidentOpened, Reached
from schemas.systems import Systems
from schemas.values import Category
from tests.feed import Feed, raised
from tests.ledgers import INCIDENT, genesis
from tests.play import incident_grew, incident_opened

TWO_SYSTEMS = Systems.model_validate(
    {
        "version": 1,
        "systems": {
            "features": {"scope": "Prepares features", "models": {"features": {}}},
            "loans": {"scope": "Decides on loans", "models": {"risk": {"depends_on": ["features"]}}},
            "sales": {
                "scope": "Makes offers",
                "models": {"price": {"depends_on": ["risk"]}, "offer": {"depends_on": ["price", "features"]}},
            },
        },
    }
)


def reach(event: Any) -> list[tuple[str, int, bool]]:
    """Return a record's blast radius in short."""
    return [(one.model, one.depth, one.seen) for one in event.blast_radius]


def test_a_chain_of_three_models_in_one_system_is_one_incident_that_names_whom_it_could_reach() -> None:
    """The origin is the most upstream model that shows it; what only could be touched is told as that."""
    feed = Feed()
    feed.say(raised("x", model="risk", version="7"))
    (opened,) = feed.tick(2000)
    assert isinstance(opened, IncidentOpened)
    assert reach(opened) == [("risk", 0, True), ("price", 1, False)]
    (wider,) = feed.say(raised("x", model="price", version="1"), at=3000)
    assert isinstance(wider, IncidentGrew)
    assert reach(wider) == [("risk", 0, True), ("price", 1, True)]
    (upstream,) = feed.say(raised("x", model="features", version="1"), at=4000)
    assert (upstream.id, upstream.affected[0].model) == (opened.id, "features")
    assert reach(upstream) == [("features", 0, True), ("risk", 1, True), ("price", 2, True)]


def test_a_cascade_goes_over_the_borders_of_systems() -> None:
    """Models of three systems that the map joins are one incident of the origin's system, by the shortest way."""
    feed = Feed(Triage(Judge("digest", TriagePolicy(gather_ms=1500), TWO_SYSTEMS)))
    feed.say(raised("x", model="offer", version="1"), raised("x", model="risk", version="1"))
    feed.say(raised("nan", Category.DATA_QUALITY, model="features", version="1"), at=100)
    (opened,) = feed.tick(2000)
    assert (opened.system, opened.affected[0].model) == ("features", "features")
    assert reach(opened) == [("features", 0, True), ("offer", 1, True), ("risk", 1, True), ("price", 2, False)]


def test_a_circle_in_the_map_ends() -> None:
    """Each model is reached once."""
    models = {"a": {"depends_on": ["b"]}, "b": {"depends_on": ["a"]}}
    circle = Systems.model_validate({"version": 1, "systems": {"s": {"scope": "x", "models": models}}})
    assert dict(Judge("", TriagePolicy(), circle).downstream("a")) == {"a": 0, "b": 1}
    assert dict(Judge("", TriagePolicy(), circle).downstream("ghost")) == {"ghost": 0}


def test_a_reach_without_end_fits_into_the_ledger_and_keeps_those_that_show_signals() -> None:
    """Of hundreds of readers as many are told as fit, the seen ones first."""
    long = "m" * 100
    models: dict[str, Any] = {"root": {}, **{f"{long}{n:03}": {"depends_on": ["root"]} for n in range(300)}}
    wide = Systems.model_validate({"version": 1, "systems": {"s": {"scope": "x", "models": models}}})
    feed = Feed(Triage(Judge("digest", TriagePolicy(), wide)))
    feed.say(raised("x", model="root", version="1"), raised("x", model=f"{long}299", version="1"))
    (opened,) = feed.tick(2000)
    assert len(opened.blast_radius) == 64
    assert [one.model for one in opened.blast_radius if one.seen] == ["root", f"{long}299"]


def test_the_case_keeps_the_newest_blast_radius() -> None:
    """It stands in the case as it was told when the case opened, and when it grew."""
    ledger = genesis()
    first = (Reached(model="shuttle", depth=0, seen=True), Reached(model="price", depth=1, seen=False))
    (opened, *_) = ledger.ask(incident_opened(blast_radius=first), "triage")
    assert (opened.incident, opened.blast_radius) == (INCIDENT, first)  # type: ignore[attr-defined]
    assert ledger.case.blast_radius == first
    ledger.ask(incident_grew(blast_radius=first[:1]), "triage")
    assert ledger.case.blast_radius == first[:1]
