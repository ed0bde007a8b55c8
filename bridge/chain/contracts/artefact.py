"""The committed build of CheckpointAnchor: interface, creation code, code hash for each profile."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from bridge.core.errors import BridgeError, Fault

__all__ = ["Artefact", "Profile", "artefact"]

_FILE: Final = Path(__file__).with_name("CheckpointAnchor.json")


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One build of the contract for one EVM version."""

    bytecode: str
    """Creation code, hexadecimal with 0x; takes no arguments."""
    code_hash: str
    """Keccak-256 of the runtime code: what verifiers pin, and what an explorer shows."""
    runtime_bytes: int


class Artefact(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `build.py` wrote and a test compiles again."""

    contract: str
    compiler: str
    optimize: str
    source_sha256: str
    abi: list[dict[str, Any]]
    profiles: dict[str, Profile]

    def profile(self, name: str) -> Profile:
        """The build for an EVM version.

        Raises:
            BridgeError: `evm-profile` when the artefact has none of that name.
        """
        if name not in self.profiles:
            raise BridgeError(
                "evm-profile",
                Fault.OPERATOR,
                what=f"no contract was built for EVM version {name!r}",
                where="chains.toml, evm_profile",
                do=f"use one of {', '.join(sorted(self.profiles))}",
            )
        return self.profiles[name]


@cache
def artefact() -> Artefact:
    """Read once; the file is part of the distribution."""
    return msgspec.json.decode(_FILE.read_bytes(), type=Artefact)
