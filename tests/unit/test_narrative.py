"""An incident in words."""

import pytest

from agents.triage.narrative import MAX_TITLE, clip, recommend, title
from schemas.signals import Affected, SignalRaised
from schemas.values import Category
from tests.feed import judge, raised

TWO = Affected(model="shuttle", version="2")

TITLES = [
    (
        Category.DATA_DRIFT,
        (TWO,),
        [raised("sensor_3")],
        "Data drift on shuttle version 2: 1 feature (sensor_3, PSI 2.1 against the reference)",
    ),
    (
        Category.DATA_DRIFT,
        (TWO, Affected(model="shuttle", version="3")),
        [raised(f"f{i}") for i in range(5)],
        "Data drift on shuttle versions 2 and 3: 5 features (f0, f1, f2 and 2 more; PSI 2.1 against the reference)",
    ),
    (
        Category.INFRASTRUCTURE,
        (Affected(model="shuttle", version="2", instances=("a",)),),
        [raised("latency", Category.INFRASTRUCTURE, statistic="mean", baseline="rolling", value=63.25)],
        "Infrastructure failure on shuttle version 2, instance a: latency (mean 63.2 against the rows before)",
    ),
    (
        Category.INFRASTRUCTURE,
        (TWO, Affected(model="x", version="1"), Affected(model="y", version="1")),
        [raised("requests", Category.INFRASTRUCTURE, statistic="share", baseline="limit", threshold=0.2)],
        "Infrastructure failure on shuttle version 2 (with models x and y): requests (share 2.1 over the limit of 0.2)",
    ),
    (
        Category.DATA_DRIFT,
        (TWO,),
        [raised("vector")],
        "Data drift on shuttle version 2: the features together (PSI 2.1 against the reference)",
    ),
    (
        Category.DATA_QUALITY,
        (TWO,),
        [raised("f1, f2", Category.DATA_QUALITY, statistic="exchanged", baseline="rolling", value=0.94)],
        "Bad data quality on shuttle version 2: 2 features (f1, f2; exchanged 0.94 against the rows before)",
    ),
]


@pytest.mark.parametrize(("category", "affected", "ranked", "expected"), TITLES)
def test_a_title_is_one_sentence_that_says_what_where_and_how_much(
    category: Category, affected: tuple[Affected, ...], ranked: list[SignalRaised], expected: str
) -> None:
    """Cause, model, versions, instances, and the best evidence with its number."""
    assert title(category, affected, ranked) == expected


def test_hostile_names_cannot_break_the_line() -> None:
    """Control characters are replaced and long names cut."""
    affected = tuple(Affected(model="m\n\x1b[31m" * 40, version=f"{'v' * 90}{i}") for i in range(40))
    text = title(Category.DATA_DRIFT, affected, [raised("f\r" * 999)])
    assert text.isprintable()
    assert len(text) <= MAX_TITLE
    assert clip("abc", 3) == "abc"
    assert clip("abcd", 3) == "ab…"


@pytest.mark.parametrize(
    ("affected", "expected"),
    [
        ((TWO,), "Shift the traffic of shuttle from version 2 to the known-good version 1."),
        (
            (Affected(model="shuttle", version="2", instances=("a",)),),
            "Isolate shuttle version 2, instance a; nothing is seen on its other instances.",
        ),
        (
            (TWO, Affected(model="shuttle", version="1")),
            "Repair what feeds shuttle: its known-good version 1 is affected as well.",
        ),
        (
            (Affected(model="features", version="5"), Affected(model="risk", version="8")),
            "Take features version 5 out of service: the systems document names no known-good version.",
        ),
        (
            (Affected(model="ghost", version="1"),),
            "Declare ghost in the systems document: no known-good version of it is known to fall back on.",
        ),
    ],
)
def test_the_recommendation_follows_from_the_systems_document(affected: tuple[Affected, ...], expected: str) -> None:
    """What is affected and what is declared decide which containment is proposed."""
    assert recommend(affected, judge()) == expected
