"""Whatever causes people record, in whatever order: the fault tree stays a tree, and its roots its ends."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.ledger.asked import Asked
from agents.ledger.case import evolve
from agents.ledger.decisions import learn
from schemas.case.learning import CauseKind
from schemas.events import Refused
from schemas.values import Role
from tests.learnt import cause
from tests.play import opened

LEDGER = opened()
NAMES = [f"c-{number}" for number in range(6)]
SAID = st.tuples(st.sampled_from(NAMES), st.sampled_from([None, *NAMES]), st.sampled_from(CauseKind))


@settings(deadline=None, max_examples=100)
@given(st.lists(SAID, max_size=30))
def test_the_whys_end_and_nothing_explains_a_root(said: list[tuple[str, str | None, CauseKind]]) -> None:
    """From every cause the chain of what it explains ends at the incident; a refused word changes nothing."""
    case = LEDGER.case
    for name, parent, kind in said:
        body = cause(cause=name, parent=parent, kind=kind)
        asked = Asked(
            kind="RecordCause",
            incident=case.incident,
            body=body,
            principal="p-max",
            key="k",
            roles=frozenset({Role.ML_MANAGER}),
            statement="00" * 32,
        )
        (event,) = learn.decide(LEDGER.control, case, asked, LEDGER.at) or ()
        changed = evolve(case, event, LEDGER.at)
        assert changed is not None
        assert not isinstance(event, Refused) or changed.learning == case.learning
        case = changed
    causes = case.learning.causes
    for name in causes:
        seen, at = set(), name
        while (parent := causes[at].parent) is not None:
            assert at not in seen
            assert causes[parent].kind is not CauseKind.ROOT
            seen.add(at)
            at = parent
    assert set(case.learning.roots) == {name for name, node in causes.items() if node.kind is CauseKind.ROOT}
