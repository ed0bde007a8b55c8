"""A small disk for a node, which a test can fill and empty: an ext4 in a file, mounted by root."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["SmallDisk", "can_mount", "small_disk"]


def can_mount() -> bool:
    """Whether this user, on this machine, may mount a file."""
    return os.geteuid() == 0 and shutil.which("mkfs.ext4") is not None and _loop_is_there()


def _loop_is_there() -> bool:
    return Path("/dev/loop-control").exists()


class SmallDisk:
    """A folder that is the top of a file system of its own."""

    def __init__(self, folder: Path) -> None:
        """Mounted at this folder."""
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no byte: files that exist cannot grow, new ones cannot be made."""
        while (free := self._free()) > 0:
            with self._ballast.open("ab") as file:
                try:
                    os.posix_fallocate(file.fileno(), file.tell(), max(free // 2, 4096))
                except OSError:
                    if free < 64 * 1024:
                        return

    def release(self) -> None:
        """Give the room back."""
        self._ballast.unlink(missing_ok=True)

    def _free(self) -> int:
        found = os.statvfs(self.folder)
        return found.f_bavail * found.f_frsize


@contextmanager
def small_disk(size_mb: int) -> Iterator[SmallDisk]:
    """A disk of that size inside the block; the file behind it is sparse."""
    home = Path(tempfile.mkdtemp(prefix="fhir-anchor-disk-"))
    image, folder = home / "image", home / "top"
    folder.mkdir()
    home.chmod(0o755)  # PostgreSQL's user passes through
    with image.open("wb") as file:
        file.truncate(size_mb << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        shutil.rmtree(home)
