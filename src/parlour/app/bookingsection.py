"""The section `bookings` of `config.yml`: where something can be booked."""

from typing import Annotated

from pydantic import Field

from parlour.app.section import Section
from parlour.app.toolvalues import Description
from parlour.app.values import HttpUrl, Key, between


class Bookings(Section):
    """Somebody who takes bookings over the API that examples/booking describes."""

    url: HttpUrl = Field(description="Where the API is, as in https://barber.example/api")
    api_key: Key | None = Field(default=None, description="Key, best as ${VARIABLE}")
    description: Description | None = Field(
        default=None, description="What can be booked there, in a few words for the model"
    )
    trusted: bool = Field(
        default=True,
        description="false: a turn that has read the names of its services may not do things,"
        " so that to look and to book take two sentences",
    )
    deadline_s: Annotated[float, between(0.1, 60.0)] = Field(
        default=5.0, description="Seconds after which a request is given up"
    )
