"""The numbers of a classifier's training, and their ranges."""

from __future__ import annotations

from dataclasses import dataclass

from organelle_widgets.core.settings import setting
from organelle_widgets.training.fit import FitSettings
from organelle_widgets.training.split import HELD_OUT_FRACTION

__all__ = ["TrainingSettings"]


@dataclass(frozen=True)
class TrainingSettings(FitSettings):
    """Numbers of a training run: those of `FitSettings`, and what is learnt from.

    Parameters
    ----------
    virtual_fields : int
        How many fields to draw; 0 for none, where there are labelled ones.
    simulated : int
        How many real cells get a simulated protein; 0 for none.
    varied : int
        How many real cells are changed in shape and exposure; 0 for none.
    validation_fraction : float
        Share of antibodies or wells kept aside and scored.
    tuning_fraction : float
        Share of the other fields that nothing is learnt from either: they show when to stop, and calibrate. From 3
        fields on.

    Raises
    ------
    SettingsError
        If a number is out of its range.
    """

    virtual_fields: int = setting(40, label="Virtual fields", minimum=0)
    simulated: int = setting(4000, label="Simulated proteins", minimum=0)
    varied: int = setting(4000, label="Varied cells", minimum=0)
    validation_fraction: float = setting(
        HELD_OUT_FRACTION, label="Held-out share", minimum=0, maximum=0.9
    )
    tuning_fraction: float = setting(0.15, label="Share for tuning", minimum=0, maximum=0.5)
