"""Senders as integration engines are: what was not acknowledged is sent again, for ever."""

import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import httpx

from adapters.hl7v2.mllp import Frame, Framer, frame

__all__ = ["Door", "Engine", "HttpDoor", "Letter", "MllpDoor", "letters", "send_all"]

ANSWER_WITHIN_S = 15.0
"""Then the connection is given up and everything on it is sent again."""
PAUSE_S = 0.1
"""Before a message is sent again, so that a node that is down is not flooded with attempts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One message; within a patient, `step` counts up with each update, and a result repeats it."""

    control: str
    patient: str
    step: int
    raw: bytes
    retires: str = ""
    """The patient that this message merges into its own."""

    @property
    def patients(self) -> tuple[str, ...]:
        """In whose order it stands."""
        return tuple(one for one in (self.patient, self.retires) if one)


GUEST_EVERY = 20
"""Of so many messages the last three are a guest's: he comes, is updated, and is merged away."""


def letters(
    sender: str, count: int, *, patients: int = 5, merges: bool = False
) -> Iterator[Letter]:
    """Updates of invented patients and now and then a result; the family name carries the step."""
    steps: Counter[str] = Counter()
    for number in range(count):
        place = number % GUEST_EVERY - GUEST_EVERY + 3 if merges else -1
        guest = f"{sender}-guest{number // GUEST_EVERY}"
        patient = guest if place in {0, 1} else f"{sender}-{number % patients}"
        retires = guest if place == 2 else ""
        result = number % 3 == 2 and place < 0
        step = max(steps[patient] - 1, 0) if result else steps[patient]
        yield _letter(f"{sender}.{number}", patient, step, retires, result=result)
        steps[patient] += not result


def _letter(control: str, patient: str, step: int, retires: str, *, result: bool) -> Letter:
    sender, _, digits = control.rpartition(".")
    number = int(digits)
    kind = "ORU^R01^ORU_R01" if result else "ADT^A08^ADT_A01"
    kind = "ADT^A40^ADT_A39" if retires else kind
    head = f"MSH|^~\\&|{sender}|STORM|BRIDGE|STORM|20260301{number % 86400:06d}+0000||{kind}"
    lines = [
        f"{head}|{control}|P|2.5.1",
        f"PID|1||{patient}^^^STORM^MR||Step{step:06d}^Ada||19700101|F",
    ]
    if kind.startswith("ADT"):
        lines.insert(1, "EVN||20260301080000+0000")
        lines.append(f"MRG|{retires}^^^STORM^MR" if retires else "PV1|1|O")
    else:
        lines += [
            "PV1|1|O",
            f"OBR|1|P{control}|F{control}|718-7^Hemoglobin^LN|||20260301083000+0000",
            f"OBX|1|NM|718-7^Hemoglobin^LN||{number / 10:.2f}|g/dL^^UCUM||||F",
        ]
    raw = "".join(f"{line}\r" for line in lines).encode()
    return Letter(control=control, patient=patient, step=step, raw=raw, retires=retires)


class Door(Protocol):
    """Where an engine sends to."""

    def send(self, group: Sequence[Letter]) -> list[bytes]:
        """One answer a letter, in order. Raises OSError or httpx.HTTPError when any is missing."""

    def close(self) -> None:
        """Give up the connection; the next `send` makes a new one."""


class MllpDoor:
    """One connection at a time; a group is pipelined on it."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        """Connects on first use, each time to the next address, as behind a load balancer."""
        self._addresses = itertools.cycle(addresses)
        self._socket: socket.socket | None = None
        self._framer = Framer()

    def send(self, group: Sequence[Letter]) -> list[bytes]:
        """All at once, then as many answers."""
        if self._socket is None:
            self._framer = Framer()
            self._socket = socket.create_connection(next(self._addresses), timeout=ANSWER_WITHIN_S)
        self._socket.sendall(b"".join(frame(letter.raw) for letter in group))
        answers: list[bytes] = []
        while len(answers) < len(group):
            data = self._socket.recv(65536)
            if not data:
                raise ConnectionResetError("closed before it answered")
            answers += [
                event.payload for event in self._framer.feed(data) if isinstance(event, Frame)
            ]
        return answers

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class HttpDoor:
    """HL7 over HTTP, a request a message."""

    def __init__(self, *urls: str, token: str) -> None:
        """Connects on first use, each time to the next address."""
        self._urls, self._token = itertools.cycle(urls), token
        self._client: httpx.Client | None = None

    def send(self, group: Sequence[Letter]) -> list[bytes]:
        """One after the other."""
        if self._client is None:
            self._client = httpx.Client(base_url=next(self._urls), timeout=ANSWER_WITHIN_S)
        head = {"Content-Type": "application/hl7-v2", "Authorization": f"Bearer {self._token}"}
        done = [self._client.post("/hl7v2", content=one.raw, headers=head) for one in group]
        return [response.raise_for_status().content for response in done]

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None


class Engine(threading.Thread):
    """Sends its letters in order through one door; `window` of them are on the way at a time."""

    def __init__(
        self, feed: Sequence[Letter], door: Door, *, window: int, gap_s: float, within_s: float
    ) -> None:
        """`gap_s` is the pause after each group, `within_s` the bound of the whole run."""
        super().__init__(daemon=True)
        self.feed, self.window = feed, window
        self._door, self._gap_s, self._within_s = door, gap_s, within_s
        self.acknowledged: list[Letter] = []
        self.answers: dict[str, bytes] = {}
        self.sendings = self.refusals = self.breaks = 0
        self.slowest_s = 0.0
        self._stopping = threading.Event()

    def run(self) -> None:
        """Until everything is acknowledged, or time is up."""
        limit = time.monotonic() + self._within_s
        for first in range(0, len(self.feed), self.window):
            waiting = list(self.feed[first : first + self.window])
            while waiting and time.monotonic() < limit:
                waiting = self._send(waiting)
                time.sleep(PAUSE_S if waiting else self._gap_s)
            if self._stopping.is_set():
                break
        self._door.close()

    def stop(self) -> None:
        """Finish what is on the way and send no more."""
        self._stopping.set()
        self.join()

    def _send(self, group: list[Letter]) -> list[Letter]:
        """Those that must be sent again."""
        self.sendings += len(group)
        started = time.monotonic()
        try:
            answers = self._door.send(group)
        except (OSError, httpx.HTTPError):
            self.breaks += 1
            self._door.close()
            return group
        self.slowest_s = max(self.slowest_s, time.monotonic() - started)
        again = []
        for letter, answer in zip(group, answers, strict=True):
            if f"\rMSA|AA|{letter.control}".encode() in answer:
                self.acknowledged.append(letter)
                self.answers[letter.control] = answer
            else:
                self.refusals += 1
                again.append(letter)
        return again


def send_all(address: tuple[str, int], feed: Iterable[Letter], *, within_s: float = 60.0) -> Engine:
    """Send a whole feed over MLLP, lock-step, until all of it is acknowledged."""
    engine = Engine(list(feed), MllpDoor(address), window=1, gap_s=0, within_s=within_s)
    engine.start()
    engine.join()
    left = len(engine.feed) - len(engine.acknowledged)
    assert not left, f"{left} of {len(engine.feed)} messages were not acknowledged"
    return engine
