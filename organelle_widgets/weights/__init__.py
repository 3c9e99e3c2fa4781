"""The model store: which weights can be downloaded, from where, under which licence, and where they are kept.

The functions here work on the store of this machine: the catalogue of `organelle_widgets.weights.catalogue` and the
folder `cache_folder`. Nothing is downloaded unless `download` is called. Networks are built and weights are loaded
elsewhere; this package only knows files and their checksums.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.weights._store import Store, cache_folder
from organelle_widgets.weights.catalogue import CATALOGUE, WeightFile

if TYPE_CHECKING:
    from pathlib import Path

    from organelle_widgets.core.monitor import Monitor

__all__ = [
    "WeightFile",
    "cache_folder",
    "catalogue",
    "checksum",
    "download",
    "is_here",
    "locate",
    "path",
    "state",
    "verify",
]

_STORE = Store(CATALOGUE)


def catalogue() -> dict[str, WeightFile]:
    """All weights that can be downloaded.

    Returns
    -------
    dict of str to WeightFile
        By name.
    """
    return dict(CATALOGUE)


def is_here(name: str) -> bool:
    """Whether a file with the right size is in the cache; nothing is hashed.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    bool
        True where `locate` is likely to succeed.

    Raises
    ------
    SettingsError
        If the name is unknown.
    """
    return _STORE.is_here(name)


def path(name: str) -> Path:
    """Where the file lies, or would lie; nothing is looked at.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    Path
        In the cache folder.

    Raises
    ------
    SettingsError
        If the name is unknown.
    """
    return _STORE.path(name)


def state(name: str) -> str:
    """What a list says of the file; a file that changed since it was verified last is hashed.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    str
        ``"here"``, ``"not downloaded"`` or ``"damaged"``.

    Raises
    ------
    SettingsError
        If the name is unknown.
    """
    return _STORE.state(name)


def locate(name: str) -> Path:
    """The verified file; it is hashed only if it changed since it was verified last.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    Path
        The file in the cache.

    Raises
    ------
    SettingsError
        If the name is unknown.
    WeightsError
        If the file is not here, or is not what it should be.
    """
    return _STORE.locate(name)


def checksum(name: str) -> str:
    """The SHA-256 of the verified file; it is hashed only if it changed since it was verified last.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    SettingsError
        If the name is unknown.
    WeightsError
        If the file is not here, or is not what it should be.
    """
    return _STORE.checksum(name)


def verify(name: str) -> Path:
    """Hash the file in the cache again.

    Parameters
    ----------
    name : str
        A name of the catalogue.

    Returns
    -------
    Path
        The file in the cache.

    Raises
    ------
    SettingsError
        If the name is unknown.
    WeightsError
        If the file is not here, or is not what it should be.
    """
    return _STORE.verify(name)


def download(name: str, *, monitor: Monitor | None = None) -> Path:
    """Download and verify a file, unless it is here; a broken download goes on where it stopped.

    Parameters
    ----------
    name : str
        A name of the catalogue.
    monitor : Monitor, optional
        Progress out, cancel in; what has come stays for the next try.

    Returns
    -------
    Path
        The file in the cache.

    Raises
    ------
    SettingsError
        If the name is unknown, or ORGANELLE_WIDGETS_MIRROR is not a web address.
    WeightsError
        If the file can't be fetched, stored or verified.
    Cancelled
        If the monitor was cancelled.
    """
    return _STORE.download(name, monitor=monitor)
