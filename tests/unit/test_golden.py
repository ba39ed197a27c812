"""Released rules stay as they were: a ledger of each version is executed again to the same bytes.

Before a version of the rules is released, `python -m tests.story` writes its golden ledger anew; afterwards a change
that makes these tests fail belongs into the next version of the rules.
"""

import json

import pytest

from agents.ledger import rules
from agents.ledger.fold import Fold
from agents.ledger.state import Place, execute
from schemas import commands, events
from schemas.avro import decode
from schemas.codec import frame
from schemas.ledger import Command
from tests import story
from tests.ledgers import Ledger, read


def golden(version: int) -> tuple[list[bytes], list[str]]:
    """Return leaves and checkpoints of the golden ledger of a version."""
    document = json.loads(story.path(version).read_text("utf-8"))
    return [bytes.fromhex(leaf) for leaf in document["leaves"]], document["notes"]


@pytest.fixture(scope="module")
def told() -> Ledger:
    """The story as today's code tells it."""
    return story.told()


@pytest.mark.parametrize("version", sorted(rules.RULES))
def test_every_version_of_the_rules_decides_as_it_did(version: int) -> None:
    """Each leaf that counts is made again, byte for byte, from its command, its place and what came before."""
    leaves, notes = golden(version)
    fold = Fold()
    for offset, leaf in enumerate(leaves):
        fold.add_leaf(offset, leaf)
    made = Fold()
    for verified in (each for note in notes for each in fold.add_checkpoint(fold.open_checkpoint(note))):
        entry, asked = verified.entry, verified.asked
        if entry is None or asked is None:
            assert verified.void
            continue
        place = Place(command=entry.command, source=entry.source, index=entry.index, at=entry.at, rules=entry.rules)
        again = execute(made.state, asked, place)
        assert again is not None
        assert frame(again[0]) == verified.leaf
        made.state.apply(again[0], asked, again[1], verified.leaf)
    assert made.state == fold.state
    assert fold.size == len(leaves)


def test_the_golden_ledger_of_the_rules_in_force_is_the_story(told: Ledger) -> None:
    """Where this fails before a release: `python -m tests.story`; after it: new rules get a new version."""
    assert golden(rules.CURRENT) == (told.leaves, told.notes)


@pytest.mark.parametrize("version", sorted(rules.RULES))
def test_every_event_and_command_occurs_in_it(version: int) -> None:
    """No decider could change unseen: each event type, each command, each way of a plan to end, a void leaf."""
    leaves, notes = golden(version)
    verified = read(leaves, notes)
    found = [event for each in verified for event in each.events]
    entries = [each.entry for each in verified if each.entry]
    assert {type(event).__name__ for event in found} == {record.__name__ for record in events.RECORDS}
    kinds = {decode(Command, entry.command).kind for entry in entries}
    assert kinds >= {record.__name__ for record in commands.RECORDS} - {"EstablishLedger"}
    ends = {event.why for event in found if isinstance(event, events.PlanEnded)}
    assert ends >= {"denied", "expired", "revoked", "target_changed", "regressed"}
    assert any(each.void for each in verified)
    assert {entry.rules for entry in entries} == {version}


def test_the_story_is_told_the_same_each_time(told: Ledger) -> None:
    """Nothing in it is random or of the clock."""
    assert story.told().leaves == told.leaves
