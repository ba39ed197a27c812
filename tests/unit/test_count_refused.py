"""What people cannot say of statutory clocks, who may not say it, and bounds of delays and shares."""

from typing import Any

import pytest

from agents.ledger.decisions.count import MAX_RECEIPT
from schemas.case.clocks import ConfirmReport, Known
from tests.clocks import DAY, confirm, declared, exclude, fact, regulate, reopen, share, submit, toll
from tests.ledgers import START, Ledger, names, reason

WARNING = "nis2_23.early_warning"


@pytest.fixture(scope="module")
def ledger() -> Ledger:
    """A case with two clocks; what is refused leaves it as it was."""
    return declared("nis2_23")


def test_a_delay_that_an_authority_asked_for_holds_a_clock() -> None:
    """Only laws that know such a delay; it ends within bounds, and shares that are no longer used count as not told."""
    ledger = declared("hipaa_hhs", "gdpr_33").later(31 * 86_400)
    ledger.ask(share(ledger, "hipaa_hhs.notice", 50), "paging")
    assert reason(ledger.ask(toll("gdpr_33.authority", ledger.at + DAY), "lea")) == "no_delay"
    assert reason(ledger.ask(toll("hipaa_hhs.notice", ledger.at), "lea")) == "bad_time"
    assert reason(ledger.ask(toll("hipaa_hhs.notice", ledger.at + 500 * DAY), "lea")) == "bad_time"
    assert reason(ledger.ask(toll("hipaa_hhs.notice", ledger.at + DAY, authority=" "), "lea")) == "bad_authority"
    assert names(ledger.ask(toll("hipaa_hhs.notice", ledger.at + 90 * DAY), "lea")) == ["ClockTolled"]
    tolled = next(one for one in ledger.case.clocks.running if one.regime == "hipaa_hhs")
    assert (tolled.due, tolled.reached) == (ledger.at + 90 * DAY, 0)


def test_a_share_is_recorded_once_when_it_is_used() -> None:
    """Not before, not twice, not for another due time, and not for what is no share."""
    ledger = declared("nis2_23").later(11 * 3600)
    assert reason(ledger.ask(share(ledger, WARNING, 50), "paging")) == "not_due"
    ledger.later(3600)
    assert reason(ledger.ask(share(ledger, WARNING, 50, due=START), "paging")) == "moved"
    assert reason(ledger.ask(share(ledger, WARNING, 49), "paging")) == "told"
    assert names(ledger.ask(share(ledger, WARNING, 50, repeat=1), "paging")) == ["ClockShareReached"]
    assert reason(ledger.ask(share(ledger, WARNING, 50, repeat=2), "paging")) == "told"
    assert reason(ledger.ask(share(ledger, "no.such", 50), "paging")) == "not_running"


LONG = "x" * 5_000


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (fact("nobody_asked"), "unknown_fact"),
        (fact("prior_submission", Known.YES, START), "unknown_fact"),
        (fact("death", basis=""), "bad_reason"),
        (fact("death", basis=LONG), "bad_reason"),
        (fact("death", at=START + 1), "bad_time"),
        (fact("death", at=-1), "bad_time"),
        (fact("aware", Known.YES), "bad_time"),
        (fact("aware", Known.NO, START), "bad_time"),
        (regulate("no_such"), "unknown_regime"),
        (regulate("nis2_23"), "as_it_was"),
        (regulate("gdpr_33", reason=" "), "bad_reason"),
        (submit("gdpr_33.authority"), "not_running"),
        (submit(WARNING, receipt=" "), "bad_receipt"),
        (submit(WARNING, receipt="x" * (MAX_RECEIPT + 1)), "bad_receipt"),
        (submit(WARNING, START + 1), "bad_time"),
        (submit(WARNING, -1), "bad_time"),
        (confirm("gdpr_33.authority"), "not_running"),
        (exclude("gdpr_33"), "unknown_clock"),
        (exclude("nis2_23.no_such"), "unknown_clock"),
        (exclude("nis2_23", reason=LONG), "bad_reason"),
        (reopen("nis2_23", reason=""), "bad_reason"),
        (reopen("nis2_23"), "not_ended"),
        (toll("no.such", START + 1), "not_running"),
        (toll(WARNING, START + 1, reason=""), "bad_reason"),
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(ledger: Ledger, body: object, why: str) -> None:
    """A refused word changes nothing of the clocks."""
    kind = type(body).__name__
    before = ledger.case.clocks
    found = ledger.ask(body, "eva" if kind in {"RecordFact", "RegulateCase"} else "lea")
    assert reason(found) == why
    assert ledger.case.clocks == before


@pytest.mark.parametrize("who", ["ada", "eva", "max", "paging"])
def test_only_those_who_file_say_that_a_report_was_sent_or_is_not_needed(ledger: Ledger, who: str) -> None:
    """Compliance, legal and the data protection officer file; only the first two rule out; a service neither."""
    for body in (submit(WARNING), exclude(WARNING), reopen(WARNING), ConfirmReport(**vars_of(confirm(WARNING)))):
        assert reason(ledger.ask(body, who)) == "wrong_role"


def test_a_data_protection_officer_files_and_rules_nothing_out(ledger: Ledger) -> None:
    """What a law does not ask for is for compliance and legal to say."""
    assert reason(ledger.ask(exclude(WARNING), "dan")) == "wrong_role"
    assert reason(ledger.ask(toll(WARNING, START + DAY), "dan")) == "wrong_role"


def vars_of(body: object) -> dict[str, Any]:
    """Return the fields of a command."""
    return {name: getattr(body, name) for name in ("incident", "clock", "receipt")}
