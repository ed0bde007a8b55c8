"""Pulling: every page once, from where it stopped, never from another server."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest

from bridge.core.errors import BridgeError, Fault
from bridge.flows.pull import Page, Progress, pull, types_of


class MemoryUpstream:
    """The port `Upstream`; two resources a page, newest last; can be cut and can forget."""

    base = "https://up.example/fhir/"

    def __init__(self, *updated: str) -> None:
        self.updated = list(updated)
        self.asked: list[str] = []
        self.forgets = False
        self.next_on = self.base

    def get(self, url: str) -> bytes:
        """A page, or the CapabilityStatement."""
        self.asked.append(url)
        if url == "metadata":
            return json.dumps(STATEMENT).encode()
        query = parse_qs(urlsplit(url).query)
        start = int(query.get("page", ["0"])[0])
        if self.forgets and start:
            raise BridgeError("upstream-gone", Fault.PEER, what="gone", where="x", do="y")
        since = query.get("_lastUpdated", ["ge"])[0].removeprefix("ge")
        kept = [one for one in self.updated if one >= since]
        links = [{"relation": "self", "url": url}]
        if start + 2 < len(kept):
            link = f"{self.next_on}Patient?page={start + 2}&_lastUpdated=ge{since}"
            links.append({"relation": "next", "url": link})
        entries = [
            {"resource": {"resourceType": "Patient", "meta": {"lastUpdated": moment}}}
            for moment in kept[start : start + 2]
        ]
        bundle = {"resourceType": "Bundle", "type": "searchset", "link": links, "entry": entries}
        return json.dumps(bundle).encode()


STATEMENT = {
    "rest": [
        {
            "resource": [
                {"type": "Patient", "interaction": [{"code": "read"}, {"code": "search-type"}]},
                {"type": "Binary", "interaction": [{"code": "read"}]},
            ]
        }
    ]
}


class Puller:
    """A node's side of pulls: what it was handed, how far it came."""

    def __init__(self, upstream: MemoryUpstream) -> None:
        self.upstream = upstream
        self.progress: dict[str, Progress] = {}
        self.pages: list[Page] = []
        self.cut_after: int | None = None

    def run(self) -> int:
        """One pull; resources that it brought."""
        done = pull(
            ["Patient"],
            upstream=self.upstream,
            progress=dict(self.progress),
            hand_on=self.take,
            save=self.progress.__setitem__,
            count=2,
        )
        return sum(one.resources for one in done)

    def take(self, page: Page) -> None:
        """Store, or be cut off."""
        if self.cut_after is not None and len(self.pages) >= self.cut_after:
            raise BridgeError("node-unreachable", Fault.PEER, what="down", where="x", do="y")
        self.pages.append(page)

    def moments(self) -> list[str]:
        """Of every resource that was handed on, in order."""
        bundles = [json.loads(page.body) for page in self.pages]
        return [e["resource"]["meta"]["lastUpdated"] for b in bundles for e in b["entry"]]


def moments(*days: int) -> list[str]:
    """Instants of November 2026."""
    return [f"2026-11-{day:02}T00:00:00.000+00:00" for day in days]


def test_every_page_is_handed_on_as_it_came() -> None:
    """All pages in order, and the newest moment is remembered."""
    puller = Puller(MemoryUpstream(*moments(1, 2, 3, 4, 5)))

    count = puller.run()

    assert count == 5
    assert puller.moments() == moments(1, 2, 3, 4, 5)
    assert puller.progress["Patient"] == Progress(since=moments(5)[0])


def test_next_pull_asks_only_for_what_is_not_older() -> None:
    """The newest moment comes again, because more may carry it; nothing else does."""
    puller = Puller(MemoryUpstream(*moments(1, 2, 3)))
    puller.run()
    puller.pages.clear()
    puller.upstream.updated += moments(4)

    puller.run()

    assert puller.moments() == moments(3, 4)


def test_pull_that_was_cut_off_goes_on_with_the_page_that_was_due() -> None:
    """No page before it is asked for again, and none is left out."""
    puller = Puller(MemoryUpstream(*moments(1, 2, 3, 4, 5)))
    puller.cut_after = 1
    with pytest.raises(BridgeError, match="down"):
        puller.run()
    puller.cut_after = None
    puller.upstream.asked.clear()

    puller.run()

    assert puller.moments() == moments(1, 2, 3, 4, 5)
    assert len(puller.upstream.asked) == 2


def test_search_that_the_upstream_forgot_starts_over() -> None:
    """An expired page link costs a repetition, not the pull."""
    puller = Puller(MemoryUpstream(*moments(1, 2)))
    puller.progress["Patient"] = Progress(next=MemoryUpstream.base + "Patient?page=2")
    puller.upstream.forgets = True

    puller.run()

    assert puller.moments() == moments(1, 2)


def test_next_page_on_another_server_is_refused() -> None:
    """The token goes with each request: it must not be led elsewhere."""
    puller = Puller(MemoryUpstream(*moments(1, 2, 3)))
    puller.upstream.next_on = "https://evil.example/fhir/"

    with pytest.raises(BridgeError, match="the next page is on another server"):
        puller.run()


def test_pages_that_lead_in_a_circle_are_refused() -> None:
    """A pull ends."""

    class Circle(MemoryUpstream):
        def get(self, url: str) -> bytes:
            del url
            link = [{"relation": "next", "url": "Patient?page=1"}]
            return json.dumps(
                {"resourceType": "Bundle", "type": "searchset", "link": link}
            ).encode()

    with pytest.raises(BridgeError, match="round in a circle"):
        Puller(Circle()).run()


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"[" * 100_000, b'{"resourceType":"Patient"}'])
def test_answer_that_is_no_page_is_refused(body: bytes) -> None:
    """An error page of a proxy is not taken for data."""

    class Odd(MemoryUpstream):
        def get(self, url: str) -> bytes:
            del url
            return body

    with pytest.raises(BridgeError, match=r"\(Patient\) - look at what the upstream answers"):
        Puller(Odd()).run()


def test_types_are_those_that_can_be_searched() -> None:
    """What the CapabilityStatement offers, no guess."""
    assert types_of(MemoryUpstream()) == ("Patient",)
