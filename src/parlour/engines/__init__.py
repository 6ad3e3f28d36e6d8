"""Engines in child processes and the Wyoming protocol to them; knows no vendor's engine."""
