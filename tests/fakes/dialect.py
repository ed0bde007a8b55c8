"""A dialect of one line, `sender|control id|lanes|bundle`, for tests of what lies behind it."""

from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import Instant, instant_text, sha256
from bridge.core.record.bundle import Apply, CanonicalBundle
from bridge.ports.dialect import Accepted, Envelope, Verdict

__all__ = ["LineDialect", "line"]


def line(control_id: str, *, sender: str = "lab", lanes: str = "p1", bundle: str = "{}") -> bytes:
    """One input of this dialect; lanes are parted by commas."""
    return f"{sender}|{control_id}|{lanes}|{bundle}".encode()


class LineDialect:
    """The port `Dialect`; the word `bad` for a bundle is refused."""

    name = "line"

    def __init__(self, apply: Apply = Apply.MERGE, *, refuses_reuse: bool = False) -> None:
        """Say how bundles are applied, and whether a control id may come again."""
        self.apply, self.refuses_reuse = apply, refuses_reuse

    def envelope(self, raw: bytes, *, sender: str) -> Envelope:
        """The first two parts."""
        said, control_id, *_ = raw.decode("utf-8", "replace").split("|", 3)
        return Envelope(
            sender=sender or said,
            message_type="LINE",
            control_id=control_id,
            refuses_reuse=self.refuses_reuse,
        )

    def convert(self, raw: bytes, *, sender: str, charset: str = "") -> CanonicalBundle:
        """The bundle as written; `sender` and `charset` change nothing here."""
        del sender, charset
        _, control_id, lanes, bundle = raw.decode("utf-8", "surrogateescape").split("|", 3)
        if bundle == "bad":
            raise BridgeError(
                "line-bad",
                Fault.SENDER,
                what="the bundle is bad",
                where="part 4",
                do="send a good one",
            )
        return CanonicalBundle(
            canonical=bundle.encode("utf-8", "surrogateescape"),
            source=sha256(raw),
            mapping=sha256(b"rules"),
            apply=self.apply,
            message_type="LINE",
            control_id=control_id,
            lanes=tuple(sorted(lanes.split(","))),
        )

    def answer(self, raw: bytes, verdict: Verdict, *, at: Instant) -> bytes:
        """`AA` or `AE` with record and moment."""
        del raw
        word = "AA" if isinstance(verdict, Accepted) else "AE"
        return f"{word} {verdict.record} {instant_text(at)}".encode()
