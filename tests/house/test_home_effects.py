"""The demo home on a real mosquitto, by what really becomes of it: whoever is announced first, each
thing is there once and under its own name, and every command ends in the truth of the device."""

from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import anyio
import pytest

from brokers import find_mosquitto, free_port, mosquitto
from living import Living, command, live_in_the_demo, living_in, until
from parlour.home.demo import FLOORS, DemoHome, demo_entities, run_demo
from parlour.home.demo.devices import Cover, Detector, Light, Sensor, Switch
from parlour.home.entities import Command, Entity, Result, Verb
from parlour.home.mqtt import CONFIRM_S, MqttHouse
from parlour.ids import EntityId, StageName
from parlour.supervise import Health, RestartRule, Stage, keep_running
from parlour.tasks import task_group

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]

CONFIRMED, SENT, OFFLINE = Result.CONFIRMED, Result.SENT, Result.OFFLINE
UNCONFIRMED = Result.UNCONFIRMED

# Id, kind, name, area and floor, features.
TABLE = """
bathroom.leak_sensor | binary_sensor | Bathroom Leak Sensor | Bathroom, upstairs | -
bathroom.leak_sensor_battery | sensor | Bathroom Leak Sensor Battery | Bathroom, upstairs | -
bathroom.light | light | Bathroom Light | Bathroom, upstairs | brightness on_off
bathroom.radiator | climate | Bathroom Radiator | Bathroom, upstairs | mode on_off temperature
bathroom.radiator_battery | sensor | Bathroom Radiator Battery | Bathroom, upstairs | -
bathroom.sensor_battery | sensor | Bathroom Sensor Battery | Bathroom, upstairs | -
bathroom.sensor_humidity | sensor | Bathroom Sensor Humidity | Bathroom, upstairs | -
bathroom.sensor_temperature | sensor | Bathroom Sensor Temperature | Bathroom, upstairs | -
bathroom.washing_machine | switch | Bathroom Washing Machine | Bathroom, upstairs | on_off
bathroom.washing_machine_power | sensor | Bathroom Washing Machine Power | Bathroom, upstairs | -
bathroom.washing_program | select | Bathroom Washing Program | Bathroom, upstairs | mode
bedroom.blinds | cover | Bedroom Blinds | Bedroom, upstairs | open_close position stop
bedroom.humidifier | humidifier | Bedroom Humidifier | Bedroom, upstairs | humidity mode on_off
bedroom.lamp | light | Bedroom Lamp | Bedroom, upstairs | brightness color on_off
bedroom.light | light | Bedroom Light | Bedroom, upstairs | brightness color on_off
garage.attic_fan | fan | Garage Attic Fan | Garage, downstairs | on_off speed
garage.door | cover | Garage Door | Garage, downstairs | open_close stop
garage.heater | switch | Garage Heater | Garage, downstairs | on_off
garage.light | light | Garage Light | Garage, downstairs | brightness on_off
garden.awning | cover | Garden Awning | Garden, downstairs | open_close position stop
garden.doorbell_chime | switch | Garden Doorbell Chime | Garden, downstairs | on_off
garden.humidity | sensor | Garden Humidity | Garden, downstairs | -
garden.lights | light | Garden Lights | Garden, downstairs | brightness on_off
garden.shed_light | light | Garden Shed Light | Garden, downstairs | brightness on_off
garden.temperature | sensor | Garden Temperature | Garden, downstairs | -
garden.water | valve | Garden Water | Garden, downstairs | open_close position
garden.watering_time | number | Garden Watering Time | Garden, downstairs | value
hall.front_door | lock | Front Door | Hall, downstairs | lock
hall.front_door_battery | sensor | Front Door Battery | Hall, downstairs | -
hall.light | light | Hall Light | Hall, downstairs | brightness color_temp on_off
hall.motion | binary_sensor | Hall Motion | Hall, downstairs | -
hall.motion_battery | sensor | Hall Motion Battery | Hall, downstairs | -
hall.siren | siren | Hall Siren | Hall, downstairs | on_off
hall.staircase_light | light | Hall Staircase Light | Hall, downstairs | brightness color_temp on_off
home.anna | device_tracker | Anna | - | -
home.good_night | scene | Good Night | - | activate
home.movie_night | scene | Movie Night | - | activate
kids_room.curtains | cover | Kids Room Curtains | Kids Room, upstairs | open_close position stop
kids_room.light | light | Kids Room Light | Kids Room, upstairs | brightness color color_temp on_off
kids_room.night_light | light | Kids Room Night Light | Kids Room, upstairs | brightness on_off
kids_room.play_corner | light | Play Corner | Kids Room, upstairs | brightness on_off
kids_room.play_corner_bedtime | scene | Play Corner Bedtime | Kids Room, upstairs | activate
kitchen.back_door | binary_sensor | Back Door | Kitchen, downstairs | -
kitchen.back_door_battery | sensor | Back Door Battery | Kitchen, downstairs | -
kitchen.blinds | cover | Kitchen Blinds | Kitchen, downstairs | open_close position stop
kitchen.cat_feeder | button | Kitchen Cat Feeder | Kitchen, downstairs | activate
kitchen.coffee_machine | switch | Kitchen Coffee Machine | Kitchen, downstairs | on_off
kitchen.light | light | Kitchen Light | Kitchen, downstairs | brightness on_off
kitchen.smoke_detector | binary_sensor | Kitchen Smoke Detector | Kitchen, downstairs | -
kitchen.smoke_detector_battery | sensor | Kitchen Smoke Detector Battery | Kitchen, downstairs | -
kitchen.window | binary_sensor | Kitchen Window | Kitchen, downstairs | -
kitchen.window_battery | sensor | Kitchen Window Battery | Kitchen, downstairs | -
living_room.blinds | cover | Living Room Blinds | Living Room, downstairs | open_close position stop
living_room.ceiling_fan | fan | Living Room Ceiling Fan | Living Room, downstairs | mode on_off speed
living_room.lamp | light | Living Room Lamp | Living Room, downstairs | brightness color on_off
living_room.light | light | Living Room Light | Living Room, downstairs | brightness color color_temp on_off
living_room.television | switch | Living Room Television | Living Room, downstairs | on_off
living_room.television_power | sensor | Living Room Television Power | Living Room, downstairs | -
living_room.thermostat | climate | Living Room Thermostat | Living Room, downstairs | mode on_off temperature
living_room.vacuum | vacuum | Living Room Vacuum | Living Room, downstairs | dock locate pause start stop
office.air_quality | sensor | Office Air Quality | Office, upstairs | -
office.fan | switch | Office Fan | Office, upstairs | on_off
office.humidity | sensor | Office Humidity | Office, upstairs | -
office.light | light | Office Light | Office, upstairs | brightness on_off
office.shutters | cover | Office Shutters | Office, upstairs | open_close position stop tilt
office.temperature | sensor | Office Temperature | Office, upstairs | -
"""


def line(entity: Entity) -> str:
    where = f"{entity.area}, {entity.floor}" if entity.area else "-"
    features = " ".join(sorted(entity.features)) or "-"
    return " | ".join([entity.id, entity.kind, entity.name, where, features])


def lines(house: MqttHouse) -> list[str]:
    return [line(entity) for entity in house.entities.values()]


@pytest.fixture
async def living(tmp_path: Path) -> AsyncIterator[Living]:
    async with live_in_the_demo(tmp_path) as found:
        yield found


# ---------------------------------------------------------------- who is there


def is_native(message: tuple[str, str]) -> bool:
    return not message[0].startswith("homeassistant/")


@pytest.mark.parametrize("first", ["native", "discovery", "turned round"])
async def test_every_thing_is_there_once_whoever_announces_it_first(
    tmp_path: Path, first: str
) -> None:
    messages = list(DemoHome().announcements())
    match first:
        case "native":
            messages.sort(key=is_native, reverse=True)
        case "discovery":
            messages.sort(key=is_native)
        case _:
            messages.reverse()
    async with mosquitto(tmp_path) as (url, _), living_in(url) as house:
        async with aiomqtt.Client("127.0.0.1", int(url.rpartition(":")[2])) as client:
            for topic, payload in messages:
                await client.publish(topic, payload, retain=True)
        await until(lambda: lines(house) == TABLE.strip().splitlines())
        await anyio.sleep(0.5)  # nothing comes later
        assert lines(house) == TABLE.strip().splitlines()
        # A house that starts anew has the same ids.
        async with living_in(url) as again:
            assert lines(again) == lines(house)


def test_the_demo_home_without_a_broker_is_the_same() -> None:
    assert [line(each) for each in demo_entities()] == TABLE.strip().splitlines()


async def test_a_device_that_joins_later_gets_the_id_that_it_would_have_had(
    tmp_path: Path,
) -> None:
    topics = ("zigbee2mqtt/bridge/devices", "0x000d6f0004ff8d10")  # all, and the lock
    messages = [each for each in DemoHome().announcements() if any(t in each[0] for t in topics)]
    for joining in (messages, messages[::-1]):
        async with mosquitto(tmp_path) as (url, _), living_in(url) as house:
            async with aiomqtt.Client("127.0.0.1", int(url.rpartition(":")[2])) as client:
                for topic, payload in joining:
                    await client.publish(topic, payload, retain=True)
                    await anyio.sleep(0.05)
            await until(lambda: EntityId("hall.front_door") in house.entities)
            assert EntityId("home.front_door") not in house.entities
            assert EntityId("hall.front_door_battery") in house.entities


async def test_what_devices_say_of_themselves_is_known(living: Living) -> None:
    state = living.house.state
    assert state(EntityId("living_room.ceiling_fan")).mode is None
    assert state(EntityId("garden.water")).position == 0
    assert state(EntityId("kitchen.window")).on is True
    assert state(EntityId("kitchen.back_door")).on is False
    assert state(EntityId("hall.front_door")).lock == "locked"
    assert state(EntityId("bathroom.sensor_temperature")).value == pytest.approx(22.4, abs=1.3)
    assert state(EntityId("home.anna")).value == "home"
    unheard = [id_ for id_ in living.house.entities if not state(id_).available]
    assert unheard == ["garden.shed_light"]


# ---------------------------------------------------------------- what comes of commands

Told = tuple[Command, Result, str, dict[str, object]]  # and what is then the truth of whom


def told(
    target: str, verb: Verb, value: str | float | None = None, /, *,
    comes: Result = CONFIRMED, of: str = "", **truth: object,
) -> Told:  # fmt: skip
    slug = of or target.removeprefix("home.").replace(".", "_")
    return command(target, verb, value), comes, slug, truth


# Of every kind each verb, in rounds in which nobody is told twice.
ROUNDS: list[list[Told]] = [
    [
        told("kitchen.light", Verb.ON, on=True),
        told("living_room.light", Verb.SET_COLOR, "blue", on=True, color=(0, 0, 255)),
        told("living_room.lamp", Verb.SET_COLOR, "red", on=True, color=(255, 0, 0)),
        told("hall.staircase_light", Verb.SET_BRIGHTNESS, 30, on=True, level=30),
        told("hall.light", Verb.SET_BRIGHTNESS, 50, on=True, level=50),
        told("garage.light", Verb.SET_BRIGHTNESS, 70, on=True, level=70),
        told("garden.lights", Verb.ON, comes=UNCONFIRMED, on=True),
        told("garden.shed_light", Verb.ON, comes=OFFLINE, on=False),
        told("garden.doorbell_chime", Verb.ON, comes=SENT, on=True),
        told("garage.attic_fan", Verb.ON, comes=UNCONFIRMED, on=False),
        told("kitchen.coffee_machine", Verb.ON, on=True),
        told("garage.heater", Verb.ON, on=True),
        told("living_room.television", Verb.TOGGLE, on=True),
        told("kitchen.blinds", Verb.CLOSE, position=0, doing="closed"),
        told("living_room.blinds", Verb.SET_POSITION, 50, position=50),
        told("kids_room.curtains", Verb.SET_POSITION, 30, position=30),
        told("office.shutters", Verb.CLOSE, position=0),
        told("garage.door", Verb.OPEN, position=100),
        told("garden.awning", Verb.OPEN, position=100),
        told("garden.water", Verb.SET_POSITION, 40, position=40),
        told("living_room.thermostat", Verb.SET_TEMPERATURE, 23, target=23.0),
        told("bathroom.radiator", Verb.SET_TEMPERATURE, 24.5, target=24.5),
        told("living_room.ceiling_fan", Verb.SET_SPEED, 70, on=True, speed=70),
        told("living_room.vacuum", Verb.START, activity="cleaning"),
        told("hall.front_door", Verb.UNLOCK, locked=False),
        told("hall.siren", Verb.ON, on=True),
        told("bedroom.humidifier", Verb.SET_HUMIDITY, 60, target=60.0),
        told("kitchen.cat_feeder", Verb.ACTIVATE, comes=SENT, presses=1),
        told("garden.watering_time", Verb.SET_VALUE, 20, value=20),
        told("bathroom.washing_program", Verb.SET_MODE, "Wool", option="Wool"),
    ],
    [
        told("kitchen.light", Verb.SET_BRIGHTNESS, 40, on=True, level=40),
        told("living_room.light", Verb.SET_COLOR_TEMP, 3000, kelvin=3003),
        told("living_room.lamp", Verb.OFF, on=False),
        told("hall.staircase_light", Verb.SET_COLOR_TEMP, 2500, kelvin=2500),
        told("hall.light", Verb.OFF, on=False),
        told("garage.light", Verb.OFF, on=False),
        told("garden.doorbell_chime", Verb.TOGGLE, comes=SENT, on=False),
        told("kitchen.coffee_machine", Verb.TOGGLE, on=False),
        told("garage.heater", Verb.OFF, on=False),
        told("bathroom.washing_machine", Verb.ON, on=True),
        told("kitchen.blinds", Verb.SET_POSITION, 80, position=80),
        told("living_room.blinds", Verb.OPEN, position=100),
        told("kids_room.curtains", Verb.CLOSE, position=0),
        told("office.shutters", Verb.SET_TILT, 10, tilt=10),
        told("garage.door", Verb.CLOSE, position=0),
        told("garden.awning", Verb.SET_POSITION, 40, position=40),
        told("garden.water", Verb.CLOSE, position=0),
        told("living_room.thermostat", Verb.OFF, mode="off"),
        told("bathroom.radiator", Verb.SET_MODE, "heat", mode="heat"),
        told("living_room.ceiling_fan", Verb.SET_MODE, "sleep", preset="sleep"),
        told("living_room.vacuum", Verb.PAUSE, activity="paused"),
        told("hall.front_door", Verb.LOCK, locked=True),
        told("hall.siren", Verb.OFF, on=False),
        told("bedroom.humidifier", Verb.SET_MODE, "boost", mode="boost"),
        told("kids_room.play_corner", Verb.SET_BRIGHTNESS, 60, of="kids_room_light", level=60),
    ],
    [
        told("living_room.thermostat", Verb.ON, mode="heat"),
        told("bathroom.radiator", Verb.OFF, mode="off"),
        told("living_room.ceiling_fan", Verb.OFF, on=False),
        told("living_room.vacuum", Verb.DOCK, activity="returning"),
        told("bedroom.humidifier", Verb.ON, on=True),
        told("office.shutters", Verb.OPEN, position=100, doing="open"),
        told("garden.water", Verb.OPEN, position=100),
        told(
            "kids_room.play_corner_bedtime", Verb.ACTIVATE,
            comes=SENT, of="kids_room_light", level=5,
        ),
        told("home.movie_night", Verb.ACTIVATE, comes=SENT, of="living_room_lamp", level=20),
    ],
    [
        told("living_room.vacuum", Verb.LOCATE, comes=SENT, located=1),
        told("kids_room.play_corner", Verb.OFF, of="kids_room_night_light", on=False),
        told("home.good_night", Verb.ACTIVATE, comes=SENT, of="kitchen_light", on=False),
        told("bedroom.humidifier", Verb.OFF, on=False),
    ],
]  # fmt: skip


@pytest.mark.timeout(60)
async def test_every_command_of_every_kind_ends_in_the_truth_and_in_the_right_result(
    living: Living,
) -> None:
    for told_ in ROUNDS:
        outcomes = await living.house.carry_out([each[0] for each in told_])
        results = {each.command.target: each.result for each in outcomes}
        assert results == {each[0].target: each[1] for each in told_}
        for _, _, slug, truth in told_:
            await living.becomes(slug, **truth)


def is_between(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and low < value < high


async def test_a_cover_is_stopped_where_it_is(living: Living) -> None:
    for id_, slug in (("office.shutters", "office_shutters"), ("kitchen.blinds", "kitchen_blinds")):
        await living.house.carry_out([command(id_, Verb.CLOSE)])
        await until(lambda: is_between(living.truth(slug)["position"], 0, 95))  # noqa: B023
        [outcome] = await living.house.carry_out([command(id_, Verb.STOP)])
        assert outcome.result is CONFIRMED
        assert is_between(living.truth(slug)["position"], 0, 100)
        assert living.truth(slug)["doing"] == "open"


async def test_a_repeated_action_acts_once(living: Living) -> None:
    feed = [command("kitchen.cat_feeder", Verb.ACTIVATE)]
    first = await living.house.carry_out(feed, action="turn-1")
    assert await living.house.carry_out(feed, action="turn-1") == first
    await living.becomes("kitchen_cat_feeder", presses=1)
    await living.house.carry_out(feed, action="turn-2")
    await living.becomes("kitchen_cat_feeder", presses=2)


async def test_a_hundred_commands_at_once_end_as_the_last_of_each_device(living: Living) -> None:
    lights = ["kitchen.light", "living_room.light", "hall.light", "garage.light", "bedroom.light",
              "bedroom.lamp", "bathroom.light", "kids_room.light", "office.light",
              "living_room.lamp"]  # fmt: skip
    results: list[Result] = []

    async def dim(light: str, level: int) -> None:
        outcomes = await living.house.carry_out([command(light, Verb.SET_BRIGHTNESS, level)])
        results.extend(each.result for each in outcomes)

    began_s = anyio.current_time()
    async with task_group() as group:
        for level in range(5, 55, 5):
            for light in lights:
                group.start_soon(dim, light, level)
    assert anyio.current_time() - began_s < CONFIRM_S + 1.0
    assert len(results) == 100
    # Those that were overtaken were sent, no more is known of them.
    assert set(results) <= {CONFIRMED, SENT}
    for light in lights:
        await living.becomes(light.replace(".", "_"), on=True, level=50)


async def test_all_lights_off_does_not_wait_for_the_slow_and_the_offline_one(
    living: Living,
) -> None:
    lights = [each for each in living.house.entities.values() if each.kind == "light"]
    await living.house.carry_out([Command(each.id, Verb.ON) for each in lights])
    await living.becomes("garden_lights", on=True)
    began_s = anyio.current_time()
    outcomes = await living.house.carry_out([Command(each.id, Verb.OFF) for each in lights])
    assert anyio.current_time() - began_s < CONFIRM_S + 0.3
    others = {each.command.target: each.result for each in outcomes}
    assert others.pop(EntityId("garden.lights")) is UNCONFIRMED
    assert others.pop(EntityId("garden.shed_light")) is OFFLINE
    assert set(others.values()) == {CONFIRMED}
    truth = living.home.devices
    await until(lambda: not any(each.is_on for each in truth.values() if isinstance(each, Light)))


async def test_a_look_at_the_house_costs_nothing_while_nobody_comes_or_goes(
    living: Living,
) -> None:
    seen, places = living.house.entities, living.house.places
    await living.house.carry_out([command("kitchen.light", Verb.ON)])
    assert living.house.state(EntityId("kitchen.light")).on
    assert living.house.entities is seen
    assert living.house.places is places


# ---------------------------------------------------------------- what happens by itself


async def test_what_happens_in_the_house_is_told_to_who_watches(living: Living) -> None:
    devices = living.home.devices
    window, motion = devices["kitchen_window"], devices["hall_motion"]
    measured = devices["bathroom_sensor_temperature"]
    assert isinstance(window, Detector) and isinstance(motion, Detector)
    assert isinstance(measured, Sensor)
    seen: dict[str, object] = {}
    wanted = {
        "kitchen.window": False, "hall.motion": True, "bathroom.sensor_temperature": 30.0,
    }  # fmt: skip
    window.detects = False
    motion.every_s, motion.for_s = 600.0, 599.9
    measured.middle, measured.swing, measured.every_s = 30.0, 0.0, 0.5
    with anyio.fail_after(6):  # the bridge looks at its devices every four seconds
        async for change in living.house.watch():
            state = change.state
            if change.entity.id in wanted:
                seen[change.entity.id] = state.value if state.on is None else state.on
            if seen == wanted:
                break


# ---------------------------------------------------------------- without a broker


@pytest.mark.timeout(60)
async def test_a_broker_that_comes_back_finds_everything_right_within_five_seconds(
    tmp_path: Path,
) -> None:
    port = free_port()
    url = f"mqtt://127.0.0.1:{port}"
    home, house = DemoHome(), MqttHouse(url, floors=FLOORS)
    at_home, playing = Stage(StageName("home")), Stage(StageName("demo"))
    rule = RestartRule(longest_s=0.5, failures=1000)
    on = command("kitchen.light", Verb.ON)
    async with task_group() as group:
        async with mosquitto(tmp_path, port=port):
            group.start_soon(keep_running, playing, lambda: run_demo(url, playing, home), rule)
            await playing.wait_ready()
            group.start_soon(keep_running, at_home, lambda: house.run(at_home), rule)
            await at_home.wait_ready()
            await until(lambda: house.state(EntityId("garage.light")).on is False)
            assert [each.result for each in await house.carry_out([on])] == [CONFIRMED]
        await until(lambda: at_home.health is not Health.READY)
        assert [each.result for each in await house.carry_out([on])] == [Result.NO_BROKER]
        # Meanwhile people use their hands.
        devices = home.devices
        for slug in ("garage_light", "kids_room_night_light", "kitchen_light"):
            light = devices[slug]
            assert isinstance(light, Light)
            light.turn(slug != "kitchen_light")
        heater, blinds = devices["garage_heater"], devices["kitchen_blinds"]
        assert isinstance(heater, Switch) and isinstance(blinds, Cover)
        heater.turn(True)
        blinds.position = blinds.goal = 30.0
        async with mosquitto(tmp_path, port=port):
            began_s = anyio.current_time()
            state = house.state
            await until(lambda: state(EntityId("garage.light")).on is True)
            await until(lambda: state(EntityId("garage.heater")).on is True)
            await until(lambda: state(EntityId("kids_room.night_light")).on is True)
            await until(lambda: state(EntityId("kitchen.light")).on is False)
            await until(lambda: state(EntityId("kitchen.blinds")).position == 30)
            away = [id_ for id_ in house.entities if not state(id_).available]
            assert away == ["garden.shed_light"]
            assert anyio.current_time() - began_s < 5.0
            assert lines(house) == TABLE.strip().splitlines()
            assert [each.result for each in await house.carry_out([on])] == [CONFIRMED]
            await until(lambda: home.snapshot()["kitchen_light"]["on"] is True)
            group.cancel_scope.cancel()
