"""Placeholder, written with its folder."""
