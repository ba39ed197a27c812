"""A run of drills: one warm-up for all, then scene after scene. It breaks things and speaks for people, no more."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from agents.drills import script
from agents.drills.here import without
from agents.drills.milestones import reached
from agents.drills.played import Done, Happened, Played
from agents.drills.saying import ready
from agents.drills.script import Standing
from agents.ledger.case import Case
from schemas.case.paging import PagingState
from schemas.drills import Scenario, Step
from schemas.errors import HeadgateError
from streams.clock import now_ms
from streams.demo.timeline import Timeline
from streams.drills.place import Place, Turn
from streams.drills.watch import Watch

WARM_ROWS = 2500
QUIET_ROWS = 3000
_WITHIN = 180.0
_STALLED_AFTER = 45.0
_POLL = 0.05
_REQUESTS_UP_TO = 1000.0  # times as fast as life
_ON_THE_WAY = 5.0
_SHORT_MS = 300  # a wait that is not worth a change of the clock


@dataclass(slots=True)
class _Scene:
    """One scenario being played; `playing` lacks what nobody will do any more."""

    name: str
    scenario: Scenario
    playing: Scenario
    begun_at: int
    rows: int
    done: list[Done] = field(default_factory=list)
    faults: dict[str, list[str]] = field(default_factory=dict)
    fault_at: int | None = None
    silent: bool = False
    moved: tuple[int, float] = (0, 0.0)


class Play:
    """Plays the scenes of a place, one after another; a context manager that ends the traffic."""

    def __init__(self, place: Place, timeline: Timeline) -> None:
        self._place = place
        self._world = place.world
        self._timeline = timeline
        self._watch = Watch(place, timeline)
        self._ledger = self._watch.ledger
        self._before = len(self._ledger.entries), frozenset(self._ledger.state.cases)
        self._running: tuple[float, int | None] = (1.0, None)
        self._cold: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._world.stop_traffic()
        self._watch.close()

    def warm_up(self) -> None:
        """Send requests until the monitor of each version knows what is normal."""
        self._world.start_traffic()
        self._timeline.say("requests flow; the monitors learn what is normal")
        self._wait("the monitors know what is normal", self._warmed)
        self._timeline.say(f"every version is watched: {self._judged():,} rows judged")

    def quiet(self, *names: str) -> tuple[Played, ...]:
        """Send the same requests with nothing wrong for a while, and return these scenes, or all, as they were left."""
        scenes = [self._scene(name) for name in names or self._place.scenarios]
        self._timeline.say("nothing breaks, and nobody says anything")
        self._world.ask_only(model for one in scenes for model in one.scenario.served)
        enough = self._judged() + QUIET_ROWS * sum(len(_versions(one.scenario)) for one in scenes)
        begun = self._judged()
        self._wait("nothing happens", lambda: (self._judged() - begun) / (enough - begun))
        return tuple(self._played(scene, faulty=False) for scene in scenes)

    def scene(self, name: str, speed: float | None = None) -> Played:
        """Play a scenario to its end, and return what happened."""
        self._come_to_rest(name)
        scene = self._scene(name)
        self._place.call(self._ledger, name)
        try:
            while True:
                self._watch.listen(_POLL)
                standing, now = self._standing(scene), now_ms()
                asked = script.asks(scene.playing, standing, now, speed)
                cases = self._cases(scene.scenario)
                steps = [step for step in asked.due if ready(step, cases)]
                if asked.over or self._stalled(scene, standing, waits=asked.until is not None or bool(steps)):
                    break
                if asked.rate > _REQUESTS_UP_TO:
                    self._fall_silent(scene)
                self._run_clock(asked.rate, asked.until, now)
                any(self._take(scene, step, standing) for step in steps)  # what others find may depend on the first
        finally:
            self._run_clock(1.0, None, now_ms())
            for keys in scene.faults.values():
                for key in keys:
                    self._world.end(key)
        return self._played(scene, faulty=True)

    def _come_to_rest(self, name: str) -> None:
        """Ask the scene's models alone, so that detection looks at them, and wait until it is up to date."""
        scenario = self._place.scenarios[name]
        self._timeline.say(f"{name}: {scenario.title}")
        self._world.ask_only(scenario.served)
        begun = now_ms()
        self._wait("detection is up to date", lambda: self._watch.fresh(begun, _versions(scenario)))

    def _scene(self, name: str) -> _Scene:
        scenario = self._place.scenarios[name]
        self._watch.systems, self._watch.models = tuple(scenario.systems), tuple(scenario.served)
        return _Scene(name, scenario, scenario, now_ms(), self._rows(scenario))

    def _take(self, scene: _Scene, step: Step, standing: Standing) -> bool:
        """Let faults begin and end, and a person speak; return whether the step needs no more attention."""
        world, spoke = self._world, None
        if step.by is not None:
            since = script.due_at(step, standing) or scene.begun_at
            turn = Turn(scene=scene.name, step=step, since=since, cases=self._cases(scene.scenario))
            spoke = self._place.speak(self._ledger, turn)
            if spoke is None:
                return False
        if spoke is not None and spoke.told:
            self._timeline.say(spoke.told, "person")
        if spoke is not None and spoke.done is None:
            scene.playing = without(scene.playing, (step.name,))
            return True
        if step.tells:
            self._timeline.say(step.tells, "fault" if step.faults else "person")
        for number, fault in enumerate(step.faults):
            key = f"{scene.name}.{step.name}.{number}"
            scene.faults.setdefault(step.name, []).append(key)
            world.begin(key, fault)
            scene.fault_at = scene.fault_at if scene.fault_at is not None else now_ms()
        for mended in step.mends:
            for key in scene.faults.pop(mended, []):
                world.end(key)
        scene.done.append(spoke.done if spoke and spoke.done else Done(step=step.name, at=now_ms()))
        return True

    def _standing(self, scene: _Scene) -> Standing:
        happened = self._happened(scene.name)
        moments = {"start": scene.begun_at}
        for incident in dict.fromkeys(one.incident for one in happened if one.incident):
            for moment, at in reached(happened, incident).items():
                moments[moment] = min(moments.get(moment, at), at)
        cases = self._cases(scene.scenario)
        return Standing(
            moments=moments,
            done={one.step: one.at for one in scene.done},
            phases=tuple(case.phase.value for case in cases),
            categories=tuple(case.category.value for case in cases),
            paged=any(_is_paged(case) for case in cases),
            latest=max([scene.begun_at, *(one.at for one in happened), *(one.at for one in scene.done)]),
        )

    def _cases(self, scenario: Scenario) -> tuple[Case, ...]:
        mine = [
            case
            for case in self._ledger.state.cases.values()
            if case.system in scenario.systems and case.incident not in self._before[1]
        ]
        return tuple(sorted(mine, key=lambda case: (case.opened_at, case.incident)))

    def _happened(self, name: str) -> list[Happened]:
        """Return the events of a scene's incidents, and what else its people asked for."""
        mine = {case.incident for case in self._cases(self._place.scenarios[name])}
        return [
            Happened(
                entry=found.index,
                at=found.entry.at,
                incident=found.asked.incident,
                by=found.asked.principal,
                event=event,
            )
            for found in self._ledger.entries[self._before[0] :]
            if found.entry is not None and found.asked is not None
            if found.asked.incident in mine or self._place.counts(name, found)
            for event in found.events
        ]

    def _played(self, scene: _Scene, *, faulty: bool) -> Played:
        done = {one.step: one.at for one in scene.done}
        return Played(
            name=scene.name,
            scenario=scene.scenario,
            faulty=faulty,
            begun_at=scene.begun_at,
            ended_at=now_ms(),
            fault_at=scene.fault_at,
            rows=self._rows(scene.scenario) - scene.rows,
            cases=self._cases(scene.scenario),
            happened=tuple(self._happened(scene.name)),
            done=tuple(scene.done),
            left=script.left(scene.scenario, Standing(moments={}, done=done)),
            names=self._place.names(scene.name),
            pipeline=self._place.pipeline,
            dropped=self._place.dropped.get(scene.name, ()),
        )

    def _stalled(self, scene: _Scene, standing: Standing, *, waits: bool) -> bool:
        """Whether nothing has come of it for so long that nothing will; what has a time is waited for."""
        moved = len(standing.moments) + len(standing.done)
        if moved != scene.moved[0] or waits:
            scene.moved = moved, time.monotonic()
        return time.monotonic() - scene.moved[1] > _STALLED_AFTER

    def _fall_silent(self, scene: _Scene) -> None:
        """Ask nobody for the rest of the scene: at such a rate, a second on the way would be hours by the clock."""
        if scene.silent:
            return
        scene.silent = True
        self._world.ask_only(())
        quiet = time.monotonic() + _ON_THE_WAY
        while time.monotonic() < quiet:
            self._watch.listen(_POLL)

    def _run_clock(self, rate: float, until: int | None, now: int) -> None:
        """Let the clock run so fast, up to one of its times at most; a short wait is left as it is."""
        if until is not None and until - now < _SHORT_MS:
            return
        if (rate, until) != self._running:
            self._place.run_clock(rate, until)
            self._running = rate, until

    def _rows(self, scenario: Scenario) -> int:
        return sum(rows for (model, _), rows in self._world.rows().items() if model in scenario.served)

    def _judged(self) -> int:
        return sum(one.rows for one in self._watch.observed.values())

    def _warmed(self) -> float:
        """Return how warm the coldest version is; scenes whose versions all are, are asked no more."""
        clear = {
            name: min(self._watch.judged(*key) for key in _versions(scenario)) / WARM_ROWS
            for name, scenario in self._place.scenarios.items()
        }
        cold = [name for name, share in clear.items() if share < 1]
        if cold != self._cold:
            self._cold = cold
            self._world.ask_only(model for name in cold for model in self._place.scenarios[name].served)
        return min(clear.values())

    def _wait(self, what: str, share: Callable[[], float]) -> None:
        deadline = time.monotonic() + _WITHIN
        with self._timeline.waiting(what) as advance:
            while (done := share()) < 1:
                advance(done)
                self._watch.listen(2 * _POLL)
                if time.monotonic() > deadline:
                    logs = self._place.settings.var / "log"
                    raise HeadgateError(f"waited {_WITHIN:.0f} s in vain: {what} ({done:.0%}); the logs are in {logs}")


def _versions(scenario: Scenario) -> list[tuple[str, str | None]]:
    """Return the versions that are served, by model; None for the one version of a model that declares none."""
    return [
        (name, version)
        for system in scenario.systems.values()
        for name, model in system.models.items()
        for version in (model.versions or (None,))
    ]


def _is_paged(case: Case) -> bool:
    active = case.pages.active()
    return active is not None and active.paging.state is PagingState.TRIGGERED
