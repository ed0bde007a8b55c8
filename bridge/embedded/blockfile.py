"""An append-only file of key-value batches: a block of the dev chain is kept whole or not at all.

Form: the line `fhir-anchor-devchain/1`, then for each batch `u32 length || u32 CRC-32 ||
MessagePack list of (key, value)`, big endian. Batches are kept instead of transactions so that a
restart reads the very same blocks and executes nothing: a newer EVM library cannot change the past.
"""

import fcntl
import os
import zlib
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import msgspec

from bridge.core.errors import BridgeError, Fault

__all__ = ["Batch", "BlockFile"]

Batch = tuple[tuple[bytes, bytes], ...]

_MAGIC: Final = b"fhir-anchor-devchain/1\n"
# A block holds one transaction of at most 128 KiB (the pool limit of geth) and the state it wrote.
_MAX_BATCH: Final = 16 * 1024 * 1024


class BlockFile:
    """One process at a time. Durable when `append` returns; open cuts off a torn last batch."""

    def __init__(self, path: Path) -> None:
        """Open or create, lock, read everything, and cut a torn tail.

        Raises:
            BridgeError: `devchain-locked` when another process has it, `devchain-damaged` when
                a batch that is not the last one does not match its checksum.
        """
        self._path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with ExitStack() as undo:
            undo.callback(os.close, self._file)
            self._lock()
            self.batches = self._recover()
            undo.pop_all()

    def __enter__(self) -> Self:
        """Usable as a context so that the lock is always given back."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close; the lock goes with it."""
        self.close()

    def append(self, batch: Batch) -> None:
        """Write the batch and wait until the disk has it.

        Raises:
            BridgeError: `devchain-disk-full`; nothing of the batch stays, it may be tried again.
        """
        payload = msgspec.msgpack.encode(batch)
        record = len(payload).to_bytes(4) + zlib.crc32(payload).to_bytes(4) + payload
        begin = os.lseek(self._file, 0, os.SEEK_CUR)
        written = os.write(self._file, record)
        if written != len(record):  # what stands behind a torn batch would be refused as damage
            os.ftruncate(self._file, begin)
            os.lseek(self._file, begin, os.SEEK_SET)
            raise BridgeError(
                "devchain-disk-full",
                Fault.OPERATOR,
                what=f"only {written} of {len(record)} bytes of a block were written",
                where=self._path.name,
                do="free disk space; the transaction is sent again",
            )
        os.fsync(self._file)

    def close(self) -> None:
        """Give the file and its lock back; again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BridgeError(
                "devchain-locked",
                Fault.OPERATOR,
                what="another process runs this dev chain",
                where=self._path.name,
                do="use its URL, stop it, or choose another data folder",
            ) from error

    def _recover(self) -> tuple[Batch, ...]:
        data = self._path.read_bytes()
        if len(data) < len(_MAGIC) and _MAGIC.startswith(data):
            os.ftruncate(self._file, 0)
            os.write(self._file, _MAGIC)
            os.fsync(self._file)
            return ()
        if not data.startswith(_MAGIC):
            raise self._damaged(0)
        batches, good = self._read(data)
        if good != len(data):
            os.ftruncate(self._file, good)
            os.fsync(self._file)
        os.lseek(self._file, 0, os.SEEK_END)
        return batches

    def _read(self, data: bytes) -> tuple[tuple[Batch, ...], int]:
        """All whole batches, and where the last of them ends."""
        batches = []
        at = len(_MAGIC)
        # A file that grew before its bytes reached the disk ends in zeros after a power cut, which
        # would read as a batch of nothing with its checksum.
        zeros = len(data.rstrip(b"\0"))
        while at + 8 <= len(data) and at < zeros:
            length = int.from_bytes(data[at : at + 4])
            end = at + 8 + length
            if end > len(data):
                break
            payload = data[at + 8 : end]
            if length > _MAX_BATCH or zlib.crc32(payload) != int.from_bytes(data[at + 4 : at + 8]):
                if end == len(data):
                    break
                raise self._damaged(at)
            batches.append(msgspec.msgpack.decode(payload, type=Batch))
            at = end
        return tuple(batches), at

    def _damaged(self, at: int) -> BridgeError:
        return BridgeError(
            "devchain-damaged",
            Fault.OPERATOR,
            what="the dev chain's file does not match its checksums",
            where=f"{self._path.name}, byte {at}",
            do="restore the file, or start a new dev chain in an empty folder",
        )
