"""The routes of the microphones: which there are, what their owner decides about them, how loud they hear."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Record = Mapping[str, object]


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("must be text on one line")
    return text


Name: TypeAlias = Annotated[str, Field(min_length=1, max_length=60), AfterValidator(_printable)]


class Change(Body):
    """What is left out stays; null goes back to config.yml."""

    name: Name | None = Field(default=None, description="What it is called")
    area: Name | None = Field(default=None, description='Where it stands: "the light" is there')
    group: Name | None = Field(default=None, description="Of one group, the nearest answers")
    model: Name | None = Field(default=None, description="What hardware it is")
    gain_db: Annotated[float, Field(ge=-30, le=30, allow_inf_nan=False)] | None = Field(
        default=None,
        description="How much louder it hears than others; replaces what was measured, also as null",
    )
    floor_dbfs: Annotated[float, Field(ge=-120, le=0, allow_inf_nan=False)] | None = Field(
        default=None, description="Wake words that it hears more faintly are not answered"
    )
    mute: Annotated[bool, Field(strict=True)] | None = Field(
        default=None, description="true: its microphone is not listened to"
    )


class WrongRoom(Body):
    right: str = Field(min_length=1, max_length=60, description="Who should have answered")
    wrong: str | None = Field(
        default=None, max_length=60, description="Who did; null: as in the last round"
    )


@dataclass(frozen=True, slots=True)
class SatelliteCalls:
    """What the routes ask of the house; made in app/devices.py.

    Devices are named by their id or their name. All raise InputError for one that there is not, and
    for what cannot be done now.
    """

    devices: Callable[[], Sequence[Record]]
    device: Callable[[str], Record]
    change: Callable[[str, Change], Record]
    calibrate: Callable[[str], Record]
    progress: Callable[[str], Record]
    cancel: Callable[[str], Record]
    wrong_room: Callable[[WrongRoom], Record]
    told_model: Callable[[str, str], None]  # what a board says of itself when it starts


def satellite_routes(calls: SatelliteCalls) -> APIRouter:
    """Everything that can be asked and decided about microphones over HTTP."""
    routes = APIRouter()

    @routes.get("/api/devices")
    async def devices() -> dict[str, object]:
        """Every microphone that is configured or was ever seen.

        `gain_db` is what is taken off its levels, with its parts: of its `model` (or as told),
        `measured` in place of that, and the `correction` on top. `last_wake` says how loud the
        last wake word was there, and who answered. `limited`: it claims so often that it is refused.
        """
        return {"devices": list(calls.devices())}

    @routes.get("/api/devices/{id}")
    async def device(id: str) -> Record:  # noqa: A002  # it is called so in the path
        """One microphone, with the last wake words that it heard."""
        return calls.device(id)

    @routes.patch("/api/devices/{id}")
    async def change(id: str, change: Change) -> Record:  # noqa: A002
        """Decide something about a microphone, for good; it counts at once."""
        return calls.change(id, change)

    @routes.post("/api/devices/{id}/calibration", status_code=201)
    async def calibrate(id: str) -> Record:  # noqa: A002
        """Measure how loud it hears: for 60 s its wake words are not answered, but measured."""
        return calls.calibrate(id)

    @routes.get("/api/devices/{id}/calibration")
    async def progress(id: str) -> Record:  # noqa: A002
        """How far the measurement is: `state`, `words` of `wanted`, `levels_dbfs`, `trouble`."""
        return calls.progress(id)

    @routes.delete("/api/devices/{id}/calibration")
    async def cancel(id: str) -> Record:  # noqa: A002
        """Leave the device as it was."""
        return calls.cancel(id)

    @routes.post("/api/devices/wrong-room")
    async def wrong_room(said: WrongRoom) -> Record:
        """Another device should have answered: 1 dB for each of the two."""
        return calls.wrong_room(said)

    return routes
