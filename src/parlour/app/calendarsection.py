"""The section of `config.yml` about calendars."""

import re
from typing import Annotated, TypeAlias
from zoneinfo import available_timezones

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from parlour.app.section import Section
from parlour.app.values import Name, between

LONGEST_ADDRESS = 2_000


def _address(value: object) -> str:
    text = value.strip() if isinstance(value, str) else ""
    if not re.fullmatch(r"https?://[^/@\s]+(?:/[^\s?#]*)?", text):
        raise ValueError("must look like https://dav.example.org/anna/family/, without a login")
    return text


def _feed(value: object) -> str:
    """Private addresses hold a secret in their path or query, so none is ever shown."""
    text = value.strip() if isinstance(value, str) else ""
    text = re.sub(r"^webcals?://", "https://", text)
    is_address = re.fullmatch(r"https?://[^\s]+", text) is not None
    is_path = "://" not in text or text.startswith("file:///")
    if (
        not 1 <= len(text) <= LONGEST_ADDRESS
        or not text.isprintable()
        or not (is_address or is_path)
    ):
        raise ValueError("must be an address such as https://host/x.ics, or a file")
    return text


def _password(value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= 200 or not value.isprintable():
        raise ValueError("must be text on one line; put it in quotes")
    return value


def _zone(value: object) -> str:
    if value not in available_timezones():
        raise ValueError("must be a time zone such as Europe/Berlin")
    return str(value)


Address: TypeAlias = Annotated[str, BeforeValidator(_address)]
FeedAddress: TypeAlias = Annotated[SecretStr, BeforeValidator(_feed)]
Password: TypeAlias = Annotated[SecretStr, BeforeValidator(_password)]
TimeZone: TypeAlias = Annotated[str, BeforeValidator(_zone)]


class Calendar(Section):
    """A calendar, by the name it is called here: `url` on a CalDAV server, or `ics`, which is only
    read. Of several that may be written to, the first is meant where none is named."""

    url: Address | None = Field(
        default=None, description="CalDAV: of the calendar, of the account or of the server"
    )
    username: Name | None = Field(default=None, description="CalDAV: user name")
    password: Password | None = Field(
        default=None, description="CalDAV: password, best as ${VARIABLE}"
    )
    calendar: Name | None = Field(
        default=None, description="CalDAV: its name on the server; null: `url` leads to only one"
    )
    readonly: bool = Field(default=False, description="true: nothing is ever changed in it")
    ics: FeedAddress | None = Field(
        default=None, description="Address of a published calendar, or path of a file"
    )
    refresh_s: Annotated[float, between(60.0, 86_400.0)] = Field(
        default=900.0, description="ics: seconds after which it is fetched anew when asked about"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> "Calendar":
        if (self.url is None) == (self.ics is None):
            raise ValueError("needs either url or ics")
        return self
