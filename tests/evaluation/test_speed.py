"""The stages are measured in a process of their own."""

from __future__ import annotations

import json

import pytest

from organelle_widgets.cli import main
from organelle_widgets.errors import StepError
from organelle_widgets.evaluation import speed


@pytest.mark.tensorflow
def test_every_stage_is_measured_cold_and_warm(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["benchmark", "--size", "256", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["field"].startswith("256 x 256 px")
    stages = {row["stage"]: row for row in figures["stages"]}
    assert list(stages) == list(speed._STAGES)
    assert all(row["warm_s"] >= 0 for row in stages.values())
    assert stages["import"]["cold_s"] > stages["import"]["warm_s"]
    assert stages["write results"]["memory_mib"] > stages["import"]["memory_mib"] > 20


def test_a_process_that_fails_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speed.sys, "executable", "/bin/false")
    with pytest.raises(StepError, match="exit code 1"):
        speed.measure_stages(64)
