"""Configuration, registry, wiring and the command line: the only files that see every room."""
