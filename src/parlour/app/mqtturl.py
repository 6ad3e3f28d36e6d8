"""Where a broker is and how to log in to it, read from a URL that never shows its login."""

from dataclasses import dataclass, field
from urllib.parse import unquote

from parlour.app.masking import MASK

_PORTS = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class MqttUrl:
    """`str()` and `repr()` of it are fit for logs."""

    host: str
    port: int
    tls: bool = False
    username: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        login = "" if self.username is None else f"{MASK}@"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{login}{host}:{self.port}"


def parse_mqtt_url(text: str) -> MqttUrl:
    """Read `mqtt://user:password@host:port`, or `mqtts://` for TLS; ValueError says the mend.

    The login ends at the last @, so that a password from the environment need not be quoted;
    %40 and the like are decoded. No error repeats any part of the text.
    """
    scheme, separator, rest = text.strip().partition("://")
    if not separator or scheme.lower() not in _PORTS:
        raise ValueError("must begin with mqtt:// or mqtts://, as in mqtt://localhost:1883")
    login, at, place = rest.rpartition("@")
    host, port = _host_and_port(place.removesuffix("/"))
    if not host or any(c in host for c in "/?#[]@") or not host.isprintable() or " " in host:
        raise ValueError("must name a host and nothing after its port, as in mqtt://localhost:1883")
    if port and not (port.isascii() and port.isdecimal() and 1 <= int(port[:6]) <= 65535):
        raise ValueError("must have a port between 1 and 65535, as in mqtt://localhost:1883")
    username, colon, password = login.partition(":")
    return MqttUrl(
        host=host,
        port=int(port) if port else _PORTS[scheme.lower()],
        tls=scheme.lower() == "mqtts",
        username=unquote(username) if at else None,
        password=unquote(password) if colon else None,
    )


def _host_and_port(place: str) -> tuple[str, str]:
    if place.startswith("["):  # an IPv6 address
        host, closed, after = place[1:].partition("]")
        return (host, after[1:]) if closed and after[:1] in ("", ":") else ("", "")
    host, _, port = place.partition(":")
    return host, port
