"""The MLLP door: one process of listeners, its connections, and the group commit behind them."""

from workers.mllp.feed import FeedCounters, FeedEvent, Limits, Listener
from workers.mllp.server import MllpServer, run

__all__ = ["FeedCounters", "FeedEvent", "Limits", "Listener", "MllpServer", "run"]
