"""The certificates of a TLS listener: a renewed file serves from the next connection on."""

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from bridge.core.errors import BridgeError, Fault

__all__ = ["CertificateFiles", "Certificates"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateFiles:
    """PEM files of one listener; with `client_ca` every client shows a certificate of that CA."""

    certificate: str
    private_key: str = ""
    """Empty where the certificate's file holds it."""
    client_ca: str = ""

    def read(self) -> ssl.SSLContext:
        """A context for TLS 1.2 or later.

        Raises:
            BridgeError: `mllp-tls`, with fault OPERATOR.
        """
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        # Set by default from Python 3.13 on: many a hospital's own CA omits what RFC 5280 asks for.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        try:
            # Without a passphrase given, OpenSSL asks the terminal for one and waits.
            context.load_cert_chain(self.certificate, self.private_key or None, password="")
            if self.client_ca:
                context.load_verify_locations(self.client_ca)
                context.verify_mode = ssl.CERT_REQUIRED
        except OSError as error:  # what OpenSSL finds wrong is one too
            raise BridgeError(
                "mllp-tls",
                Fault.OPERATOR,
                what=f"a certificate or key of the MLLP door cannot be read, {_cause(error)}",
                where="mllp.certificate, mllp.private_key, mllp.client_ca",
                do="give readable PEM files that belong together; the key without passphrase",
            ) from error
        return context

    def state(self) -> object:
        """Equal while nobody wrote or replaced a file."""
        return tuple(_state(Path(name)) for name in self._names())

    def _names(self) -> list[str]:
        return [name for name in (self.certificate, self.private_key, self.client_ca) if name]


class Certificates(ssl.SSLContext):
    """A context that looks at its files when a connection begins; open ones keep what they had.

    Files that are gone, broken or do not belong together, as between the replacing of the one and
    of the other, change nothing: what was read last goes on. Each change is told once.

    Args:
        files: where they are.
        changed: takes None for files that serve now, else why they do not; must not raise.

    Raises:
        BridgeError: `mllp-tls`: they cannot be read at the start.
    """

    _files: CertificateFiles
    _changed: Callable[[BridgeError | None], None]
    _seen: object
    _current: ssl.SSLContext

    def __new__(
        cls, files: CertificateFiles, changed: Callable[[BridgeError | None], None]
    ) -> Self:
        """Read them once. As asyncio wants it this is a context, but none that holds a key."""
        made = super().__new__(cls, ssl.PROTOCOL_TLS_SERVER)
        made._files, made._changed = files, changed
        made._seen, made._current = files.state(), files.read()
        return made

    def wrap_bio(self, *given: Any, **options: Any) -> ssl.SSLObject:  # noqa: ANN401 - as ssl has it
        """Begin a connection with what the files hold now."""
        self._look()
        return self._current.wrap_bio(*given, **options)

    def _look(self) -> None:
        state = self._files.state()  # first: what is written meanwhile is seen again
        if state == self._seen:
            return
        self._seen, broken = state, None
        try:
            self._current = self._files.read()
        except BridgeError as error:
            broken = error
        self._changed(broken)


def _cause(error: OSError) -> str:
    """Such as KEY_VALUES_MISMATCH."""
    return (error.reason if isinstance(error, ssl.SSLError) else error.strerror) or "no PEM"


def _state(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
