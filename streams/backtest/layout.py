"""Which column of a table plays which part, and what its features are called in signals."""

from dataclasses import dataclass, replace

from schemas.values import Mode

RESERVED = frozenset(
    {"prediction", "confidence", "score", "error", "residual", "output", "label", "latency", "vector", "requests"}
)
"""Names that signals use for what is not a feature; a feature of that name gets a mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Which column plays which part; every part but the features may be absent."""

    features: tuple[str, ...] = ()
    time: str | None = None
    prediction: str | None = None
    confidence: str | None = None
    label: str | None = None
    groups: tuple[str, ...] = ()
    latency: str | None = None
    version: str | None = None
    instance: str | None = None
    id: str | None = None
    mode: Mode = Mode.REALTIME
    label_delay_ms: int = 0

    def within(self, names: frozenset[str]) -> "Layout":
        """Return the layout of a table that has only these columns."""

        def kept(name: str | None) -> str | None:
            return name if name in names else None

        return replace(
            self,
            time=kept(self.time),
            prediction=kept(self.prediction),
            confidence=kept(self.confidence),
            label=kept(self.label),
            groups=tuple(name for name in self.groups if name in names),
            latency=kept(self.latency),
            version=kept(self.version),
            instance=kept(self.instance),
            id=kept(self.id),
        )

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that is read."""
        single = (self.time, self.prediction, self.confidence, self.label, self.latency, self.version)
        named = [name for name in (*single, self.instance, self.id) if name]
        return tuple(dict.fromkeys([*named, *self.features, *self.groups]))

    @property
    def texts(self) -> tuple[str, ...]:
        """Columns that are text whatever they look like."""
        only = [*self.groups, *(name for name in (self.version, self.instance, self.id) if name)]
        others = {self.time, self.prediction, self.confidence, self.label, self.latency, *self.features}
        return tuple(name for name in only if name not in others)


def marked(feature: str) -> str:
    """Return a feature's name in signals."""
    return f"{feature} (feature)" if feature.lower() in RESERVED else feature


def unmarked(subject: str) -> str:
    """Return the feature that a signal's subject is."""
    return subject.removesuffix(" (feature)")
