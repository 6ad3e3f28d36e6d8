"""The sections `requests` and `weather` of `config.yml`: what may be asked of the web."""

import re
from collections.abc import Iterable
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from parlour.app.section import Section
from parlour.app.toolvalues import Description, Parameter, Word
from parlour.app.values import AliasLanguage, HttpUrl, between, one_of
from parlour.tools import pick, templates

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# What the connection is made of is not the owner's to set.
_OURS = ("host", "content-length", "transfer-encoding", "connection", "accept-encoding")


def _headers(value: object) -> object:
    """Checked as a whole, so that no error shows a value: it may be a key."""
    if not isinstance(value, dict):
        return value
    for name, text in value.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,80}", name):
            raise ValueError("has a name that is no header's")
        if name.lower() in _OURS:
            raise ValueError(f"may not set {name}")
        if not isinstance(text, str) or not re.fullmatch(r"[ -~]+", text):
            raise ValueError(f"must have text of one line under {name}; put it in quotes")
    return value


def _questions(value: object) -> object:
    return {"": value} if isinstance(value, str) else value


def _path(value: object) -> object:
    if isinstance(value, str):
        pick.read(value)
    return value


def _url(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    templates.read_url(text)
    return text


Headers: TypeAlias = Annotated[dict[str, SecretStr], BeforeValidator(_headers)]
Questions: TypeAlias = Annotated[dict[AliasLanguage, str], BeforeValidator(_questions)]
# Its query may hold a key, so it is never shown.
UrlWithParameters: TypeAlias = Annotated[SecretStr, BeforeValidator(_url)]


def _only_known(used: Iterable[str], known: Iterable[str]) -> None:
    if missing := sorted(set(used) - set(known)):
        raise ValueError(f"uses {{{missing[0]}}}, which is not among the parameters")


class Request(Section):
    """A request to a web service; a tool of this name. Its host is yours: no value changes it."""

    description: Description = Field(description="One sentence for the model: what it is for")
    method: Annotated[str, one_of(METHODS)] = Field(default="GET", description=", ".join(METHODS))
    parameters: dict[Word, Parameter] = Field(
        default_factory=dict, description="What a model fills in, by name"
    )
    body: dict[str, Any] | list[Any] | None = Field(
        default=None, description="JSON to send; {name} in its texts stands for a parameter"
    )
    question: Questions | None = Field(
        default=None,
        description="Asked back first, by language, with {name} for a parameter; a text alone is"
        " for every language, {} asks nothing; null: a plain one where the method is not GET",
    )
    url: UrlWithParameters = Field(
        description="https://host/path?key={name}; parameters only after the host"
    )
    headers: Headers = Field(
        default_factory=dict, description='As in {Authorization: "Bearer ${KEY}"}'
    )
    pick: Annotated[str, BeforeValidator(_path)] | None = Field(
        default=None,
        description="Part of the JSON that is wanted, as in departures[0:3].{time: at, line: line};"
        " null: all of it",
    )
    tier: Annotated[int, between(0, 3, int)] | None = Field(
        default=None,
        description="0 only reads, 1 harmless, 2 may annoy or cost, 3 may harm; null: 0 for GET,"
        " else 2",
    )
    deadline_s: Annotated[float, between(0.1, 60.0)] = Field(
        default=5.0, description="Seconds after which it is given up"
    )

    @property
    def risk(self) -> int:
        return self.tier if self.tier is not None else 0 if self.method == "GET" else 2

    @field_validator("body", mode="after")
    @classmethod
    def _fill_the_body(cls, body: object, info: ValidationInfo) -> object:
        if body is not None:
            if info.data.get("method") == "GET":
                raise ValueError("is nothing that a GET can send; use POST")
            if "parameters" in info.data:
                _only_known(templates.names_in(body), info.data["parameters"])
        return body

    @field_validator("question", mode="after")
    @classmethod
    def _fill_the_questions(
        cls, question: dict[str, str] | None, info: ValidationInfo
    ) -> dict[str, str] | None:
        for text in (question or {}).values():
            names = templates.read(text).names
            if "parameters" in info.data:
                _only_known(names, info.data["parameters"])
        return question

    @field_validator("url", mode="after")
    @classmethod
    def _fill_the_url(cls, url: SecretStr, info: ValidationInfo) -> SecretStr:
        if "parameters" not in info.data or "body" not in info.data:
            return url  # they are wrong themselves
        parameters: dict[str, Parameter] = info.data["parameters"]
        read = templates.read_url(url.get_secret_value())
        _only_known(read.names, parameters)
        idle = set(parameters) - read.names - templates.names_in(info.data["body"])
        if idle:
            raise ValueError(f"does not use the parameter {min(idle)}, nor does the body")
        for name in sorted(read.path_names):
            if not parameters[name].required:
                raise ValueError(f"has {{{name}}} in its path, so that it cannot be left out")
        return url


class Weather(Section):
    """The weather where you live. Asked of open-meteo.com unless `url` names a server of yours:
    your coordinates, and towns you ask about, then leave the house."""

    latitude: Annotated[float, between(-90.0, 90.0)] = Field(description="Degrees north")
    longitude: Annotated[float, between(-180.0, 180.0)] = Field(description="Degrees east")
    units: Annotated[str, one_of(("metric", "imperial"))] = Field(
        default="metric", description="metric (°C, mm, km/h) or imperial (°F, inch, mph)"
    )
    url: HttpUrl | None = Field(
        default=None, description="An Open-Meteo server's /v1/forecast; null: open-meteo.com"
    )
    places_url: HttpUrl | None = Field(
        default=None,
        description="A server that finds towns, /v1/search; null: open-meteo.com, or none where"
        " `url` is yours",
    )
    deadline_s: Annotated[float, between(0.1, 60.0)] = Field(
        default=5.0, description="Seconds after which it is given up"
    )
