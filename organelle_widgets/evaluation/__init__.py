"""Scoring segmenters and classifiers on fields with known answers."""
