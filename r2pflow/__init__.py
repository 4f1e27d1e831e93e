"""r2pflow: carry a coalition's documents from draft to signed-off PDF by workflows configured in YAML."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from r2pflow.extension import R2PFlow

__all__ = ["R2PFlow", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    if name == "R2PFlow":
        from r2pflow.extension import R2PFlow  # loaded on first use: the core must not pull in Flask

        return R2PFlow
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
