"""Coqui's voices: `engine` runs in a process of its own, `server` asks one that runs already."""

# Nothing is imported here: the engine needs no HTTP, and the server no engine.
