"""What is only now said of rows from before a fault was resolved, as labels do that come late."""

from collections.abc import Iterable

from agents.triage.judge import Judge
from agents.triage.kinship import home
from agents.triage.remembered import Settled
from schemas.signals import SignalRaised


def late(signal: SignalRaised, settled: Iterable[Settled], judge: Judge) -> bool:
    """Whether a signal tells of rows from before its fault was resolved."""
    source = signal.source.topic_id
    return any(
        signal.window_to <= one.at
        and (one.episode.topic_id, signal.model in one.episode.models) == (source, True)
        and home(signal, [one.episode], judge) is not None
        for one in settled
    )
