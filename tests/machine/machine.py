"""The state machine: anybody says anything about any case, at any time, and a judge looks at what follows."""

import random
import sys
import time

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.machine.judge import Judge
from tests.machine.words import Speaker
from tests.machine.world import WHO, World

SEEDS = st.integers(0, (1 << 32) - 1)
WAITS = (1, 1_000, 60_000, 700_000, 4_000_000, 90_000_000)


class Tally:
    """How many commands all machines were asked so far, and what followed."""

    steps = 0
    seen: dict[str, int] = {}  # noqa: RUF012 - one tally for all
    phases: set[tuple[str, str]] = set()  # noqa: RUF012 - one tally for all


class CaseMachine(RuleBasedStateMachine):
    """One world; a seed a step, so that a failing run shrinks to the steps that matter."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.judge = Judge(self.world)

    def _ask(self, body: object, who: str | None, rng: random.Random) -> None:
        speaker = Speaker(self.world, rng)
        principal = WHO[who] if who and rng.random() < 0.97 else speaker.who(type(body).__name__)
        if not self.world.acts(principal):
            return
        control = self.world.state.control
        incident = getattr(body, "incident", getattr(body, "id", ""))
        before = self.world.case(incident)
        asked, events = self.world.ask(body, principal)
        self.judge.judge(asked, events, before, control)
        Tally.steps += 1

    @rule(seed=SEEDS)
    def say_anything(self, seed: int) -> None:
        """Say any command, with values that mean something."""
        rng = random.Random(seed)
        self._ask(Speaker(self.world, rng).anything(), None, rng)

    @rule(seed=SEEDS)
    def go_on(self, seed: int) -> None:
        """Say what leads a case on, so that runs get far."""
        rng = random.Random(seed)
        following = Speaker(self.world, rng).next()
        if following is not None:
            self._ask(following[0], following[1], rng)

    @rule(seed=SEEDS)
    def go_far(self, seed: int) -> None:
        """Lead on several times."""
        rng = random.Random(seed)
        for _ in range(8):
            following = Speaker(self.world, rng).next()
            if following is not None:
                self._ask(following[0], following[1], rng)

    @rule(wait=st.sampled_from(WAITS))
    def wait(self, wait: int) -> None:
        """Let time pass."""
        self.world.at += wait

    def teardown(self) -> None:
        """Add up what was seen."""
        for name, count in self.judge.seen.items():
            Tally.seen[name] = Tally.seen.get(name, 0) + count
        Tally.phases |= self.judge.phases


def run(examples: int, steps: int, *, seed: int | None = None, shrink: bool = True) -> None:
    """Run so many worlds of so many steps; without a seed the same ones each time."""
    CaseMachine.TestCase.settings = settings()
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=seed is None,
        database=None,
        phases=(Phase.generate, Phase.shrink) if shrink else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    if seed is not None:
        CaseMachine._hypothesis_internal_use_seed = seed  # type: ignore[attr-defined]
    run_state_machine_as_test(CaseMachine, settings=chosen)


def run_long(wanted: int, seed: int) -> None:
    """Run until so many commands were decided, and say how far it is every few seconds."""
    began, block = time.monotonic(), 0
    while Tally.steps < wanted:
        run(50, 200, seed=seed + block)
        block += 1
        rate = Tally.steps / (time.monotonic() - began)
        print(f"{Tally.steps:,} of {wanted:,} steps, {rate:,.0f} a second, seed {seed + block - 1}", flush=True)
    for name, count in sorted(Tally.seen.items(), key=lambda item: -item[1]):
        print(f"  {count:>9,} {name}")
    print(f"{Tally.steps:,} steps: no rule broken", file=sys.stdout)
