"""What holds of every decider: total, deterministic, rebuilt from its own output, and deaf to repetition."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agents.ledger import case as cases
from agents.ledger import control as controls
from agents.ledger import rules
from agents.ledger.asked import TOPIC_OF, Asked, authenticate, incident_of
from agents.ledger.case import Case
from agents.ledger.decisions.execute import intent_id
from agents.ledger.fold import Fold, Verified
from schemas import commands as c
from schemas import events as e
from schemas import signals as s
from schemas.codec import body as encode_body
from schemas.codec import frame, open_body
from schemas.errors import HeadgateError, KeyRefusedError, LedgerError, SchemaError
from schemas.ledger import AuditEntry, Command
from schemas.topics import BY_NAME, full_name
from schemas.values import Role
from tests import ledgers, play, story
from tests.chapters import reviews
from tests.ledgers import INCIDENT, Ledger, read, reason, resigned
from tests.play import STEPS
from tests.strategies import records

COMMANDS = (*c.RECORDS, s.IncidentOpened, s.IncidentGrew, s.IncidentQuieted)
STAGES = (
    ledgers.established(),
    ledgers.genesis(),
    play.opened(),
    play.proposed(),
    play.requested(),
    play.authorised(),
    play.contained(),
    play.recovering(),
    play.resolved(),
    reviews.waiting(),
)
TOLD = story.told()
QUICK = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def near(body: Any, ledger: Ledger, data: st.DataObject) -> Any:
    """Move some fields of a generated command to values that mean something in the ledger."""
    case = ledger.state.cases.get(INCIDENT)
    plan = case.plan.digest if case and case.plan else ""
    known = {
        "incident": st.just(INCIDENT),
        "id": st.sampled_from([INCIDENT, "incident-2"]),
        "plan": st.just(plan),
        "step": st.integers(-1, 2),
        "attempt": st.integers(0, 3),
        "intent": st.sampled_from([intent_id(plan, 0), intent_id(plan, 1)]),
        "outcome": st.sampled_from(["done", "failed", "target_changed"]),
        "read_back": st.sampled_from([step.desired for step in STEPS]),
        "model": st.just("shuttle"),
        "epoch": st.integers(0, 2),
        "prediction": st.sampled_from(["p-1", "p-2", "p-3"]),
        "document": st.sampled_from([ledgers.POLICY, ledgers.SYSTEMS, story.LOW]),
        "key": st.just(ledgers.key_of("max").key_id),
    }
    usable = sorted(name for name in known if hasattr(body, name))
    chosen = data.draw(st.sets(st.sampled_from(usable)) if usable else st.just(set()))
    return replace(body, **{name: data.draw(known[name]) for name in chosen})


@pytest.mark.parametrize("cls", COMMANDS, ids=lambda cls: cls.__name__)
def test_every_command_gets_an_answer_that_the_ledger_can_hold(cls: type) -> None:
    """Any body, of anybody, at any stage: events that round-trip, that the state can take, and never a defect."""

    @QUICK
    @given(
        body=records(cls), roles=st.sets(st.sampled_from(Role)), at=st.integers(ledgers.START, 2**42), data=st.data()
    )
    def holds(body: Any, roles: set[Role], at: int, data: st.DataObject) -> None:
        ledger = data.draw(st.sampled_from(STAGES))
        body = near(body, ledger, data)
        asked = Asked(
            kind=cls.__name__,
            incident=incident_of(body),
            body=body,
            principal=data.draw(st.sampled_from(["p-max", "p-mia", "p-remediation", "p-new"])),
            key="k",
            roles=frozenset(roles | {role for role in Role if data.draw(st.booleans())}),
            statement="00" * 32,
        )
        case = ledger.state.cases.get(asked.incident)
        found = rules.decide(rules.CURRENT, ledger.control, case, asked, at)
        assert found == rules.decide(rules.CURRENT, ledger.control, case, asked, at) or "nan" in repr(found)
        assert reason(found) != "defect"
        assert found or (cls is s.IncidentOpened and case is not None)
        taken(ledger, case, found, at)

    holds()


def taken(ledger: Ledger, case: Case | None, found: list[object], at: int) -> None:
    """Assert that each event stands in the table of events, round-trips and can be applied."""
    control = ledger.control
    for event in found:
        assert type(event) in e.RECORDS
        name, fingerprint, data = encode_body(event)
        assert encode_body(open_body(name, fingerprint, data)) == (name, fingerprint, data)
        if not isinstance(event, e.LedgerEstablished):  # judged before anything is decided: agents.ledger.founding
            control = controls.evolve(control, event)
        case = cases.evolve(case, event, at, "0" * 64)


def test_what_the_registrar_writes_belongs_to_its_topic() -> None:
    """An entry is a record of the audit topic, and each command of the topic that it was signed for."""
    assert BY_NAME["audit"].records == (AuditEntry,)
    assert full_name("play", "audit") == "play.audit.v1"
    assert {"commands", "incidents"} == set(TOPIC_OF.values())
    assert set(BY_NAME["incidents"].records) == {cls for cls in COMMANDS if TOPIC_OF[cls.__name__] == "incidents"}


@QUICK
@given(command=records(Command), data=st.data())
def test_no_command_breaks_its_judge(command: Command, data: st.DataObject) -> None:
    """Any fields whatever are refused with an error of ours, or authentic."""
    honest = data.draw(st.sampled_from([each.asked for each in TOLD.verified if each.asked]))
    kind = data.draw(st.sampled_from([honest.kind, command.kind]))
    topic = data.draw(st.sampled_from([TOPIC_OF[honest.kind], command.topic]))
    origin = data.draw(st.sampled_from(["", TOLD.control.genesis]))
    _, fingerprint, body = encode_body(honest.body)
    command = replace(command, kind=kind, topic=topic, origin=origin, scheme="ed25519", fingerprint=fingerprint)
    command = replace(command, body=data.draw(st.sampled_from([body, command.body])), incident=honest.incident)
    for control in (controls.Control(), TOLD.control):
        with suppress(HeadgateError):
            authenticate(control, command)


def test_a_history_read_again_is_the_same_history() -> None:
    """Same commands, same bytes; and folding the output rebuilds the state."""
    again = story.told()
    assert (again.leaves, again.notes) == (TOLD.leaves, TOLD.notes)
    fold = Fold(TOLD.trust)
    for offset, leaf in enumerate(TOLD.leaves):
        fold.add_leaf(offset, leaf)
    for note in TOLD.notes:
        fold.add_checkpoint(fold.open_checkpoint(note))
    assert fold.state == TOLD.state


def test_redelivery_of_any_prefix_adds_nothing() -> None:
    """After each entry, everything that was sent before it may come again."""
    sent: list[bytes] = []
    fold = Fold()
    for offset, leaf in enumerate(TOLD.leaves):
        fold.add_leaf(offset, leaf)
    for note in TOLD.notes:
        for verified in fold.add_checkpoint(fold.open_checkpoint(note)):
            sent += [verified.entry.command] if verified.entry else []
        for command in sent:
            with suppress(KeyRefusedError):  # the key was revoked since, or the ledger has begun
                assert fold.state.decide(rules.CURRENT, fold.state.ask(command), TOLD.at) == []


def read_to_the_first_bad(leaves: list[bytes], notes: list[str]) -> tuple[int, list[Verified]]:
    """Return the index that a reader names as the first bad one, or else the end and what was read."""
    try:
        return len(leaves), read(leaves, notes)
    except LedgerError as error:
        return (-1 if error.index is None else error.index), []


@QUICK
@given(data=st.data())
def test_no_ledger_breaks_its_reader(data: st.DataObject) -> None:
    """Any leaf in any place, any field of an entry, honestly signed: a LedgerError that names a place, or void."""
    index = data.draw(st.integers(1, len(TOLD.leaves) - 1))
    entry = TOLD.verified[index].entry
    wild = data.draw(records(AuditEntry))
    if entry is not None:
        fields = data.draw(st.sets(st.sampled_from(["index", "follows", "at", "rules", "policy", "command", "events"])))
        wild = replace(entry, **{name: getattr(wild, name) for name in fields})
    leaf = data.draw(st.sampled_from([frame(wild), frame(wild)[:-1], TOLD.leaves[index] + b"\0"]))
    leaves = [*TOLD.leaves[:index], leaf, *TOLD.leaves[index + 1 :]]
    notes = resigned(leaves)
    broken, found = read_to_the_first_bad(leaves, data.draw(st.sampled_from([notes, notes[-1:]])))
    assert broken >= index
    assert broken < len(leaves) or leaf == TOLD.leaves[index] or found[index].void


@QUICK
@given(st.binary(max_size=300), st.integers(0, 3))
def test_no_bytes_break_the_first_record(leaf: bytes, keep: int) -> None:
    """Without trust anything may stand first."""
    first = TOLD.leaves[0][: keep * 100] + leaf
    with pytest.raises((LedgerError, KeyRefusedError, SchemaError)):
        read([first], TOLD.notes[:1])
