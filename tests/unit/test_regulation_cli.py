"""`headgate clocks` and the calendars behind it."""

import json
from datetime import date

import pytest
from click.testing import CliRunner

from schemas.errors import PolicyError
from schemas.regulation.catalogue import REGIMES, digest
from streams.__main__ import headgate
from streams.regulation.calendars import calendar


def _run(*arguments: str) -> str:
    done = CliRunner().invoke(headgate, ["clocks", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def _refused(*arguments: str) -> str:
    done = CliRunner().invoke(headgate, ["clocks", *arguments])
    assert isinstance(done.exception, PolicyError), done.output
    return str(done.exception)


def test_the_catalogue_is_listed_with_articles_and_quotes() -> None:
    """The table has every clock, one regime shows its words, and JSON is complete with its digest."""
    table = _run("list")
    assert "gdpr_33.authority" in table
    assert "Art. 33(1)" in table
    assert "sox_deficiency" in table
    assert "“without undue delay and, where feasible, not later than 72 hours" in _run("list", "--regime", "gdpr_33")
    assert "in other words: 10 days for a death" in _run("list", "--regime", "gpai_art55")
    document = json.loads(_run("list", "--json"))
    assert document["digest"] == digest()
    assert [one["name"] for one in document["regimes"]] == list(REGIMES)


def test_a_due_time_is_computed_in_words() -> None:
    """Strict and legal due stand beside how the legal one was counted."""
    arguments = ("compute", "ai_act_art73", "--tier", "general", "--trigger", "aware=2026-03-27T16:00:00+01:00")
    said = _run(*arguments, "--country", "DE")
    assert "strict  2026-04-11 14:00:00Z" in said
    assert "legal   2026-04-13 21:59:59Z" in said
    assert "Saturday 11 April 2026 is a day off" in said
    (found,) = json.loads(_run(*arguments, "--country", "DE", "--json"))["clocks"]
    assert found["strict_due"] < found["legal_due"]
    assert "legal" not in _run(*arguments)


def test_what_does_not_count_yet_says_what_it_waits_for() -> None:
    """A final report without its notification is named with what it counts from."""
    said = _run("compute", "nis2_23", "--trigger", "aware=2026-03-27T16:00Z")
    assert "it counts from prior_submission once notification was submitted" in said
    assert "stands in for it" in _run("compute", "sec_8k_105", "--trigger", "aware=2026-03-27T16:00Z")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("compute", "gdpr_33", "--trigger", "aware"), "is not EVENT=TIME"),
        (("compute", "gdpr_33", "--trigger", "heard=2026-03-27T16:00Z"), "is not EVENT=TIME"),
        (("compute", "gdpr_33", "--trigger", "aware=2026-03-27T16:00"), "with its offset"),
        (("compute", "gdpr_33", "--trigger", "aware=9999-12-31T23:59Z"), "between 1990 and 2100"),
        (("compute", "gdpr_33", "--tier", "none", "--trigger", "aware=2026-03-27T16:00Z"), "has no clock 'none'"),
        (("compute", "sox_deficiency", "--trigger", "aware=2026-03-27T16:00Z"), "sets no period"),
        (("compute", "gdpr_33", "--trigger", "aware=2026-03-27T16:00Z", "--country", "XX"), "no public holidays"),
        (("list", "--regime", "colorado"), "no regime is called 'colorado'"),
    ],
)
def test_what_cannot_be_computed_is_refused_with_a_sentence(arguments: tuple[str, ...], says: str) -> None:
    """A wrong event, time, tier, country or regime is one sentence that says what would do."""
    assert says in _refused(*arguments)


def test_a_calendar_has_the_holidays_of_its_part_of_the_country() -> None:
    """Epiphany is a day off in Bavaria, and not in Berlin."""
    epiphany = date(2026, 1, 6)
    assert not calendar("DE", subdivision="BY", first_year=2026).works_on(epiphany)
    assert calendar("de", first_year=2026).works_on(epiphany)
    assert calendar("FR", first_year=2026).name == "FR, Europe/Paris"


def test_an_unknown_place_is_refused_with_what_is_known() -> None:
    """A wrong subdivision lists the right ones, several zones ask for one, and a zone is a zone's name."""
    with pytest.raises(PolicyError, match="DE has BB, BE"):
        calendar("DE", subdivision="QQ", first_year=2026)
    with pytest.raises(PolicyError, match="say which with --zone"):
        calendar("AU", first_year=2026)
    for zone in ("Europe/Bonn", "../etc/passwd", "Europe"):
        with pytest.raises(PolicyError, match="there is no time zone"):
            calendar("DE", zone=zone, first_year=2026)
