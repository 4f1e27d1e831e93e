"""The built-in effects of transitions, by the names that workflows use."""

from r2pflow.services.publishing import publish_effect as publish
from r2pflow.services.publishing import withdraw_effect as withdraw

__all__ = ["publish", "withdraw"]
