"""What the gateway's configuration says, before Envoy reads it."""

import json

import pytest

from schemas.errors import EffectError
from streams.local.gateway import Route, Version, render

TEMPLATE = '{"weights": ${weights}, "routes": ${routes}, "clusters": ${clusters}, "port": ${listener_port}}'


def rendered(*routes: Route) -> dict[str, object]:
    """Render the parts that the code writes and read them as JSON."""
    value: dict[str, object] = json.loads(render(TEMPLATE, routes, ("127.0.0.1", 8080), 9901))
    return value


def test_each_version_is_a_cluster_with_a_runtime_weight() -> None:
    """The route names the runtime keys that the target sets, and the first weights stand in the runtime too."""
    route = Route("shuttle", {"1": Version(0, ("127.0.0.1:1",)), "2": Version(100, ("127.0.0.1:2", "127.0.0.1:3"))})
    parts = rendered(route)
    key = "routing.traffic_split.shuttle"
    assert parts["weights"] == {f"{key}.shuttle-1": 0, f"{key}.shuttle-2": 100}
    assert isinstance(parts["routes"], list)
    assert parts["routes"][0]["route"]["weighted_clusters"]["runtime_key_prefix"] == key
    assert isinstance(parts["clusters"], list)
    ports = [
        endpoint["endpoint"]["address"]["socket_address"]["port_value"]
        for endpoint in parts["clusters"][1]["load_assignment"]["endpoints"][0]["lb_endpoints"]
    ]
    assert ports == [2, 3]


@pytest.mark.parametrize(
    ("model", "version", "weight", "instance"),
    [
        ("a b", "1", 100, "h:1"),
        ("a", "1/2", 100, "h:1"),
        ("a", "1", 99, "h:1"),
        ("a", "1", 100, "h"),
        ("a", "1", 100, ":1"),
    ],
)
def test_what_cannot_be_routed_is_refused(model: str, version: str, weight: int, instance: str) -> None:
    """A name that could escape its key, weights that are no whole, or an instance without port are errors."""
    with pytest.raises(EffectError):
        rendered(Route(model, {version: Version(weight, (instance,))}))
