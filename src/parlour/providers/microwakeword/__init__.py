"""microWakeWord: networks so small that a server hears every microphone with them.

Only the wheel's TensorFlow Lite library and its models are used, and of pymicro-features the audio
front end; the Python code of pymicro-wakeword would load each network anew to reset it.
"""

from parlour.providers.microwakeword.engine import MicroWakeWord

__all__ = ["MicroWakeWord"]
