"""What a model server installs: `Recorder` sends its predictions and labels to Headgate over Kafka."""

from headgate.counters import Counters
from headgate.measure import Measure
from headgate.recorder import Recorder

__all__ = ["Counters", "Measure", "Recorder"]
