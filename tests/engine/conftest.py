"""One small cluster for the tests of a file: a scheduler and one worker, started by Dask."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import cloudpickle
import pytest

from organelle_widgets.engine import DaskEngine
from organelle_widgets.engine._cluster import start_workers


@pytest.fixture(scope="module")
def cluster(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A scheduler and one worker of this machine; what the tests send goes by value."""
    module = sys.modules.get(request.module.__name__, request.module)
    assert isinstance(module, ModuleType)
    cloudpickle.register_pickle_by_value(module)
    cluster = start_workers(1, threads=1)
    yield cluster
    cluster.close()
    cloudpickle.unregister_pickle_by_value(module)


@pytest.fixture
def engine(cluster: Any) -> Iterator[DaskEngine]:
    """A connection to the cluster."""
    engine = DaskEngine(cluster.scheduler_address)
    yield engine
    engine.close()
