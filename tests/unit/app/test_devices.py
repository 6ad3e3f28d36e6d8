"""What the routes of the microphones say and refuse, and what the commands make of it, over ASGI."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from parlour.app import calibrating, client, devicesclient
from parlour.app.client import ServerError
from parlour.app.config import parse
from parlour.app.devices import Calls
from parlour.app.satellites import Satellites
from parlour.errors import InputError
from parlour.gateways.satellites import satellite_routes
from parlour.home.store import open_store
from parlour.ids import DeviceId
from parlour.wake.rules import Lost, RoundId, Won

pytestmark = pytest.mark.anyio

URL = "http://house"
SHELF, DESK, ATTIC = DeviceId("shelf"), DeviceId("desk"), DeviceId("attic")


@dataclass
class House:
    satellites: Satellites
    client: TestClient
    connected: set[DeviceId] = field(default_factory=set)
    limited: set[DeviceId] = field(default_factory=set)

    def join(self, *devices: DeviceId) -> None:
        for device in devices:
            self.satellites.joined(device, is_persistent=True)
            self.connected.add(device)

    def wake(self, number: int, won: DeviceId, *lost: DeviceId) -> None:
        round_id = RoundId(f"home/{number}")
        for device in lost:
            self.satellites.observe(Lost(device, 2.0, round_id))
        self.satellites.observe(Won(won, round_id))


@pytest.fixture
async def house(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    monkeypatch.setattr(calibrating, "SAME_WORD_S", 0.0)
    app = FastAPI()
    monkeypatch.setattr(client, "link_to", lambda *_: TestClient(app, base_url=URL))
    async with open_store(None) as store:
        config = parse("satellites: {shelf: {area: Kitchen, name: Big Shelf}}", {})[0]
        satellites = Satellites(config, store)
        house = House(satellites, TestClient(app, base_url=URL))
        calls = Calls(
            satellites,
            connected=lambda: house.connected,
            limited=lambda: house.limited,
            spell=str.title,
        )
        app.include_router(satellite_routes(calls.routes()))

        @app.exception_handler(InputError)
        async def refuse(_request: Request, error: InputError) -> JSONResponse:
            return JSONResponse({"error": str(error)}, 422)

        yield house


def refused(house: House, method: str, path: str, body: object = None) -> str:
    answer = house.client.request(method, f"/api/devices/{path}", json=body)
    assert answer.status_code == 422
    return str(answer.json()["error"])


async def test_the_list_has_all_that_is_known_of_each_device(house: House) -> None:
    house.join(DESK)
    house.limited.add(DESK)
    house.satellites.claimed(DESK, -31.5)
    house.satellites.group(DESK, "den")
    house.wake(1, DESK)
    shelf, desk = sorted(
        house.client.get("/api/devices").json()["devices"], key=lambda d: str(d["id"]), reverse=True
    )
    assert (shelf["name"], shelf["area"], shelf["connected"], shelf["seen"]) == (
        "Big Shelf", "Kitchen", False, None,
    )  # fmt: skip
    assert shelf["last_wake"] is None
    assert (desk["connected"], desk["limited"], desk["group"]) == (True, True, "den")
    assert desk["gain_db"] == {"total": 0.0, "model": 0.0, "measured": None, "correction": 0.0}
    assert {**desk["last_wake"], "at": ""} == {
        "at": "", "round": "home/1", "level_dbfs": -31.5, "won": True,
    }  # fmt: skip


async def test_a_device_is_found_by_its_name_and_a_near_one_is_proposed(house: House) -> None:
    body = {"area": "living room"}
    changed = house.client.patch("/api/devices/big shelf", json=body).json()
    assert (changed["id"], changed["area"]) == ("shelf", "Living Room")
    assert refused(house, "GET", "bigshelf") == (
        "there is no device bigshelf; did you mean Big Shelf or shelf?"
    )
    house.join(DESK)
    house.client.patch("/api/devices/desk", json={"name": "big shelf"})
    assert refused(house, "GET", "BIG SHELF") == "BIG SHELF may be desk or shelf: use the id"


async def test_a_measurement_is_one_at_a_time_and_can_be_cancelled(house: House) -> None:
    house.join(DESK, ATTIC)
    assert refused(house, "POST", "shelf/calibration") == "Big Shelf is not connected"
    assert refused(house, "GET", "desk/calibration") == "desk is not being calibrated"
    assert house.client.post("/api/devices/desk/calibration").status_code == 201
    assert refused(house, "POST", "attic/calibration") == (
        "desk is being calibrated; one at a time"
    )
    assert house.client.delete("/api/devices/desk/calibration").json()["state"] == "cancelled"
    house.client.patch("/api/devices/attic", json={"mute": True})
    assert refused(house, "POST", "attic/calibration") == "attic is muted"
    house.client.patch("/api/devices/attic", json={"mute": False})
    assert house.client.post("/api/devices/attic/calibration").json()["left_s"] > 59


async def test_a_board_that_connects_when_it_is_woken_can_be_measured(house: House) -> None:
    house.satellites.told_model(ATTIC, "esp-box-3")
    assert house.client.post("/api/devices/attic/calibration").status_code == 201
    assert house.client.get("/api/devices/attic").json()["model"] == "esp-box-3"


async def test_the_wrong_room_is_that_of_the_last_wake_word(house: House) -> None:
    assert "no wake word was heard" in refused(house, "POST", "wrong-room", {"right": "shelf"})
    house.join(SHELF, DESK, ATTIC)
    house.wake(1, DESK, SHELF)
    house.wake(2, ATTIC, DESK)
    assert refused(house, "POST", "wrong-room", {"right": "shelf"}) == (
        "Big Shelf did not hear the last wake word, which attic answered: its gain is not what is"
        " wrong"
    )
    assert refused(house, "POST", "wrong-room", {"right": "attic"}) == (
        "attic did answer the last wake word"
    )
    said = house.client.post("/api/devices/wrong-room", json={"right": "desk"}).json()
    assert (said["round"], said["wrong"]["id"]) == ("home/2", "attic")
    body = {"right": "shelf", "wrong": "desk"}
    for _ in range(9):
        said = house.client.post("/api/devices/wrong-room", json=body).json()
    assert said["round"] is None
    assert said["right"]["gain_db"]["total"] == -6.0
    assert said["wrong"]["gain_db"]["total"] == 6.0
    assert "both the right one" in refused(
        house, "POST", "wrong-room", {"right": "desk", "wrong": "desk"}
    )


async def test_the_commands_print_tables_and_sentences(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    house.join(DESK)
    devicesclient.mute("desk", True, url=URL, as_json=False)
    devicesclient.group("desk", "den", url=URL, as_json=False)
    devicesclient.list_devices(url=URL, as_json=False)
    muted, den, head, desk, shelf = capsys.readouterr().out.splitlines()
    assert (muted, den) == ("desk is muted", "desk is of the group den")
    assert head.startswith("ID     NAME       AREA     GROUP  STATE             MODEL  GAIN")
    assert desk.split() == ["desk", "-", "-", "den", "connected,", "muted", "-", "0", "dB", "-"]
    assert shelf.startswith("shelf  Big Shelf  Kitchen  home   away")
    house.wake(1, DESK)
    devicesclient.show("desk", url=URL, as_json=False)
    said = capsys.readouterr().out.splitlines()
    assert "gain     0 dB (model 0 dB)" in said
    assert said[-1].endswith("  no level, answered")
    with pytest.raises(InputError, match="no device's id"):
        devicesclient.show(" ", url=URL, as_json=False)
    with pytest.raises(ServerError, match="there is no device hall"):
        devicesclient.show("hall", url=URL, as_json=False)


async def test_the_wizard_goes_from_device_to_device_and_names_who_could_not_be_measured(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="no device is connected"):
        devicesclient.calibrate([], url=URL)
    house.join(DESK, ATTIC)
    spoken: Iterator[float] = iter([-30.0, -30.5, -31.0, -40.0])

    def say(_s: float) -> None:
        collection = house.satellites.collection
        assert collection is not None
        if (dbfs := next(spoken, None)) is None:
            collection.began_s -= 60
        else:
            device = ATTIC if collection.device == ATTIC else DESK
            house.satellites.claimed(device, dbfs)

    monkeypatch.setattr(devicesclient, "sleep", say)
    assert devicesclient.calibrate([], url=URL) == 1
    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "attic: from one metre, say the wake word 3 times, as loud as ever and with a pause between",
        "  1 of 3: -30.0 dBFS",
        "  2 of 3: -30.0, -30.5 dBFS",
        "  3 of 3: -30.0, -30.5, -31.0 dBFS",
        "desk: from one metre, say the wake word 3 times, as loud as ever and with a pause between",
        "  1 of 3: -40.0 dBFS",
        "  only 1 of 3 wake words were heard within 60 s",
        "attic: its gain is 0 dB",
        "with one device alone there is nothing to compare: calibrate the others, too",
    ]
    assert err == "not calibrated: desk\n"
    spoken = iter([-40.0] * 3)
    assert devicesclient.calibrate(["desk"], url=URL) == 0
    assert capsys.readouterr().out.endswith("desk: its gain is -4.8 dB\n")


async def test_one_device_alone_has_nothing_to_be_compared_with(
    house: House, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    house.join(DESK)
    monkeypatch.setattr(devicesclient, "sleep", lambda _: house.satellites.claimed(DESK, -30.0))
    assert devicesclient.calibrate(["desk"], url=URL) == 0
    assert "calibrate the others, too" in capsys.readouterr().out


async def test_ctrl_c_leaves_the_device_as_it_was(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.join(DESK)

    def interrupt(_s: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(devicesclient, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        devicesclient.calibrate(["desk"], url=URL)
    assert house.client.get("/api/devices/desk/calibration").json()["state"] == "cancelled"
