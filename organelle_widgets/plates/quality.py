"""How each well of a plate came out, and which wells stand out from their plate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from organelle_widgets.plates.outliers import FEWEST, WELL_MEASURES, standing_out
from organelle_widgets.plates.wells import WellColumns, find_well_columns, locate_wells

if TYPE_CHECKING:
    from organelle_widgets.results import Results

__all__ = ["WELL_COLUMNS", "fields_with_not_sure", "well_quality"]

WELL_COLUMNS: dict[str, str] = {
    "plate": "The plate; empty where there is one.",
    "well": "The well, such as B03.",
    "well_row": "Its row, from 0.",
    "well_col": "Its column, from 0.",
    "n_fields": "Fields that were analysed.",
    "n_failed": "Fields that failed.",
    "n_cells": "Cells in all of them.",
    "cells_per_field": "Mean number of cells of a field.",
    "border_share": "Share of the cells that touch the border of their field, 0 to 1.",
    "unusual_share": "Share of the cells that are unlike any that the classifier was trained on, 0 to 1.",
    "not_sure_share": "Share of the cells that show no class for certain, 0 to 1.",
    "median_cell_area_um2": "Median of the fields' median cell areas, um2.",
    "median_nucleus_area_um2": "Median of the fields' median nucleus areas, um2.",
    "nucleus_edge_um": "Median blur of the nuclei's edges, um; about 0.25 to 0.6 in focus.",
    "saturated_share": "Largest share of saturated pixels of any channel, mean of the fields, 0 to 1.",
    "n_warnings": "Warnings of all of its fields.",
    "seconds": "Seconds that its fields took.",
    "n_flags": "How many things stand out.",
    "flags": "What stands out, in words, with semicolons between.",
}
"""Columns of the table."""


def well_quality(
    source: Results | pd.DataFrame,
    failures: pd.DataFrame | None = None,
    columns: WellColumns | None = None,
) -> pd.DataFrame:
    """How every well came out, and what stands out.

    Parameters
    ----------
    source : Results or pandas.DataFrame
        A run, or its table of fields; with a column ``n_not_sure`` (cells of the field that show no class) the
        share of such cells is known as well.
    failures : pandas.DataFrame, optional
        The fields that failed; those of the run by default.
    columns : WellColumns, optional
        Which columns name plate and well; found by their usual names by default.

    Returns
    -------
    pandas.DataFrame
        One row a well, by plate, row and column: `WELL_COLUMNS`. Fields without a well are left out, and counted
        in ``attrs["notes"]``.

    Raises
    ------
    InputError
        If no column names wells, or a name can't be read.

    Notes
    -----
    A number stands out where its robust z, 0.6745 (x - median) / MAD over the wells of the same plate, is beyond
    3.5, and where it is far enough from the median to matter (``least`` of
    `organelle_widgets.plates.outliers.WellMeasure`); a share of cells must also be beyond 3.5 standard errors of so
    many cells, as one odd cell of three means little. Plates of fewer than six wells have too few to compare. Wells
    with failed fields or without cells are flagged in any case.

    References
    ----------
    Iglewicz, Hoaglin (1993). How to Detect and Handle Outliers. ASQC Quality Press. The same rule in the NIST/SEMATECH
    e-Handbook of Statistical Methods, section 1.3.5.17. doi:10.18434/M32189
    """
    if isinstance(source, pd.DataFrame):
        fields = source
    else:
        fields = fields_with_not_sure(source)
        failures = source.failures() if failures is None else failures
    found = columns or find_well_columns(fields.columns)
    done = pd.concat([locate_wells(fields, found), _numbers(fields)], axis=1)
    failed = _located_failures(failures, found)
    notes = _unplaced(done, failed)
    wells = _by_well(done[done["well"] != ""], failed[failed["well"] != ""])
    wells["flags"] = _flags(wells)
    wells["n_flags"] = [len(words.split("; ")) if words else 0 for words in wells["flags"]]
    wells.attrs = {"notes": (*notes, *_small_plates(wells))}
    return wells[list(WELL_COLUMNS)]


def fields_with_not_sure(results: Results) -> pd.DataFrame:
    """The table of fields of a run, with ``n_not_sure``: how many of their cells show no class.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    pandas.DataFrame
        One row a field.
    """
    counted = results.sql(
        "SELECT field, count(*) AS n_not_sure FROM cells WHERE predicted_classes = '' GROUP BY field"
    )
    fields: pd.DataFrame = results.fields()
    by_field = counted.set_index("field")["n_not_sure"]
    fields["n_not_sure"] = fields["field"].map(by_field).fillna(0).astype(int)
    return fields


def _numbers(fields: pd.DataFrame) -> pd.DataFrame:
    """What is added up or averaged over the fields of a well; NaN where a field has none."""
    names = ["n_cells", "n_cells_on_border", "n_unusual", "n_not_sure", "seconds"]
    names += [f"quality_{name}" for name in ("median_cell_area_um2", "median_nucleus_area_um2")]
    names += ["quality_nucleus_edge_um"]
    table = pd.DataFrame({name: _column(fields, name) for name in names}, index=fields.index)
    channels = [c for c in fields.columns if str(c).startswith("quality_saturated_share_")]
    table["saturated"] = fields[channels].astype(float).max(axis=1) if channels else np.nan
    warnings = (
        fields["warnings"].fillna("") if "warnings" in fields else pd.Series("", fields.index)
    )
    table["n_warnings"] = [len(text.splitlines()) for text in warnings]
    return table


def _column(fields: pd.DataFrame, name: str) -> pd.Series | float:
    """One column as floats; NaN where there is none."""
    return pd.to_numeric(fields[name]).astype(float) if name in fields else np.nan


def _located_failures(failures: pd.DataFrame | None, found: WellColumns | None) -> pd.DataFrame:
    """Plate and well of every failure; without wells where their table names none."""
    nothing = pd.DataFrame({"plate": [], "well": [], "well_row": [], "well_col": []})
    if failures is None or failures.empty or found is None:
        return nothing.astype({"plate": str, "well": str})
    return locate_wells(failures, found)


def _by_well(done: pd.DataFrame, failed: pd.DataFrame) -> pd.DataFrame:
    """One row a well with a field that was done or failed."""
    keys = ["plate", "well_row", "well_col", "well"]
    groups = done.groupby(keys)
    sums = groups[
        ["n_cells", "n_cells_on_border", "n_unusual", "n_not_sure", "seconds", "n_warnings"]
    ]
    total = sums.sum(min_count=1)
    wells = pd.DataFrame({"n_fields": groups.size(), "n_cells": total["n_cells"]})
    wells["cells_per_field"] = wells["n_cells"] / wells["n_fields"]
    cells = wells["n_cells"].where(wells["n_cells"] > 0)
    shares = {"border": "n_cells_on_border", "unusual": "n_unusual", "not_sure": "n_not_sure"}
    for name, column in shares.items():
        wells[f"{name}_share"] = total[column] / cells
    for name in ("median_cell_area_um2", "median_nucleus_area_um2", "nucleus_edge_um"):
        wells[name] = groups[f"quality_{name}"].median()
    wells["saturated_share"] = groups["saturated"].mean()
    wells["n_warnings"], wells["seconds"] = total["n_warnings"], total["seconds"]
    wells = wells.join(failed.groupby(keys).size().rename("n_failed"), how="outer")
    counts = ["n_fields", "n_failed", "n_cells", "n_warnings"]
    wells[counts] = wells[counts].fillna(0).astype(int)
    return wells.reset_index().sort_values(["plate", "well_row", "well_col"], ignore_index=True)


def _flags(wells: pd.DataFrame) -> list[str]:
    """What stands out in every well."""
    words: list[list[str]] = [_certain(row) for row in wells.to_dict("records")]
    for _, plate in wells[wells["n_fields"] > 0].groupby("plate"):
        for measure in WELL_MEASURES:
            for row, word in zip(plate.index, standing_out(plate, measure), strict=True):
                words[int(row)] += [word] if word else []
    return ["; ".join(one) for one in words]


def _certain(row: dict[Any, Any]) -> list[str]:
    """What is wrong with a well whatever the others are like."""
    words = []
    if row["n_failed"]:
        words.append(f"{row['n_failed']} of {row['n_failed'] + row['n_fields']} fields failed")
    if row["n_fields"] and not row["n_cells"]:
        words.append("no cells")
    return words


def _unplaced(done: pd.DataFrame, failed: pd.DataFrame) -> list[str]:
    """What is said of fields without a well."""
    lost = int((done["well"] == "").sum() + (failed["well"] == "").sum())
    return [f"{lost} field{'s' if lost > 1 else ''} without a well left out."] if lost else []


def _small_plates(wells: pd.DataFrame) -> list[str]:
    """What is said of plates with too few wells to compare."""
    sizes = (wells["n_fields"] > 0).groupby(wells["plate"]).sum()
    if (sizes >= FEWEST).all():
        return []
    return [f"Wells are compared on plates with {FEWEST} wells or more that have results."]
