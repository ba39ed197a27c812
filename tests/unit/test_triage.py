"""Signals in, incidents out: one fault, one incident."""

from agents.triage.judge import Judge
from agents.triage.triage import UNIT, Triage
from schemas.ids import derive
from schemas.policy import TriagePolicy
from schemas.signals import Affected, IncidentGrew, IncidentOpened, IncidentQuieted, Reached
from schemas.systems import Systems
from schemas.values import Category, Position
from tests.feed import SYSTEMS, T0, Feed, again, cleared, judge, observed, raised

F1 = raised("f1")
CONFIDENCE = raised("confidence", Category.CONFIDENCE)


def test_a_strong_signal_opens_one_incident_after_the_gathering() -> None:
    """The record says all that a responder needs, and bears the deadline's time whenever the tick came."""
    feed = Feed()
    assert feed.say(CONFIDENCE, at=0) + feed.say(F1, at=900) + feed.tick(1500) == []
    (opened,) = feed.tick(9000)
    assert opened == IncidentOpened(
        id=derive("incident", CONFIDENCE.id),
        sequence=1,
        at=T0 + 1500,
        system="radiator",
        category=Category.DATA_DRIFT,
        title="Data drift on shuttle version 2: 1 feature (f1, PSI 2.1 against the reference)",
        affected=(Affected(model="shuttle", version="2"),),
        evidence=opened.evidence,
        first_bad_at=T0 - 500,
        recommended="Shift the traffic of shuttle from version 2 to the known-good version 1.",
        owner_role="ml_engineer",
        technique=None,
        recurrence_of=None,
        policy="digest",
        blast_radius=(Reached(model="shuttle", depth=0, seen=True),),
    )
    assert [one.subject for one in opened.evidence] == ["f1", "confidence"]
    assert feed.tick(9_000_000) == []


def test_the_next_record_opens_it_as_a_tick_would() -> None:
    """A record written after the gathering finds the incident open; it is not part of what the opening says."""
    ticked, read = Feed(), Feed()
    ticked.say(F1)
    read.say(F1)
    opened = ticked.tick(1600)
    events = read.say(raised("f2"), at=2000)
    assert events == opened
    assert [one.subject for one in events[0].evidence] == ["f1"]


def test_weak_and_late_signals_stay_candidates_until_a_strong_one_comes() -> None:
    """Neither a low score nor late rows promote, but they are told with what does; they widen no scope."""
    feed = Feed()
    feed.say(raised("f1", score=2.9, version="1"), raised("f2", backfill=True))
    assert feed.tick(10_000_000) == []
    feed.say(raised("f3"), at=10_000_000)
    (opened,) = feed.tick(10_002_000)
    assert [one.subject for one in opened.evidence] == ["f3", "f1", "f2"]
    assert opened.affected == (Affected(model="shuttle", version="2"),)


def test_a_candidate_that_is_cleared_is_forgotten_without_a_word() -> None:
    """Nothing is told of an episode that was never promoted."""
    feed = Feed()
    weak = raised(score=1.0)
    feed.say(weak, cleared(weak))
    assert feed.tick(61_000) == []
    feed.say(again("f2"), at=62_000)
    assert feed.tick(64_000)[0].evidence[0].subject == "f2"


def test_ten_thousand_signals_of_one_fault_are_one_incident_in_bounded_memory() -> None:
    """One opening, a growth a minute, and a state that stays small."""
    feed = Feed()
    for number in range(10_000):
        feed.say(raised(f"f{number}", score=40.0 + number / 100), at=number * 20)
    assert [type(event) for event in feed.told] == [IncidentOpened, *[IncidentGrew] * 3]
    assert [event.sequence for event in feed.told] == [1, 2, 3, 4]
    assert len({event.id for event in feed.told}) == 1
    assert all(len(event.evidence) == 20 for event in feed.told)
    (saved,) = feed.triage.dirty()
    assert len(saved[2]) < 3_000_000


def test_growth_waits_for_its_minute_but_a_wider_scope_does_not() -> None:
    """More evidence is told with the deadline's time; another version, model or category at once."""
    feed = Feed()
    feed.say(CONFIDENCE)
    feed.tick(2000)
    assert feed.say(raised("confidence", Category.CONFIDENCE, baseline="rolling", score=9.0), at=3000) == []
    (grew,) = feed.tick(100_000)
    assert (type(grew), grew.sequence, grew.at, len(grew.evidence)) == (IncidentGrew, 2, T0 + 61_500, 2)
    (wider,) = feed.say(raised("confidence", Category.CONFIDENCE, version="3"), at=101_000)
    assert (wider.sequence, [one.version for one in wider.affected]) == (3, ["2", "3"])
    (other,) = feed.say(raised("f1"), at=101_500)
    assert (other.sequence, other.at, other.category) == (4, T0 + 101_500, Category.DATA_DRIFT)
    assert feed.tick(1_000_000) == []


def test_an_attack_that_is_suspected_later_is_told_with_its_technique() -> None:
    """An incident that opens as drift names no technique; the growth that makes it an attack does."""
    feed = Feed()
    feed.say(F1)
    (opened,) = feed.tick(2000)
    (grew,) = feed.say(raised("queries", Category.ATTACK, technique="AML.T0024.002"), at=3000)
    assert (opened.technique, grew.category, grew.technique) == (None, Category.ATTACK, "AML.T0024.002")
    assert opened.title.startswith("Data drift")
    assert grew.title.startswith("Suspected attack")


def test_it_never_ends_while_a_signal_is_raised_and_ends_when_all_have_been_quiet() -> None:
    """The quiet period begins when the last is cleared, and a new signal within it goes on with the incident."""
    feed = Feed()
    feed.say(F1, CONFIDENCE)
    feed.tick(2000)
    feed.say(cleared(F1), at=5000)
    assert feed.tick(90_000_000) == []
    feed.say(cleared(CONFIDENCE), at=90_000_000)
    assert [event.sequence for event in feed.say(again("f1", 300), at=90_059_000)] == [2]
    assert feed.tick(99_000_000) == []
    feed.say(cleared(again("f1", 300), 400), at=99_000_000)
    (quieted,) = feed.tick(99_060_001)
    assert quieted == IncidentQuieted(
        id=feed.told[0].id, sequence=3, at=T0 + 99_060_000, last_signal_at=T0 + 99_000_000
    )
    assert feed.tick(999_000_000) == []


def test_the_same_key_after_the_end_is_a_recurrence() -> None:
    """The new incident names the last one of the same system, category, model and version, and no other."""
    feed = Feed()
    feed.say(F1)
    feed.say(cleared(F1), at=2000)
    first = feed.told[0].id
    feed.tick(70_000)
    feed.say(again("f9", 300), at=80_000)
    (second,) = feed.tick(90_000)
    assert (second.recurrence_of, second.sequence) == (first, 1)
    assert second.id != first
    feed.say(cleared(again("f9", 300), 400), at=100_000)
    feed.say(again("f9", 500, version="3"), at=200_000)
    (other,) = feed.tick(210_000)
    assert other.recurrence_of is None


def test_a_resolved_incident_ends_at_once_and_its_signals_open_nothing_until_raised_anew() -> None:
    """A version out of service keeps its signals raised; only a new raise of them is a new fault."""
    feed = Feed()
    feed.say(F1, CONFIDENCE)
    (opened,) = feed.tick(2000)
    feed.triage.resolve("no such incident")
    feed.triage.resolve(opened.id)
    assert feed.say(F1, CONFIDENCE, at=3000) + feed.tick(10_000_000) == []
    assert feed.say(cleared(CONFIDENCE), at=10_000_000) + feed.tick(20_000_000) == []
    feed.say(again("f1", 300, window_to=T0 + 20_000_000), at=20_000_000)
    (new,) = feed.tick(20_002_000)
    assert (new.recurrence_of, [one.subject for one in new.evidence]) == (opened.id, ["f1"])


def test_a_resolution_read_again_after_a_crash_ends_the_episode_where_it_ended_before() -> None:
    """Signals up to the time of the resolution belong to the old incident, whenever triage learns of it."""
    live = Feed()
    live.say(F1)
    (opened,) = live.tick(2000)
    live.say(raised("f2"), at=3000)
    live.triage.resolve(opened.id, T0 + 4000)
    live.say(again("f1", 300, window_to=T0 + 5000), at=5000)
    live.tick(7000)
    restarted = Triage(judge())
    restarted.resolve(opened.id, T0 + 4000)
    replayed = [event for record in live.records for event in restarted.step(record)] + restarted.tick(T0 + 7000)
    assert replayed == live.told
    assert [type(event) for event in replayed] == [IncidentOpened, IncidentOpened]


def test_what_late_labels_say_of_rows_from_before_the_resolution_is_no_new_incident() -> None:
    """The same fault's wrong outputs show when their labels come; of rows after the resolution they open one."""
    feed = Feed()
    feed.say(F1)
    (opened,) = feed.tick(2000)
    feed.triage.resolve(opened.id, T0 + 4000)
    late = raised("error", Category.PERFORMANCE, first_bad_at=T0, window_from=T0, window_to=T0 + 3500)
    elsewhere = raised("error", Category.PERFORMANCE, model="letters", window_to=T0 + 3500)
    assert feed.say(late, at=9000) + feed.tick(20_000) == []
    (state,) = feed.triage.dirty()
    feed.triage.restore(*state)
    assert feed.say(cleared(late), again("error", 150, category=Category.PERFORMANCE), at=30_000) == []
    assert feed.tick(40_000) == []
    feed.say(elsewhere, again("error", 300, category=Category.PERFORMANCE, window_to=T0 + 50_000), at=60_000)
    assert {new.affected[0].model for new in feed.tick(70_000)} == {"letters", "shuttle"}


def test_redelivered_signals_change_nothing() -> None:
    """Neither the same record, nor the same signals written again by a detect that replays its input."""
    feed = Feed()
    lines = [F1, cleared(F1, 200), again("f1", 300), CONFIDENCE]
    feed.say(*lines)
    (saved,) = feed.triage.dirty()
    assert [event for record in feed.records for event in feed.triage.step(record)] == []
    assert feed.triage.dirty() == []
    feed.say(*lines)
    (after,) = feed.triage.dirty()
    assert after[2] == saved[2]
    assert [event.sequence for event in feed.tick(2000)] == [1]


def test_signals_that_one_telemetry_record_caused_are_told_apart_by_their_ids() -> None:
    """Raised, cleared and raised again within one batch is raised; the three again are repeats."""
    first, second = F1, raised("f1", id="another")
    feed = Feed()
    lines = [first, cleared(first, first.source.offset), second]
    feed.say(*lines, *lines)
    assert [event.sequence for event in feed.tick(2000)] == [1]
    assert feed.tick(9_000_000) == []


def test_models_that_the_map_joins_are_one_incident_with_the_most_upstream_first() -> None:
    """A cascade has one origin, which owner and system are taken of; models beside it have incidents of their own."""
    feed = Feed()
    feed.say(raised("x", model="price", version="4"), raised("x", model="letters", version="1"))
    feed.say(raised("x", model="risk", version="8", score=9.0), at=100)
    second, first = sorted(feed.tick(2000), key=lambda opened: len(opened.affected))
    assert [one.model for one in first.affected] == ["risk", "price"]
    assert (first.system, first.owner_role, first.category) == ("loans", "ml_manager", Category.DATA_DRIFT)
    assert first.recommended == "Shift the traffic of risk from version 8 to the known-good version 7."
    assert [one.model for one in second.affected] == ["letters"]


def test_a_telemetry_topic_created_again_has_faults_of_its_own() -> None:
    """The same signal of another topic id is another incident."""
    feed = Feed()
    feed.say(F1, raised("f1", source=Position(topic_id="new", partition=0, offset=0)))
    assert len({opened.id for opened in feed.tick(2000)}) == 2


def test_an_undeclared_model_is_a_system_of_its_own() -> None:
    """It is watched, and its incident says that it is undeclared."""
    feed = Feed()
    feed.say(raised(model="ghost"))
    assert feed.tick(2000)[0].system == "undeclared/ghost"


def test_instances_are_named_when_some_but_not_all_show_it() -> None:
    """One of two is named and to be isolated; both are the version; the newest word on all or one counts."""
    one = raised("latency", Category.INFRASTRUCTURE, instance="a")
    feed = Feed()
    feed.say(observed("a", "b"), one)
    (opened,) = feed.tick(2000)
    assert opened.affected == (Affected(model="shuttle", version="2", instances=("a",)),)
    assert opened.recommended.startswith("Isolate shuttle version 2, instance a")
    (grew,) = feed.say(raised("latency", Category.INFRASTRUCTURE, instance="b"), at=3000)
    assert grew.affected == (Affected(model="shuttle", version="2"),)
    whole = Feed()
    whole.say(observed("a", "b"), raised("latency", Category.INFRASTRUCTURE))
    assert whole.tick(2000)[0].affected == grew.affected
    (narrowed,) = whole.say(again("latency", 101, category=Category.INFRASTRUCTURE, instance="a"), at=3000)
    assert narrowed.affected == opened.affected


def test_another_policy_counts_from_its_adoption_and_episodes_keep_their_models() -> None:
    """A new threshold promotes what the old one did not; what was joined stays joined until it ends."""
    feed = Feed()
    feed.say(raised("x", model="risk", version="8"))
    (opened,) = feed.tick(2000)
    split = SYSTEMS.model_dump()
    split["systems"]["loans"]["models"]["price"]["depends_on"] = ()
    feed.triage.adopt(Judge("newer", TriagePolicy(promote_score=1.0), Systems.model_validate(split)))
    (grew,) = feed.say(raised("x", model="price", version="4", score=2.0), at=3000)
    assert grew.id == opened.id
    feed.say(raised("x", score=2.0), at=4000)
    assert feed.tick(6000)[0].policy == "newer"


def test_state_is_saved_and_restored_exactly() -> None:
    """A triage that was restored at any record says the same from there on, and would save the same bytes."""
    feed = Feed()
    feed.say(observed("a", "b"), F1, CONFIDENCE, raised("x", model="ghost", score=1.0))
    feed.tick(2000)
    feed.say(cleared(F1), raised("f2"), at=3000)
    feed.triage.resolve("later", T0 + 900_000)
    (unit, offset, body) = feed.triage.dirty()[0]
    other = Triage(judge())
    other.restore(unit, offset, body)
    assert (unit, offset, other.dirty()) == (UNIT, len(feed.records) - 1, [])
    tail = [feed.write(said, at) for said, at in ((cleared(CONFIDENCE), 4000), (raised("f3", version="3"), 5000))]
    for record in tail:
        assert feed.triage.step(record) == other.step(record)
    assert feed.tick(99_000_000) == other.tick(T0 + 99_000_000)
    assert feed.triage.dirty() == other.dirty()
    feed.triage.forget(UNIT)
    assert feed.triage.dirty() == feed.tick(999_000_000) == []
