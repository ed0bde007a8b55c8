"""Celery's broker for one machine: a folder in which each waiting wake-up is one file.

A wake-up says "look", and two that wait say no more than one: so a task has one file, named after
it, and the newest replaces the older. However long no worker runs, the folder does not grow.

Kombu's own file system transport is not used: it shows readers files that are still empty, which
ends a worker, and a kill while it writes its routing file leaves every sender broken for good.
Source of the interface: https://docs.celeryq.dev/projects/kombu/en/stable/reference/kombu.transport.virtual.html.
"""

import json
import os
import threading
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import quote

from kombu.transport import virtual

__all__ = ["Channel", "Transport"]

Message = dict[str, Any]
"""As kombu makes it: body, headers, properties."""


class Channel(virtual.Channel):
    """Reads and writes one folder, the transport option `folder`; it must exist."""

    do_restore = False
    """What a worker had taken and not begun when it stopped is a hint that beat gives again."""

    def _put(self, queue: str, message: Message, **_: object) -> None:
        """A file appears whole or not at all."""
        name = _name(queue, str(message.get("headers", {}).get("task", "")))
        draft = self._folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
        draft.write_text(json.dumps(message), "utf-8")
        draft.replace(self._folder / name)

    def _get(self, queue: str, timeout: float | None = None) -> Message:
        """The oldest; whoever of several workers removes the file has it."""
        del timeout
        for file in self._waiting(queue):
            try:
                data = file.read_bytes()
                file.unlink()
                message: Message = json.loads(data)
            except (FileNotFoundError, ValueError):  # taken by another, or torn by a power cut
                continue
            return message
        raise Empty

    def _size(self, queue: str) -> int:
        return len(self._waiting(queue))

    def _purge(self, queue: str) -> int:
        waiting = self._waiting(queue)
        for file in waiting:
            file.unlink(missing_ok=True)
        return len(waiting)

    @property
    def _folder(self) -> Path:
        return Path(self.connection.client.transport_options["folder"])

    def _waiting(self, queue: str) -> list[Path]:
        found = []
        for entry in os.scandir(self._folder):
            if entry.name.startswith(_name(queue, "")):
                try:
                    found.append((entry.stat().st_mtime_ns, Path(entry.path)))
                except FileNotFoundError:  # taken by another worker
                    continue
        return [path for _, path in sorted(found)]


def _name(queue: str, task: str) -> str:
    return f"{quote(queue, safe='')}~{quote(task, safe='')}"


class Transport(virtual.Transport):
    """The transport behind `folder://`; each connection declares its bindings for itself."""

    Channel = Channel
    driver_type = driver_name = "folder"

    def driver_version(self) -> str:
        """Celery prints it."""
        return "1"
