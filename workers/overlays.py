"""The senders' folder on disk: overlays, the layers beneath them, and a site's own functions.

`senders/labx.toml` is a sender, which may say `site = "stmary"` and `realm = "us"`;
`senders/site/stmary.toml` holds for all senders of the site, `senders/realm/us.toml` in the
country; `senders/site/labx.py` has functions that rows call as `py:site.labx.NAME`.
"""

import os
import stat
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from adapters.hl7v2.compiler.rows import nearest, refuse
from adapters.hl7v2.overlays import parse_profile
from adapters.hl7v2.profiles import SenderProfile
from adapters.hl7v2.site import PREFIX, SiteFunction
from bridge.core.errors import BridgeError, Fault
from bridge.core.ids import sha256
from bridge.settings import Settings, shipped

__all__ = ["SendersFolder"]

RESERVED = frozenset({"base", "archived"})
"""Words of our own where a sender's name could stand."""


class SendersFolder:
    """One folder; whoever can write to it decides what bundles are, and what code converts."""

    def __init__(self, path: Path) -> None:
        """Nothing is read yet."""
        self.path = path
        self._layers: dict[str, Mapping[str, str]] = {}

    @classmethod
    def of(cls, settings: Settings) -> "SendersFolder":
        """The folder of a node, else the one that comes with the product."""
        named = settings.senders.folder
        return cls(Path(named) if named else shipped("senders"))

    @cached_property
    def files(self) -> list[Path]:
        """The overlays of senders, in order of name."""
        return sorted(self.path.glob("*.toml"))

    def profiles(self) -> tuple[SenderProfile, ...]:
        """Every sender's profile.

        Raises:
            BridgeError: with file, line and the nearest right word.
        """
        return tuple(self.profile(file) for file in self.files)

    def profile(self, file: Path) -> SenderProfile:
        """The profile of one overlay, which may lie elsewhere; its layers are of this folder."""
        if file.stem in RESERVED:
            raise refuse("profile-name", f"no sender can be called {file.stem}", str(file),
                         "give the file another name")  # fmt: skip
        return parse_profile(file.stem, text_of(file), self)

    def layers(self, kind: str) -> Mapping[str, str]:
        """Texts of `realm/*.toml` or `site/*.toml` by name."""
        if kind not in self._layers:
            found = sorted((self.path / kind).glob("*.toml"))
            self._layers[kind] = {file.stem: text_of(file) for file in found}
        return self._layers[kind]

    def function(self, name: str, where: str) -> SiteFunction:
        """The function of a file of this folder; see `adapters.hl7v2.overlays.Folder`."""
        *parts, wanted = name.removeprefix(PREFIX).split(".")
        if len(parts) != 2 or not all(part.isidentifier() for part in (*parts, wanted)):
            raise refuse("site-function", f"{name} names no function", where,
                         "write py:site.FILE.FUNCTION")  # fmt: skip
        return _function(self.path.joinpath(*parts).with_suffix(".py"), name, where)

    def every_function(self) -> Mapping[str, SiteFunction]:
        """All functions of all files, by their qualified names: for mappings that were kept.

        A file as it was once is kept as `labx.2026-11.py` beside `labx.py`. A file that cannot be
        loaded has no functions: what a mapping lacks is said where it is used.
        """
        found: dict[str, SiteFunction] = {}
        for file in sorted(self.path.glob("*/*.py")):
            stem = f"{PREFIX}{file.parent.name}.{file.stem.partition('.')[0]}"
            try:
                module, _ = _module(file, stem, str(file))
                marked = [key for key, one in vars(module).items() if hasattr(one, "fhir_anchor")]
                for key in marked:
                    site = _function(file, f"{stem}.{key}", str(file))
                    found[site.qualified] = site
            except BridgeError:
                continue
        return found


def _function(file: Path, name: str, where: str) -> SiteFunction:
    """One function of a file under the name that rows use."""
    wanted = name.rpartition(".")[2]
    module, digest = _module(file, name, where)
    marked = {key: held for key, held in vars(module).items() if hasattr(held, "fhir_anchor")}
    if wanted not in marked:
        do = nearest(wanted, marked) if marked else "mark it by @gives of adapters.hl7v2.site"
        raise refuse("site-function", f"{file.name} marks no function {wanted}", where, do)
    target, reads, coded = marked[wanted].fhir_anchor
    return SiteFunction(
        name=name, digest=digest, function=marked[wanted], gives=target, reads=reads, coded=coded
    )


def text_of(file: Path) -> str:
    """The file's text.

    Raises:
        BridgeError: `profile-unreadable`.
    """
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BridgeError(
            "profile-unreadable",
            Fault.OPERATOR,
            what="the overlay cannot be read as UTF-8",
            where=str(file),
            do="check the path, its permissions and its encoding",
        ) from error


def _module(file: Path, name: str, where: str) -> tuple[ModuleType, str]:
    """The file run once as a module of its own, and the SHA-256 of its text."""
    try:
        _check_owned(file, where)
        text = file.read_bytes()
    except OSError as error:
        raise refuse("site-function", f"there is no file for {name}: {error.strerror}", where,
                     f"put it at {file}") from error  # fmt: skip
    module = ModuleType(f"{file.parent.name}.{file.stem}")
    names: dict[str, Any] = vars(module)
    try:
        exec(compile(text, str(file), "exec"), names)  # noqa: S102 - the operator's own file, see _check_owned
    except (
        ArithmeticError, AssertionError, AttributeError, ImportError, LookupError, NameError,
        OSError, RuntimeError, SyntaxError, TypeError, ValueError,
    ) as error:  # fmt: skip
        line = getattr(error, "lineno", None) or _line(error, file)
        raise refuse("site-function", f"{file.name} fails with {type(error).__name__}",
                     f"{file}, line {line}", "mend the file") from error  # fmt: skip
    for key, held in names.items():
        if hasattr(held, "fhir_anchor"):
            _check_type(held.fhir_anchor[0], key, file)
    return module, sha256(text).hex()


def _line(error: BaseException, file: Path) -> int:
    """Where in the file it failed."""
    line, trace = 1, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _check_type(target: str, key: str, file: Path) -> None:
    """A misspelt type would only be met by the type check of the row."""
    from adapters.hl7v2.compiler.check import elements  # noqa: PLC0415 - the models take half a second

    if target[:1].isupper() and not elements(target):
        raise refuse("site-function", f"{key} gives a {target}, which R4 does not have",
                     str(file), "name a FHIR type, such as CodeableConcept")  # fmt: skip


def _check_owned(file: Path, where: str) -> None:
    """Code of a folder that a stranger can write to is a stranger's code."""
    for path in (file, file.parent):
        found = path.stat()
        mine = found.st_uid in {os.geteuid(), 0}
        if not mine or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise refuse("site-function", f"others than this user may write to {path}", where,
                         f"chmod go-w {path}, and make it yours")  # fmt: skip
