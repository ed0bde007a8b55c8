"""Compile CheckpointAnchor.vy into the committed artefact.

Run `python -m bridge.chain.contracts.build`; it needs the `dev` group (Vyper). A test compiles
again and compares, so that a source cannot be committed without its artefact.
"""

import hashlib
import sys
from pathlib import Path
from typing import Final

import msgspec
import vyper
from eth_utils.crypto import keccak
from vyper.compiler import compile_code
from vyper.compiler.settings import OptimizationLevel, Settings

__all__ = ["ARTEFACT", "SOURCE", "compile_artefact"]

SOURCE: Final = Path(__file__).with_name("CheckpointAnchor.vy")
ARTEFACT: Final = Path(__file__).with_name("CheckpointAnchor.json")
# cancun: every network of config/chains.toml runs it. paris: chains whose EVM has no PUSH0.
PROFILES: Final = ("cancun", "paris")


def compile_artefact() -> bytes:
    """The artefact as JSON text, the same bytes from the same source and compiler."""
    source = SOURCE.read_text("utf-8")
    profiles = {}
    abi: object = None
    for profile in PROFILES:
        built = compile_code(
            source,
            output_formats=["abi", "bytecode", "bytecode_runtime"],
            settings=Settings(evm_version=profile, optimize=OptimizationLevel.GAS),
        )
        abi = built["abi"]
        profiles[profile] = {
            "bytecode": built["bytecode"],
            "code_hash": "0x" + keccak(hexstr=built["bytecode_runtime"]).hex(),
            "runtime_bytes": len(built["bytecode_runtime"]) // 2 - 1,
        }
    artefact = {
        "contract": "CheckpointAnchor",
        "compiler": f"vyper {vyper.__long_version__}",
        "optimize": "gas",
        "source_sha256": hashlib.sha256(source.encode()).hexdigest(),
        "abi": abi,
        "profiles": profiles,
    }
    return msgspec.json.format(msgspec.json.encode(artefact), indent=1) + b"\n"


if __name__ == "__main__":
    ARTEFACT.write_bytes(compile_artefact())
    sys.stdout.write(f"wrote {ARTEFACT.name}\n")
