"""Recovery by rows alone: what monitors of survivors say after containment, and nothing else, ends a case."""

from dataclasses import replace
from typing import Any

import pytest

from agents.ledger.case import Phase
from agents.ledger.state import LedgerState
from agents.roles.recover import Recovery
from schemas.case.response import ReportRegression
from schemas.commands import ReportRecovery
from schemas.signals import Affected, MonitorObserved
from schemas.values import Mode, Position
from tests import play
from tests.ledgers import INCIDENT, START, Ledger, names

NEEDED = 1000
WHERE = Position(topic_id="T", partition=0, offset=1)


def word(rows: int, clear: int | None = None, **changes: Any) -> MonitorObserved:
    """Return a monitor's word that so many rows were judged, all of them clear unless it says otherwise."""
    said = MonitorObserved(
        id=f"o-{rows}",
        at=START,
        model="shuttle",
        version="1",
        mode=Mode.REALTIME,
        rows=rows,
        clear_rows=rows if clear is None else clear,
        raised=(),
        instances=(),
        source=WHERE,
    )
    return replace(said, **changes)


def heard(state: LedgerState, *words: MonitorObserved) -> Recovery:
    """Return a watch that has heard these."""
    recovery = Recovery()
    for said in words:
        recovery.observe(state, said)
    return recovery


def told(state: LedgerState, *words: MonitorObserved) -> list[object]:
    """Return what a watch proposes that has heard these."""
    return heard(state, *words).proposals(state, START)


def with_case(ledger: Ledger, **changes: Any) -> LedgerState:
    """Return the ledger's state with its case changed."""
    return replace(ledger.state, cases={INCIDENT: replace(ledger.case, **changes)})


@pytest.fixture(scope="module")
def state() -> LedgerState:
    """A ledger whose plan is done; nothing here changes it."""
    return play.recovering().state


def test_a_survivor_that_is_clear_for_its_rows_resolves_the_case() -> None:
    """The report names the observation, is the same until the ledger has it, and is accepted."""
    ledger = play.recovering()
    watch = heard(ledger.state, word(5000), word(5999))
    assert watch.proposals(ledger.state, START) == []
    watch.observe(ledger.state, word(6000))
    (report,) = watch.proposals(ledger.state, START)
    assert report == play.recovery(clear_rows=NEEDED, observation="o-6000")
    assert watch.proposals(ledger.state, START + 10**9) == [report]
    assert names(ledger.ask(report, "recovery")) == ["CaseResolved", "RatingAsked"]
    assert watch.proposals(ledger.state, START) == []
    assert ledger.case.phase is Phase.RESOLVED


def test_no_time_makes_up_for_rows(state: LedgerState) -> None:
    """A survivor without traffic is never recovered."""
    assert heard(state, word(5000), word(5000, at=START + 10**9)).proposals(state, START + 10**9) == []


def test_rows_before_the_first_word_after_containment_do_not_count(state: LedgerState) -> None:
    """However long the survivor was clear before, the rows of its first word are where counting begins."""
    assert told(state, word(1_000_000)) == []
    assert told(state, word(1_000_000), word(1_000_999)) == []
    assert told(state, word(1_000_000), word(1_001_000)) != []


def test_words_from_before_containment_do_not_count() -> None:
    """A restarted role that reads old signals again begins with the first that is not older than containment."""
    ledger = play.contained()
    ledger.later(60)
    play.start(ledger, 1)
    play.finish(ledger, 1)
    late = with_case(ledger, contained_at=START + 50_000)
    old = [word(100, at=START + 49_999), word(9000, at=START + 49_999)]
    assert told(late, *old) == []
    assert told(late, *old, word(9001, at=START + 50_000), word(10_000, at=START + 51_000)) == []
    assert told(late, *old, word(9001, at=START + 50_000), word(10_001, at=START + 51_000)) != []


def test_where_no_traffic_had_to_move_words_from_before_the_case_do_not_count() -> None:
    """A plan without a containing step never says contained; the case's opening bounds it instead."""
    state = with_case(play.recovering(), contained_at=0)
    assert told(state, word(100, at=START - 1), word(9000, at=START - 1)) == []
    assert told(state, word(100), word(9000)) != []


def test_only_rows_in_a_row_with_nothing_raised_count(state: LedgerState) -> None:
    """Anything raised begins the count anew, and the newest word is what counts."""
    assert told(state, word(100), word(5000, clear=0)) == []
    assert told(state, word(100), word(5000), word(5100, clear=0)) == []
    assert told(state, word(100), word(5000, clear=0), word(5999, clear=999)) == []
    (report,) = told(state, word(100), word(5000, clear=0), word(6000, clear=1000))
    assert isinstance(report, ReportRecovery)
    assert report.clear_rows == 1000


def test_a_monitor_that_began_anew_counts_anew(state: LedgerState) -> None:
    """Its rows start at nothing again, and what it judges since is what counts."""
    assert told(state, word(5000), word(10), word(1009)) == []
    assert told(state, word(5000), word(10), word(1010)) != []


def test_modes_do_not_share_their_rows_and_a_shadow_is_no_survivor(state: LedgerState) -> None:
    """Two monitors of a version have counts of their own; a version without traffic proves nothing."""
    batch = word(100, mode=Mode.BATCH)
    assert told(state, batch, word(1_000_000), batch, word(1_000_999)) == []
    assert told(state, word(100, mode=Mode.SHADOW), word(9000, mode=Mode.SHADOW)) == []
    assert told(state, batch, word(1100, mode=Mode.BATCH)) != []


@pytest.mark.parametrize("changes", [{"version": "2"}, {"model": "other"}], ids=["bad-version", "other-model"])
def test_only_survivors_of_the_affected_models_are_heard(state: LedgerState, changes: dict[str, Any]) -> None:
    """The bad version itself and models that the incident does not name say nothing of recovery."""
    assert told(state, word(100, **changes), word(9000, **changes)) == []


@pytest.mark.parametrize("stage", [play.opened, play.contained, play.resolved])
def test_only_a_recovering_case_listens(stage: Any) -> None:
    """Before its plan is done, and after its end, words are not for it."""
    ledger = stage()
    assert told(ledger.state, word(100), word(9000)) == []


def test_a_survivor_that_turned_bad_is_no_longer_reported() -> None:
    """A case that grew to the version drops what that version's monitor said."""
    ledger = play.recovering()
    watch = heard(ledger.state, word(100), word(9000))
    ledger.ask(play.incident_grew(affected=(Affected(model="shuttle", version="1"),)), "triage")
    assert watch.proposals(ledger.state, START) == []
    assert watch == Recovery()


def test_cases_recover_one_by_one() -> None:
    """Each recovering case gets a report of its own, in order; one that is over gets none."""
    one = play.recovering()
    other = replace(one.case, incident="incident-0", affected=(Affected(model="shuttle", version="3"),))
    state = replace(one.state, cases={INCIDENT: one.case, "incident-0": other}, active={INCIDENT, "incident-0"})
    reports = told(state, word(100), word(9000))
    assert [getattr(report, "incident", "") for report in reports] == ["incident-0", INCIDENT]
    state.active.discard("incident-0")
    state.cases["incident-0"] = replace(other, phase=Phase.RESOLVED)
    assert [getattr(report, "incident", "") for report in told(state, word(100), word(9000))] == [INCIDENT]


@pytest.mark.parametrize(("abort_rows", "rows", "fails"), [(0, 5000, False), (2000, 1999, False), (2000, 2000, True)])
def test_a_survivor_that_goes_on_raising_fails_the_recovery_where_policy_says_so(
    abort_rows: int, rows: int, fails: bool
) -> None:
    """After the rows that the case's policy names, and never without such a number; the ledger takes the report."""
    ledger = play.recovering()
    policy = ledger.control.policies[ledger.case.policy]
    aborting = policy.model_copy(update={"recovery": policy.recovery.model_copy(update={"abort_rows": abort_rows})})
    state = ledger.state
    control = replace(state.control, policies={ledger.case.policy: aborting})
    watched = replace(state, control=control)
    found = told(watched, word(100), word(100 + rows, 0, raised=("psi of f1",)))
    assert [type(report) for report in found] == [ReportRegression] * fails
    for report in found:
        assert names(ledger.ask(report, "recovery"))[0] == "CaseRegressed"
