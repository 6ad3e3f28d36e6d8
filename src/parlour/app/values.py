"""What a value of `config.yml` may be; each says in one line what is wrong with another."""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, PlainSerializer, SecretStr

from parlour.app.mqtturl import MqttUrl, parse_mqtt_url

LONGEST_NAME = 60  # characters, as for names that devices announce
ADDRESS = re.compile(r"unix:///.+|tcp://(?:\[[0-9A-Fa-f:.]+\]|[^:/\s]+):[0-9]{1,5}")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    raise ValueError("must be text" if value is None else "must be text; put it in quotes")


def _name(value: object) -> str:
    text = _text(value)
    if not 1 <= len(text) <= LONGEST_NAME or not text.isprintable():
        raise ValueError(f"must have 1 to {LONGEST_NAME} characters on one line")
    return text


def _language(value: object) -> str:
    parts = re.fullmatch(r"([a-z]{2,3})(?:[_-]([A-Za-z]{2}|[0-9]{3}))?", _text(value))
    if parts is None:
        raise ValueError("must be a language such as en_US")
    return f"{parts[1]}_{parts[2].upper()}" if parts[2] else parts[1]


def _alias_language(value: object) -> str:
    """ "" stands for every language."""
    return "" if value == "" else _language(value)


def _pattern(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[\w.*?\[\]!-]{1,200}", text):
        raise ValueError("must be a device's id or a pattern such as hall.*")
    return text.lower()


def digits(least: int, most: int) -> BeforeValidator:
    def read(value: object) -> str:
        # A number would have lost the zeros that it began with.
        text = _text(value)
        if not re.fullmatch(f"[0-9]{{{least},{most}}}", text):
            raise ValueError(f"must be {least} to {most} digits in quotes")
        return text

    return BeforeValidator(read)


def between(low: float, high: float, kind: type[int] | type[float] = float) -> BeforeValidator:
    """A number from the file, or the text of one from the environment."""
    span = f"must be {'a whole number ' if kind is int else ''}between {low} and {high}"

    def number(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise ValueError(span)  # noqa: TRY004  # pydantic listens for ValueError
        try:
            read = float(value)
        except ValueError:
            raise ValueError(span) from None
        if not low <= read <= high or kind(read) != read:
            raise ValueError(span)
        return kind(read)

    return BeforeValidator(number)


def _prefix(value: object) -> str:
    text = _text(value).strip("/")
    if not text or text.startswith("$") or not text.isprintable() or set(text) & set("+#"):
        raise ValueError("must be an MQTT topic without + and #, such as homeassistant")
    return text


def _url(value: object) -> MqttUrl:
    return value if isinstance(value, MqttUrl) else parse_mqtt_url(_text(value))


def _http_url(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"https?://[^/@\s]+(?:/[^\s?#@]*)?", text):
        raise ValueError("must look like http://127.0.0.1:8080/v1, without a login")
    return text


def _key(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError("must be the key alone, without blanks")
    return text


def _redis_url(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"rediss?://(?:[^@\s]*@)?[^@:/\s]+(?::[0-9]{1,5})?(?:/[0-9]{1,2})?", text):
        raise ValueError("must look like redis://localhost:6379/0")
    return text


def _keep_alive(value: object) -> int | str:
    """As Ollama takes it: seconds, a time with its unit, or any number below 0 for ever."""
    if isinstance(value, int | str) and not isinstance(value, bool):
        text = str(value).strip()
        if re.fullmatch(r"-1|[0-9]{1,7}", text):
            return int(text)
        if re.fullmatch(r"[0-9]{1,5}[smh]", text):
            return text
    raise ValueError("must be -1 for ever, or a time such as 30m")


def providers_of(there_is: Iterable[str]) -> BeforeValidator:
    """One name, or several in the order in which they take over from each other."""
    names = sorted(there_is)

    def providers(value: object) -> list[str]:
        given = value if isinstance(value, list) else [value]
        for name in given:
            if name not in names:
                close = get_close_matches(str(name), names, n=1)
                hint = f"; did you mean {close[0]}?" if close and len(names) > 1 else ""
                raise ValueError(f"must be {either(names)}{hint}")
        if not given or len(set(given)) != len(given):
            raise ValueError("must be one name, or a list of different ones")
        return [str(name) for name in given]

    return BeforeValidator(providers)


def one_of(names: Sequence[str]) -> BeforeValidator:
    def choice(value: object) -> str:
        if value not in names:
            raise ValueError(f"must be {either(names)}")
        return str(value)

    return BeforeValidator(choice)


def _wyoming_uris(value: object) -> list[str]:
    uris = [_text(uri) for uri in (value if isinstance(value, list) else [value])]
    if not uris or not all(ADDRESS.fullmatch(uri) for uri in uris):
        raise ValueError("must be addresses such as tcp://10.0.0.5:10300 or unix:///PATH")
    return uris


def _source_url(value: object) -> str:
    text = _text(value).rstrip("/")
    if not re.fullmatch(r"(?:https?://[^/@\s]+(?:/[^\s?#@]*)?|file:///[^\s?#]*)", text):
        raise ValueError("must look like https://host/path or file:///path")
    return text


def either(names: Sequence[str]) -> str:
    return " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))


def flow_list(names: list[str]) -> str | list[str]:
    """As an owner would write it: one name without brackets."""
    return names[0] if len(names) == 1 else names


Text: TypeAlias = Annotated[str, BeforeValidator(_text)]
Name: TypeAlias = Annotated[str, BeforeValidator(_name)]
Language: TypeAlias = Annotated[str, BeforeValidator(_language)]
AliasLanguage: TypeAlias = Annotated[str, BeforeValidator(_alias_language)]
Pattern: TypeAlias = Annotated[str, BeforeValidator(_pattern)]
Key: TypeAlias = Annotated[SecretStr, BeforeValidator(_key)]
HttpUrl: TypeAlias = Annotated[str, BeforeValidator(_http_url)]
SourceUrl: TypeAlias = Annotated[str, BeforeValidator(_source_url)]
WyomingUris: TypeAlias = Annotated[list[str], BeforeValidator(_wyoming_uris)]
TopicPrefix: TypeAlias = Annotated[str, BeforeValidator(_prefix)]
BrokerUrl: TypeAlias = Annotated[MqttUrl, BeforeValidator(_url), PlainSerializer(str)]
# It may hold a password, so it is never shown.
RedisUrl: TypeAlias = Annotated[SecretStr, BeforeValidator(_redis_url)]
KeepAlive: TypeAlias = Annotated[int | str, BeforeValidator(_keep_alive)]
