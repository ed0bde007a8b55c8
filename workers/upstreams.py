"""An upstream FHIR server with this machine's clock and entropy."""

from pathlib import Path

from bridge.cli.upstream import Backend, FhirServer
from bridge.core.errors import BridgeError, Fault
from bridge.keys.assertion import read_assertion_key
from workers.sources import SystemClock, SystemEntropy

__all__ = ["upstream_of"]


def upstream_of(base: str, client: str, key: Path | None, scope: str) -> FhirServer:
    """Without client and key no token is asked for.

    Raises:
        BridgeError: `assertion-key`, `upstream-address`.
    """
    if not client and key is None:
        return FhirServer(base)
    if not client or key is None:
        raise BridgeError(
            "assertion-key",
            Fault.OPERATOR,
            what="a client id and a key file go together",
            where="--client-id, --key",
            do="give both, or neither for a server that asks for no token",
        )
    backend = Backend(
        client=client,
        key=read_assertion_key(key),
        scope=scope,
        clock=SystemClock(),
        jti=lambda: SystemEntropy().take(24).hex(),
    )
    return FhirServer(base, backend)
