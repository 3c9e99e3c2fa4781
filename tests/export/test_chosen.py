"""A run that shows some of its fields only."""

from __future__ import annotations

import pytest

from organelle_widgets.export._chosen import ChosenFields, fields_of
from organelle_widgets.results import open_results


@pytest.fixture
def results(run_folder):
    with open_results(run_folder) as opened:
        yield opened


def test_all_questions_are_answered_by_the_chosen_fields(results):
    with ChosenFields(results, "well = 'B2' OR well = 'B4' -- of the plate") as chosen:
        assert (chosen.n_fields, chosen.n_cells, chosen.n_failures) == (2, 3, 0)
        assert chosen.field_names() == ["B2/discs", "B4/discs"]
        assert chosen.fields("n_cells > 0", columns=["field"])["field"].tolist() == ["B2/discs"]
        assert len(chosen.failures()) == 0
        counted = chosen.sql(
            "WITH a AS (SELECT well, count(*) AS n FROM cells GROUP BY well) SELECT * FROM a"
        )
        assert counted.to_dict("records") == [{"well": "B2", "n": 3}]
        assert chosen.sql("SELECT count(*) AS n FROM failures")["n"].tolist() == [0]
        ordered = chosen.sql("SELECT field FROM fields ORDER BY field DESC")["field"].tolist()
        assert ordered == ["B4/discs", "B2/discs"]
        assert chosen.sql("SELECT field FROM fields WHERE well = ?", ["B4"])["field"].tolist() == [
            "B4/discs"
        ]


def test_tables_counts_and_batches_hold_the_chosen_cells_alone(results):
    with ChosenFields(results, "well = 'B2' -- one well") as chosen:
        assert set(chosen.cells()["field"]) == {"B2/discs"}
        assert len(chosen.cells("touches_border OR cell_id = 2 -- two")) == 2
        assert chosen.count("well").to_dict("records") == [
            {"well": "B2", "n_cells": 3, "share": 1.0}
        ]
        assert sum(batch.num_rows for batch in chosen.batches("cells", ["cell_id"])) == 3
        assert sum(batch.num_rows for batch in chosen.batches("failures", ["name"])) == 0
    assert len(results.cells()) > 3
    assert results.n_failures > 0


def test_without_a_condition_it_is_the_run_itself(results):
    assert fields_of(results, None) is results
