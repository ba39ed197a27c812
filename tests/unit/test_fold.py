"""One fold for every reader: any change to a ledger is found, and the first bad index is named."""

from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from agents.ledger.asked import sign
from agents.ledger.fold import Fold, Trust, open_entry
from schemas import commands as c
from schemas.avro import encode
from schemas.codec import frame
from schemas.errors import KeyRefusedError, LedgerError, SchemaError
from schemas.events import ApprovalGiven
from schemas.ledger import EventBody
from schemas.merkle import EMPTY_ROOT
from schemas.note import Checkpoint, Verifier
from schemas.note import sign as sign_note
from tests.ledgers import INCIDENT, Ledger, established, establishment, genesis, key_of, names, read, reason, resigned
from tests.play import approve, authorised, opened, proposal, requested, resolved
from tests.tampering import changed, entry, event, first_bad, forged, took_over


@pytest.fixture(scope="module")
def whole() -> Ledger:
    """A ledger from genesis to resolution."""
    return resolved()


def test_every_reader_finds_the_same(whole: Ledger) -> None:
    """Read with trust or without, leaf by leaf or all at once, the events and the state are those of the writer."""
    for trust, notes in ((None, whole.notes), (whole.trust, whole.notes), (whole.trust, whole.notes[-1:])):
        fold = Fold(trust)
        for offset, leaf in enumerate(whole.leaves):
            fold.add_leaf(offset, leaf)
        found = [each for note in notes for each in fold.add_checkpoint(fold.open_checkpoint(note))]
        assert found == whole.verified
        assert (fold.state, fold.size, fold.next_offset) == (whole.state, len(whole.leaves), len(whole.leaves))
        assert fold.checkpoint is not None
        assert fold.checkpoint.size == fold.size


def test_any_changed_byte_is_found_at_its_index(whole: Ledger) -> None:
    """Each leaf, at a spread of places in it, under trust; and without at some of them."""
    for index, leaf in enumerate(whole.leaves):
        for number, place in enumerate(range(0, len(leaf), max(1, len(leaf) // 12))):
            bad = leaf[:place] + bytes([leaf[place] ^ 1]) + leaf[place + 1 :]
            leaves = [*whole.leaves[:index], bad, *whole.leaves[index + 1 :]]
            assert first_bad(leaves, whole.notes, whole.trust) == index
            if number % 4:
                continue
            with pytest.raises((LedgerError, KeyRefusedError)) as caught:
                read(leaves, whole.notes)
            if index:  # the genesis names the key that signs: without trust another key is all that is seen
                assert getattr(caught.value, "index", None) == index


def test_a_removed_entry_is_found(whole: Ledger) -> None:
    """Missing at its offset, or with the others moved up."""
    for index in range(1, len(whole.leaves)):
        leaves = whole.leaves[:index] + whole.leaves[index + 1 :]
        if index < len(leaves):
            assert first_bad(leaves, whole.notes, whole.trust) == index
    fold = Fold()
    fold.add_leaf(0, whole.leaves[0])
    with pytest.raises(LedgerError, match="missing") as caught:
        fold.add_leaf(2, whole.leaves[2])
    assert caught.value.index == 1


def test_swapped_entries_are_found(whole: Ledger) -> None:
    """The first of the two is named."""
    for index in range(len(whole.leaves) - 1):
        leaves = list(whole.leaves)
        leaves[index], leaves[index + 1] = leaves[index + 1], leaves[index]
        assert first_bad(leaves, whole.notes, whole.trust) == index


def test_a_cut_tail_shows_in_its_checkpoint(whole: Ledger) -> None:
    """A checkpoint that covers leaves that are not there waits for them, and nothing after the cut is believed."""
    cut = len(whole.leaves) - 3
    fold = Fold(whole.trust)
    for offset, leaf in enumerate(whole.leaves[:cut]):
        fold.add_leaf(offset, leaf)
    for note in whole.notes:
        fold.add_checkpoint(fold.open_checkpoint(note))
    assert fold.size == cut
    for offset in range(cut, len(whole.leaves)):
        fold.add_leaf(offset, whole.leaves[offset])
    assert len(fold.add_checkpoint(fold.open_checkpoint(whole.notes[-1]))) == 3


def test_a_coarse_checkpoint_names_the_first_of_its_leaves(whole: Ledger) -> None:
    """Which of the leaves differs cannot be known from one root."""
    leaves = [*whole.leaves]
    leaves[7] = leaves[7] + b"x"
    assert first_bad(leaves, [whole.notes[3], whole.notes[-1]], whole.trust) == 4
    assert first_bad(leaves, whole.notes, whole.trust) == 7


def test_an_older_checkpoint_says_nothing_new_but_a_second_history_is_found(whole: Ledger) -> None:
    """Of one size there is one tree; the log that signed two is caught, and nothing is read any more."""
    fold = Fold(whole.trust)
    fold.add_leaf(0, whole.leaves[0])
    fold.add_leaf(1, whole.leaves[1])
    newest = fold.open_checkpoint(whole.notes[1])
    assert len(fold.add_checkpoint(newest)) == 2
    assert fold.add_checkpoint(newest) == []
    assert fold.add_checkpoint(fold.open_checkpoint(whole.notes[0])) == []
    with pytest.raises(LedgerError, match="two histories"):
        fold.add_checkpoint(Checkpoint("play", 2, EMPTY_ROOT))
    with pytest.raises(LedgerError, match="two histories"):
        fold.add_checkpoint(newest)


def test_a_checkpoint_counts_only_when_the_log_signed_it(whole: Ledger) -> None:
    """Another key, another origin and a malformed note are refused."""
    fold = Fold(whole.trust)
    fold.add_leaf(0, whole.leaves[0])
    with pytest.raises(KeyRefusedError):
        fold.open_checkpoint(resigned(whole.leaves[:1], "other")[0])
    with pytest.raises(LedgerError):
        fold.open_checkpoint(b"no note")
    checkpoint = fold.next_checkpoint("elsewhere")
    with pytest.raises(LedgerError, match="of elsewhere, not of play"):
        fold.open_checkpoint(sign_note(checkpoint, "play", key_of("log")))


def test_a_forked_ledger_with_fresh_keys_fails_under_trust() -> None:
    """Consistent in itself, it is not the ledger that is trusted."""
    forged = Ledger(log="other")
    log_key = Verifier("play", key_of("other").public).to_vkey()
    forged.ask(establishment(log_key=log_key), "ada")
    assert len(read(forged.leaves, forged.notes)) == 1
    trust = established().trust
    with pytest.raises(KeyRefusedError):
        read(forged.leaves, forged.notes, trust)
    assert first_bad(forged.leaves, resigned(forged.leaves), trust) == 0


def test_an_approval_by_a_key_that_nobody_enrolled_is_found() -> None:
    """Even with an honest tree signed by the log."""
    ledger = requested()
    body = c.Approve(incident=INCIDENT, plan=ledger.plan, reason="forged")
    genuine = ledger.compose(ledger.statement(body, "max"))
    assert genuine is not None
    at = len(ledger.leaves)
    for who, key in (("mallory", "mallory"), ("mallory", "max"), ("eva", "max")):
        command = sign(body, ledger.control.genesis, key_of(who))
        forged = replace(genuine, command=encode(replace(command, key=key_of(key).key_id)))
        leaves = [*ledger.leaves, frame(forged)]
        assert first_bad(leaves, resigned(leaves), ledger.trust) == at


def test_a_decision_that_was_changed_and_honestly_signed_is_found(whole: Ledger) -> None:
    """The log's own key cannot make a decision follow that does not."""
    refused = requested()
    assert reason(approve(refused, "eva")) == "wrong_role"
    index = len(refused.leaves) - 1
    approvals = (one for found in authorised().verified for one in found.events if isinstance(one, ApprovalGiven))
    given = event(replace(next(approvals), principal="p-eva"))
    for changes in (
        {"events": (given,), "outcome": "accepted"},
        {"events": ()},
        {"outcome": "accepted"},
        {"policy": ""},
        {"rules": 2},
        {"at": refused.at - 1},
    ):
        leaves = changed(refused, index, **changes)
        assert first_bad(leaves, resigned(leaves), refused.trust) == index
    for number in range(1, len(whole.leaves)):
        leaves = changed(whole, number, outcome="refused")
        assert first_bad(leaves, resigned(leaves), whole.trust) == number


def test_a_later_time_that_changes_a_decision_is_found() -> None:
    """The approval of a plan depends on when it was given."""
    ledger = requested()
    approve(ledger, "max")
    leaves = changed(ledger, len(ledger.leaves) - 1, at=ledger.at + 10**8)
    assert first_bad(leaves, resigned(leaves)) == len(leaves) - 1


def test_a_statement_that_stands_twice_is_found() -> None:
    """An honest registrar never records the same statement again."""
    ledger = opened()
    last = entry(ledger, len(ledger.leaves) - 1)
    again = replace(last, index=last.index + 1, follows=last.index)
    leaves = [*ledger.leaves, frame(again)]
    assert first_bad(leaves, resigned(leaves)) == again.index


def test_a_command_that_is_none_is_found(whole: Ledger) -> None:
    """Its bytes must be a command."""
    leaves = changed(whole, 5, command=b"\xff")
    assert first_bad(leaves, resigned(leaves)) == 5


@pytest.mark.parametrize("kind", ["RegistrarTookOver", "LedgerEstablished", "Unknown"])
@pytest.mark.parametrize("data", [b"", b"\xff" * 20])
def test_an_event_that_does_not_decode_is_no_crash(kind: str, data: bytes) -> None:
    """Whatever an entry claims, a reader raises a LedgerError and nothing else."""
    ledger = opened()
    bad = forged(ledger, events=(EventBody(type=kind, fingerprint=b"12345678", body=data),))
    leaves = [*ledger.leaves, bad]
    assert first_bad(leaves, resigned(leaves)) == len(ledger.leaves)
    known = took_over(1)
    bad = forged(ledger, events=(replace(known, body=data), known))
    leaves = [*ledger.leaves, bad]
    assert first_bad(leaves, resigned(leaves)) == len(ledger.leaves)


@pytest.mark.parametrize(
    "first",
    [b"", b"\xff", "later", "no-events", "other-event", "weak-log"],
)
def test_a_ledger_that_does_not_begin_with_its_establishment_is_none(first: object, whole: Ledger) -> None:
    """Without trust the first record must say which key signs."""
    establish = entry(whole, 0)
    leaf = {
        "later": whole.leaves[1],
        "no-events": frame(replace(establish, events=())),
        "other-event": frame(replace(establish, events=entry(whole, 1).events)),
        "weak-log": frame(
            replace(establish, events=(event(replace(whole.verified[0].events[0], log_key="x")),))  # type: ignore[type-var]
        ),
    }.get(str(first), first)
    assert isinstance(leaf, bytes)
    fold = Fold()
    with pytest.raises(LedgerError, match="does not establish"):
        fold.open_checkpoint(whole.notes[0])
    fold.add_leaf(0, leaf)
    with pytest.raises(LedgerError, match="does not establish") as caught:
        fold.open_checkpoint(whole.notes[0])
    assert caught.value.index == 0


@pytest.mark.parametrize("changes", [{"index": 1}, {"follows": 0}])
def test_a_first_record_that_is_void_is_no_ledger(whole: Ledger, changes: dict[str, Any]) -> None:
    """Even where it is the one that is trusted, and honestly signed."""
    leaves = [frame(replace(entry(whole, 0), **changes))]
    trust = Trust(genesis=sha256(leaves[0]).hexdigest(), log=whole.trust.log)
    assert first_bad(leaves, resigned(leaves), trust) == 0


def test_an_entry_is_opened_at_its_offset_alone(whole: Ledger) -> None:
    """The index that it names is part of it."""
    assert open_entry(whole.leaves[2], 2).index == 2
    with pytest.raises(SchemaError, match="stands at 3"):
        open_entry(whole.leaves[2], 3)


def test_a_plan_proposed_in_other_bytes_is_another_plan() -> None:
    """A plan that was changed in the ledger and re-signed is found, and its approval would not fit."""
    ledger = authorised()
    index = next(each.index for each in ledger.verified if names(list(each.events)) == ["PlanProposed"])
    plan = replace(ledger.verified[index].events[0], dry_run="nothing moves")  # type: ignore[type-var]
    leaves = changed(ledger, index, events=(event(plan),))
    assert first_bad(leaves, resigned(leaves)) == index
    assert genesis().ask(proposal(), "remediation")
