"""Whatever happens, in whatever order: nobody is left out silently, pages are bounded, answers stop what they must."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from agents.oncall.decide import Refusal
from agents.oncall.escalation import deadline, resolved
from schemas.addressees import webhook
from schemas.avro import decode, encode
from schemas.case.paging import (
    AcknowledgeExpired,
    EscalationExhausted,
    Event,
    PageAcknowledged,
    PageReachedNobody,
    PageSent,
    PageSkipped,
    PagingState,
)
from schemas.escalation import EscalationPolicy, EscalationStep
from tests.paging import Case, policy, step

TARGETS = ("user:ada", "user:grace", "role:legal", "schedule:week", "webhook:siem")
PEOPLE = ("ada", "grace", "alan", "eve")

STEPS = st.builds(
    lambda targets, after, ack, gated: step(
        *targets, after_seconds=after, ack=ack, only_if={"signals": 9, "within_seconds": 60} if gated else None
    ),
    st.lists(st.sampled_from(TARGETS), min_size=1, max_size=3, unique=True),
    st.sampled_from([0, 60, 600]),
    st.sampled_from(["any", "all"]),
    st.sampled_from([False, False, False, True]),
)
POLICIES = st.builds(
    lambda steps, repeat, wait, timeout: policy(
        *steps, step("user:ada"), repeat=repeat, wait_seconds=wait, acknowledge_timeout_seconds=timeout
    ),
    st.lists(STEPS, min_size=0, max_size=3),
    st.integers(0, 5),
    st.sampled_from([10, 600]),
    st.sampled_from([None, 60, 3600]),
)
HELD = st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True).map(tuple)


class Escalation(RuleBasedStateMachine):
    """A case, people who come and go, answers at any moment, and a paging role that sometimes sleeps."""

    @initialize(chosen=POLICIES)
    def begin(self, chosen: EscalationPolicy) -> None:
        """Begin paging."""
        self.case = Case(chosen, {})
        self.pages = 0
        self.open: list[EscalationStep] = []
        self.waited: set[str] = set()
        self.answered: set[str] = set()

    @rule(legal=HELD, week=HELD, boss=HELD, ada=st.booleans())
    def somebody_else_is_there(
        self, legal: tuple[str, ...], week: tuple[str, ...], boss: tuple[str, ...], *, ada: bool
    ) -> None:
        """Change who holds what."""
        held = {"role:legal": legal, "schedule:week": week, "role:boss": boss}
        self.case.persons = held if ada else {**held, "user:ada": ()}

    @rule(late=st.sampled_from([0, 1, 59_000, 7_200_000]))
    def time_acts(self, late: int) -> None:
        """Wake up at the deadline or after it, and act."""
        due = deadline(self.case.paging)
        self.case.now = max(self.case.now, due or 0) + late
        stood = self.case.paging
        self.pages -= stood.state is PagingState.EXHAUSTED
        events = self.case.turn()
        assert events or due is None
        for event in events:
            self._follow(event)
        if stood.state is PagingState.EXHAUSTED:
            assert [type(event) for event in events] == ([] if stood.final else [EscalationExhausted])

    @rule(ahead=st.integers(1, 100))
    def time_is_not_ripe(self, ahead: int) -> None:
        """Before the deadline nothing happens."""
        due = deadline(self.case.paging)
        if due is not None and due - ahead >= self.case.now:
            self.case.now = due - ahead
            assert self.case.turn() == []

    @rule(who=st.sampled_from(PEOPLE))
    def somebody_answers(self, who: str) -> None:
        """Acknowledge; it stops the escalation exactly if nobody else is awaited."""
        stood = self.case.paging
        answer = self.case.acknowledge(who)
        if isinstance(answer, Refusal):
            assert stood.state is PagingState.RESOLVED or who in self.answered
            return
        self.answered.add(who)
        (event,) = answer
        assert isinstance(event, PageAcknowledged)
        for_all = stood.state is PagingState.ACKNOWLEDGED or who in stood.final
        if self.waited - self.answered and not for_all:
            assert self.case.paging.state is stood.state
            assert not event.stops
        elif event.stops:
            assert self.case.paging.state is PagingState.ACKNOWLEDGED
        else:
            # An answer that leaves nobody awaited fails to stop it only while a step that asks all is due this moment.
            assert stood.state is PagingState.TRIGGERED
            assert stood.due is not None
            assert stood.due <= self.case.now
            assert any(one.ack == "all" for one in self.case.policy.steps)

    @rule()
    def it_is_over(self) -> None:
        """Resolve, which ends everything, and begin again as a case that is reopened does."""
        self.case.happened(resolved(self.case.paging, "eve", "fixed", self.case.now))
        assert deadline(self.case.paging) is None
        assert self.case.turn() == []
        self.begin(self.case.policy)

    @invariant()
    def what_follows_lies_ahead_and_the_state_is_a_record(self) -> None:
        """The state round-trips; those awaited are those whom a step that asks all has paged."""
        paging = self.case.paging
        assert decode(type(paging), encode(paging)) == paging
        if paging.state is not PagingState.ACKNOWLEDGED:
            assert set(paging.awaited) == self.waited - self.answered

    def _follow(self, event: Event) -> None:
        rounds = self.case.policy.repeat + 1
        if isinstance(event, AcknowledgeExpired):
            self.pages, self.waited, self.answered = 0, set(), set()
            return
        self.pages += 1
        assert self.pages <= rounds * sum(len(one.targets) for one in self.case.policy.steps) + 2
        if isinstance(event, EscalationExhausted):
            assert event.persons == self.case.resolve("role:boss")
            silent = [one for one in self.case.said if isinstance(one, PageReachedNobody) and one.target == "role:boss"]
            assert event.persons or silent
        elif isinstance(event, PageSent):
            assert event.persons
            assert not set(event.persons) & self.answered
            if self.case.policy.steps[event.step].ack == "all":
                self.waited.update(person for person in event.persons if not webhook(person))
        elif isinstance(event, PageReachedNobody):
            assert event.why
            assert self.case.resolve(event.target) == ()
        else:
            assert isinstance(event, PageSkipped)
            assert event.why


def test_escalation_keeps_its_word_whatever_happens() -> None:
    """No page to nobody silently, bounded pages, an answer stops exactly what it should, the end reaches the end."""
    run_state_machine_as_test(
        Escalation,
        settings=settings(
            max_examples=80, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )


def test_every_target_of_a_round_leaves_a_record() -> None:
    """Where nobody ever answers, each target of each step of each round is paged, missed or skipped, in order."""

    class Alone(Escalation):
        somebody_answers = None
        it_is_over = None

        def teardown(self) -> None:
            """Play to the end and count."""
            if not hasattr(self, "case"):
                return
            self.case.play()
            done: dict[int, list[str]] = {}
            for event in self.case.said:
                if isinstance(event, PageSent | PageReachedNobody | PageSkipped):
                    number = event.round * 100 + event.step
                    targets = [event.target]
                    if event.step < len(self.case.policy.steps) and not event.target:
                        targets = list(self.case.policy.steps[event.step].targets)
                    done.setdefault(number, []).extend(targets)
            assert list(done) == sorted(done)
            for number, targets in done.items():
                if number % 100 < len(self.case.policy.steps):
                    assert tuple(targets) == self.case.policy.steps[number % 100].targets
            assert isinstance(self.case.said[-1], EscalationExhausted)

    run_state_machine_as_test(Alone, settings=settings(max_examples=40, stateful_step_count=12, deadline=None))
