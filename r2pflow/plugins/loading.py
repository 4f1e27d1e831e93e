"""Find the plugins of this installation and let each register what it brings."""

from collections.abc import Callable, Iterable
from importlib.metadata import EntryPoint, entry_points

from r2pflow.domain.errors import R2PFlowError, SetupError
from r2pflow.plugins.registry import Registry

GROUP = "r2pflow.plugins"
BUILT_IN = EntryPoint(name="builtin", value="r2pflow.plugins.builtin:register", group=GROUP)


def load_plugins(extra: Iterable[Callable[[Registry], None]] = ()) -> Registry:
    """Return the registry with the built-ins, the entry points of the group, and `extra`, in that order.

    Refuses with SetupError, naming the plugin, when one cannot be imported or fails while it registers.
    """
    registry = Registry()
    registry.built_in = _name(BUILT_IN)
    found = {point.value: point for point in entry_points(group=GROUP)}
    found.pop(BUILT_IN.value, None)  # in a checkout that is not installed nobody announces the built-ins
    for point in (BUILT_IN, *sorted(found.values(), key=lambda point: (point.name, point.value))):
        _register(registry, _load(point), _name(point))
    for function in extra:
        _register(registry, function, f"{function.__module__}:{function.__qualname__}")
    return registry


def _name(point: EntryPoint) -> str:
    dist = point.dist
    return f"{dist.name} {dist.version}" if dist is not None else "r2pflow"


def _load(point: EntryPoint) -> Callable[[Registry], None]:
    try:
        found = point.load()
    except Exception as error:
        raise SetupError(
            "plugin_not_importable",
            plugin=point.name,
            target=point.value,
            provider=_name(point),
            found=f"{type(error).__name__}: {error}",
        ) from error
    if not callable(found):
        raise SetupError("plugin_target_not_callable", name=point.name, target=point.value, provider=_name(point))
    return found


def _register(registry: Registry, function: Callable[[Registry], None], provider: str) -> None:
    with registry.provided_by(provider):
        try:
            function(registry)
        except R2PFlowError:
            raise
        except Exception as error:
            raise SetupError("plugin_failed", provider=provider, found=f"{type(error).__name__}: {error}") from error
