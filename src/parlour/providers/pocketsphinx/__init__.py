"""The embedded English recogniser; what lives here runs in the engine's own process."""

from parlour.providers.pocketsphinx.engine import (
    PocketsphinxHearing,
    PocketsphinxOptions,
    PocketsphinxRecogniser,
    serve,
)

__all__ = [
    "PocketsphinxHearing",
    "PocketsphinxOptions",
    "PocketsphinxRecogniser",
    "serve",
]
