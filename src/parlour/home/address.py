"""Where the broker is and how it is reached, out of one URL."""

import logging
import socket
import ssl
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aiomqtt

from parlour.errors import ConfigError

CONNECT_S = 5.0
MOST_WAITING = 100_000  # messages; a house of 5000 things retains some 20,000

# It warns of every burst of commands and of every connection that is closed before it was open.
_client_log = logging.getLogger(f"{__name__}.client")
_client_log.setLevel(logging.ERROR)


class Address:
    """A broker's URL, read once; `shown` is it without the password.

    `tls_ca` is a PEM file of authorities to trust in place of the system's; ConfigError when it
    or the URL cannot be used.
    """

    def __init__(self, url: str, tls_ca: Path | None = None) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigError("the broker's URL has a port that is no number") from error
        if parts.scheme not in ("mqtt", "mqtts") or not parts.hostname:
            raise ConfigError("the broker's URL must look like mqtt://host:1883 or mqtts://host")
        self.host = parts.hostname
        self.is_tls = parts.scheme == "mqtts"
        self.port = port or (8883 if self.is_tls else 1883)
        self.shown = f"{parts.scheme}://{self.host}:{self.port}"
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None
        self._tls = _trust(tls_ca) if self.is_tls else None

    def client(self, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
        return aiomqtt.Client(
            self.host,
            self.port,
            username=self._user,
            password=self._password,
            tls_context=self._tls,
            timeout=CONNECT_S,
            keepalive=15,
            will=will,
            max_queued_incoming_messages=MOST_WAITING,
            logger=_client_log,
            # Without it a command waits 40 ms for the peer's delayed acknowledgement.
            socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],
        )

    def explain(self, error: BaseException) -> str:
        """Why, in words without the password."""
        if isinstance(error, TimeoutError) or str(error) == "Operation timed out":
            return f"no answer within {CONNECT_S:.0f} s"
        text = " ".join(str(error).split()) or type(error).__name__
        return text.replace(self._password, "***") if self._password else text


def _trust(authorities: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ssl.SSLError) as error:
        message = f"the broker's authority {authorities} cannot be read: {error}"
        raise ConfigError(message) from error
