"""The query behind `Results.count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from organelle_widgets.results._sql import quoted, where_clause

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NOT_SURE", "count_query"]

NOT_SURE = "Not sure"
"""Counted for cells without a predicted class."""


def count_query(by: Sequence[str], where: str | None) -> str:
    """How many cells there are of each kind, as SQL.

    Parameters
    ----------
    by : sequence of str
        Columns, or ``"class"``.
    where : str, optional
        A condition.

    Returns
    -------
    str
        Gives the columns of `by`, ``n_cells`` and ``share``.
    """
    plain = [quoted(name) for name in by if name != "class"]
    keys = "".join(f"{name}, " for name in plain)
    kept = where_clause(where)
    if "class" not in by:
        return (
            f"SELECT {keys}count(*) AS n_cells, count(*) / sum(count(*)) OVER () AS share "
            f"FROM cells {kept} GROUP BY ALL ORDER BY {', '.join(plain)}"
        )
    shown = ", ".join(quoted(name) for name in by)
    window = f"PARTITION BY {', '.join(plain)}" if plain else ""
    order = ", ".join([*plain, "n_cells DESC", '"class"'])
    # cells alike in their classes are counted first, so that few texts are taken apart
    return f"""
        WITH alike AS (
            SELECT {keys}predicted_classes AS answer, count(*) AS n FROM cells {kept} GROUP BY ALL
        ), weighed AS (
            SELECT *, sum(n) OVER ({window}) AS among FROM alike
        ), apart AS (
            SELECT *, unnest(CASE WHEN answer IS NULL OR answer = '' THEN ['{NOT_SURE}']
                             ELSE string_split(answer, '|') END) AS "class" FROM weighed
        )
        SELECT {shown}, sum(n)::BIGINT AS n_cells, sum(n) / any_value(among) AS share
        FROM apart GROUP BY {keys}"class" ORDER BY {order}
    """
