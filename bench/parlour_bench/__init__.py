"""Measurements of a running server by a device in software: fixtures, runs and honest reports."""
