"""Feeds of the HTTP doors: one a client, so that a sender can be shown what it sent itself."""

import itertools
from collections.abc import Iterator
from urllib.parse import quote

from bridge.core.policy.access import Caller, Role

__all__ = ["Feeds"]

SEES_ALL = frozenset({Role.READER, Role.COMPLIANCE, Role.ADMIN})


class Feeds:
    """Names and counts the inputs of each client of this process.

    There are as many feeds as there are tokens, which the operator wrote.
    """

    def __init__(self, started: str) -> None:
        """Take a name for this run of the process, such as a UUID."""
        self._started = started
        self._numbers: dict[str, Iterator[int]] = {}

    def name(self, caller: Caller) -> str:
        """Such as `http/lab%201/0190...`."""
        return f"{_own(caller)}{self._started}"

    def numbers(self, caller: Caller) -> Iterator[int]:
        """Counts the inputs of the caller's feed; `next` is safe to call from several threads."""
        return self._numbers.setdefault(caller.subject, itertools.count(1))

    @staticmethod
    def visible(caller: Caller) -> str:
        """What the name of a feed begins with whose records the caller may see; empty for all."""
        return "" if caller.roles & SEES_ALL else _own(caller)


def _own(caller: Caller) -> str:
    return f"http/{quote(caller.subject, safe='')}/"
