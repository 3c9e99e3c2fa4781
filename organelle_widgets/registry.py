"""Names of backends, readers, charts and exporters, and the classes behind them.

A registry scans one folder: every module there whose name does not start with ``_`` may register classes with
its decorator. Third parties register through an entry point group. What is missing for a class is found with
`importlib.util.find_spec`, never by importing it.
"""

from __future__ import annotations

import importlib
import logging
import pkgutil
import threading
from dataclasses import dataclass, fields, is_dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from organelle_widgets.errors import BackendUnavailableError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Entry", "Registry"]

logger = logging.getLogger(__name__)

T = TypeVar("T")

_SCANNING = threading.RLock()
"""Held while a folder is scanned: a second thread waits for the whole list instead of seeing half of it."""


@dataclass(frozen=True)
class Entry(Generic[T]):
    """One registered class.

    Parameters
    ----------
    name : str
        The word that people type.
    title : str
        What the page calls it.
    cls : type
        The class.
    requires : tuple of str
        Top-level modules that it needs beyond NumPy, pandas and scikit-image.
    install : str
        The command that installs them.
    """

    name: str
    title: str
    cls: type[T]
    requires: tuple[str, ...] = ()
    install: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """Modules of `requires` that are not installed."""
        return tuple(module for module in self.requires if find_spec(module) is None)


class Registry(Generic[T]):
    """Classes of one kind by name.

    Parameters
    ----------
    kind : str
        What the classes are, for messages: ``"segmenter"``.
    package : str
        Import path of the folder to scan.
    base : callable
        Returns the class that every entry must derive from.
    """

    def __init__(self, kind: str, package: str, base: Callable[[], type[T]]) -> None:
        self.kind = kind
        self._package = package
        self._base = base
        self._entries: dict[str, Entry[T]] = {}
        self._scanned = False

    @property
    def group(self) -> str:
        """Entry point group for third parties: ``organelle_widgets.segmenters``."""
        return f"organelle_widgets.{self.kind}s"

    def register(
        self, name: str, *, title: str = "", requires: tuple[str, ...] = (), install: str = ""
    ) -> Callable[[type[T]], type[T]]:
        """Decorate a class to make it known under `name`.

        Parameters
        ----------
        name : str
            The word that people type; unique.
        title : str
            What the page calls it; the name by default.
        requires : tuple of str
            Top-level modules it needs.
        install : str
            The command that installs them; made from `requires` by default.

        Returns
        -------
        callable
            The decorator.

        Raises
        ------
        TypeError
            If the class is not of the registry's kind, or the name is taken.
        """

        def decorate(cls: type[T]) -> type[T]:
            if not issubclass(cls, self._base()):
                message = f"{cls.__name__} is no {self.kind}: expected a subclass of {self._base().__name__}."
                raise TypeError(message)
            taken = self._entries.get(name)
            if taken and _place(taken.cls) != _place(cls):
                module, own = _place(taken.cls)
                message = f"The {self.kind} name {name!r} is taken by {own} of {module}."
                raise TypeError(message)
            command = install or (f"python -m pip install {' '.join(requires)}" if requires else "")
            self._entries[name] = Entry(name, title or name, cls, requires, command)
            return cls

        return decorate

    def entries(self) -> dict[str, Entry[T]]:
        """All that is registered, by name, in alphabetical order."""
        with _SCANNING:
            if not self._scanned:
                package = importlib.import_module(self._package)
                for module in pkgutil.iter_modules(package.__path__):
                    if not module.name.startswith("_"):
                        importlib.import_module(f"{self._package}.{module.name}")
                for point in entry_points(group=self.group):
                    self._load(point)
                self._scanned = True
        return dict(sorted(self._entries.items()))

    def _load(self, point: EntryPoint) -> None:
        """Load a third party's entry; one that can't be loaded is said and left out."""
        try:
            point.load()
        except (ImportError, AttributeError, TypeError) as error:
            logger.warning("The %s %r can't be loaded: %s", self.kind, point.name, error)

    def names(self) -> list[str]:
        """All names, installed or not."""
        return list(self.entries())

    def get(self, name: str) -> Entry[T]:
        """The entry of that name.

        Parameters
        ----------
        name : str
            A registered name.

        Returns
        -------
        Entry
            Name, title, class and what it requires.

        Raises
        ------
        SettingsError
            If the name is unknown.
        """
        entries = self.entries()
        if name not in entries:
            message = f"Expected a {self.kind} out of {', '.join(entries)}; found {name!r}."
            raise SettingsError(message)
        return entries[name]

    def create(self, name: str, **settings: Any) -> T:
        """Make an instance by name.

        Parameters
        ----------
        name : str
            A registered name.
        **settings
            Handed to the class.

        Returns
        -------
        object
            The instance.

        Raises
        ------
        SettingsError
            If the name, or a setting's name, is unknown.
        BackendUnavailableError
            If a package that it needs is not installed.
        """
        entry = self.get(name)
        if entry.missing:
            message = f"The {self.kind} {name!r} needs {', '.join(entry.missing)}, which is not installed."
            raise BackendUnavailableError(message, hint=f"Install it with: {entry.install}")
        known = [f.name for f in fields(entry.cls)] if is_dataclass(entry.cls) else None
        unknown = sorted(set(settings) - set(known)) if known is not None else []
        if unknown:
            message = (
                f"The {self.kind} {name!r} has no setting {', '.join(unknown)}; "
                f"it has {', '.join(known or ()) or 'none'}."
            )
            raise SettingsError(message)
        return entry.cls(**settings)

    def resolve(self, chosen: str | T, **settings: Any) -> T:
        """An instance from a name, or the instance given.

        Parameters
        ----------
        chosen : str or object
            A registered name or an instance.
        **settings
            Settings for an instance made by name.

        Returns
        -------
        object
            Ready to use.

        Raises
        ------
        SettingsError
            If a name is unknown, settings come with an instance, or it is of another kind.
        BackendUnavailableError
            If a package that it needs is not installed.
        """
        if isinstance(chosen, str):
            return self.create(chosen, **settings)
        if settings:
            message = f"Expected settings only with a {self.kind}'s name; found an instance and {sorted(settings)}."
            raise SettingsError(message)
        if not isinstance(chosen, self._base()):
            message = (
                f"Expected a {self.kind}'s name or a {self._base().__name__}; found {chosen!r}."
            )
            raise SettingsError(message)
        return chosen

    def name_of(self, cls: type) -> str:
        """The name that a class is registered under; the class's own where it is not."""
        return next((n for n, e in self.entries().items() if e.cls is cls), cls.__name__)


def _place(cls: type) -> tuple[str, str]:
    """Module and name of a class; a module that is loaded again defines it at the same place."""
    return cls.__module__, cls.__qualname__
