"""What the Zenodo record of a file says of its checksum, for files whose checksum is published nowhere else."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from organelle_widgets.weights.catalogue import WeightFile

__all__ = ["published_md5"]

logger = logging.getLogger(__name__)


def published_md5(file: WeightFile, timeout_s: float = 20.0) -> str:
    """The MD5 of the record that the file's address names; empty where the record can't be read."""
    import requests
    from pooch.downloaders import ZenodoRepository

    parts = urlsplit(file.url)
    record = re.search(r"/records?/(\d+)/", parts.path)
    if record is None:
        return ""
    site = f"{parts.scheme}://{parts.netloc}"
    repository = ZenodoRepository(
        doi=file.doi, archive_url=f"{site}/records/{record[1]}", timeout=timeout_s
    )
    repository.base_api_url = f"{site}/api/records"
    try:
        listed = _Registry()
        repository.populate_registry(listed)
        kind, _, checksum = listed.registry.get(file.file_name, "").partition(":")
    except (requests.RequestException, ValueError, KeyError, TypeError, AttributeError) as error:
        logger.warning("The record of %s could not be read for its MD5: %s", file.name, error)
        return ""
    return checksum.lower() if kind == "md5" and re.fullmatch("[0-9a-fA-F]{32}", checksum) else ""


class _Registry:
    """What pooch fills: file name -> ``md5:...``."""

    def __init__(self) -> None:
        self.registry: dict[str, str] = {}
