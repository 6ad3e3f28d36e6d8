"""The section of `config.yml` about MCP servers: which there are, and what may be used of each."""

import re
from typing import Annotated, Self, TypeAlias

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from parlour.app.section import Section
from parlour.app.values import HttpUrl, Text, between

COMMAND_TIER = 1
URL_TIER = 2  # what is told to another house cannot be taken back


def _server_name(value: object) -> str:
    """Short, since it stands before the name of every tool, of which 40 characters are kept."""
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,19}", value):
        raise ValueError("must be 1 to 20 lower-case letters, digits or _, a letter first")
    return value


def _secrets(names: str, said: str) -> BeforeValidator:
    """Values by name. No value is ever shown, whatever it is and whatever is wrong with it."""

    def read(value: object) -> object:
        if not isinstance(value, dict):
            return value
        read: dict[str, SecretStr] = {}
        for name, secret in value.items():
            if not isinstance(name, str) or not re.fullmatch(names, name):
                raise ValueError(f"must have names such as {said}")
            text = secret.get_secret_value() if isinstance(secret, SecretStr) else secret
            if isinstance(text, int | float) and not isinstance(text, bool):
                text = str(text)
            if not isinstance(text, str) or not text.isprintable():
                raise ValueError(f"{name} must be text on one line; put it in quotes")
            read[name] = SecretStr(text)
        return read

    return BeforeValidator(read)


def _tool_names(value: object) -> object:
    if isinstance(value, list) and not all(isinstance(v, str) and 0 < len(v) <= 200 for v in value):
        raise ValueError('must be names of tools, or "*" for all')
    return value


ServerName: TypeAlias = Annotated[str, BeforeValidator(_server_name)]
Environment: TypeAlias = Annotated[dict[str, SecretStr], _secrets(r"[A-Za-z_]\w*", "API_TOKEN")]
Headers: TypeAlias = Annotated[dict[str, SecretStr], _secrets(r"[A-Za-z0-9-]+", "Authorization")]


class McpSection(Section):
    """A server of the Model Context Protocol, by its name; docs/mcp.md says more."""

    command: Annotated[list[Text], Field(min_length=1)] | None = Field(
        default=None, description="Program and arguments of a server that runs here"
    )
    environment: Environment = Field(
        default_factory=dict,
        description="All that the program gets of the environment, besides PATH; secrets as"
        " ${VARIABLE}",
    )
    folder: Text | None = Field(default=None, description="Where it runs; null: where Parlour runs")
    url: HttpUrl | None = Field(default=None, description="Address of a server that runs elsewhere")
    headers: Headers = Field(
        default_factory=dict,
        description='Sent with every request, as in {Authorization: "Bearer ${KEY}"}',
    )
    tools: Annotated[list[str], BeforeValidator(_tool_names)] = Field(
        default_factory=list,
        description='Tools that may be used, by the server\'s names for them; ["*"]: all, at most'
        " 32; see `parlour mcp list`",
    )
    tier: Annotated[int, between(0, 3, int)] | None = Field(
        default=None,
        description="Of all its tools: 0 they only read, 1 harmless, 2 may annoy or cost, 3 may let"
        f" somebody in or harm; null: {COMMAND_TIER} for a command, {URL_TIER} for a URL",
    )
    deadline_s: Annotated[float, between(0.5, 120.0)] = Field(
        default=10.0, description="Seconds that a call may take"
    )
    start_s: Annotated[float, between(1.0, 300.0)] = Field(
        default=15.0, description="Seconds from its start until it has listed its tools"
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if (self.command is None) == (self.url is None):
            raise ValueError("must have either a command or a url")
        if self.command is None and (self.environment or self.folder):
            raise ValueError("environment and folder are for a server with a command")
        if self.url is None and self.headers:
            raise ValueError("headers are for a server with a url")
        return self
