"""What can go wrong: one root, and each class says who is at fault and whether to try again."""


class ParlourError(Exception):
    """Root of all errors that Parlour raises on purpose; its text is fit for a user's eyes."""

    retry = False  # whether the same call may succeed if it is simply made again


class ConfigError(ParlourError):
    """The owner's configuration is wrong: names the key and the mend. Never retried."""


class InputError(ParlourError):
    """What the user handed over (a file, a text, an argument) cannot be used as it is."""


class ToolError(InputError):
    """A tool was called with what cannot work; the text tells a model what would."""


class AudioError(InputError):
    """Sound that is not what it claims to be: a broken WAV, an Opus packet that is garbage."""


class ProtocolError(ParlourError):
    """A peer broke its protocol. `code` is the WebSocket close code to send with the reason."""

    def __init__(self, reason: str, code: int = 1002) -> None:
        super().__init__(reason)
        self.code = code


class MissingError(ParlourError):
    """Something that this machine lacks; the text holds the one command that brings it."""


class ProviderError(ParlourError):
    """An engine or a service failed; the next one in the chain, or a later try, may do."""

    retry = True
    retry_after_s: float | None = None  # as long as the service asks not to be asked again

    def __init__(self, provider: str, reason: str) -> None:
        super().__init__(f"{provider}: {reason}")
        self.provider = provider


class HomeError(ParlourError):
    """The house (its broker or a device) could not do what was asked."""

    retry = True
