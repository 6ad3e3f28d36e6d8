"""The house over real MQTT brokers: the demo home is found, commanded, lost and missed."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import anyio
import anyio.abc
import pytest

import parlour.home.address
from brokers import demo_at, find_mosquitto, mosquitto
from parlour.errors import HomeError
from parlour.home.broker import embedded_broker
from parlour.home.demo import FLOORS, demo_entities
from parlour.home.entities import Command, House, Result, Verb
from parlour.home.mqtt import MqttHouse
from parlour.ids import EntityId, StageName
from parlour.supervise import Stage
from parlour.tasks import task_group

needs_mosquitto = pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed")

pytestmark = pytest.mark.anyio

LAMP = '{"name": "Cellar Lamp", "command_topic": "cellar/set", "state_topic": "cellar/state"%s}'
CELLAR = EntityId("home.cellar_lamp")


def command(target: str, verb: Verb, value: str | float | None = None) -> Command:
    return Command(EntityId(target), verb, value)


@pytest.fixture(params=["amqtt", pytest.param("mosquitto", marks=needs_mosquitto)])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "amqtt":
        async with embedded_broker() as found:
            yield found
    else:
        async with mosquitto(tmp_path) as (found, _):
            yield found


@asynccontextmanager
async def living_in(url: str) -> AsyncIterator[MqttHouse]:
    house, stage = MqttHouse(url, floors=FLOORS), Stage(StageName("home"))
    async with task_group() as group:
        group.start_soon(house.run, stage)
        with anyio.fail_after(5):
            await stage.wait_ready()
        yield house
        group.cancel_scope.cancel()


async def wait_for(house: House, entity: EntityId) -> None:
    with anyio.fail_after(3):
        seen = house.revision
        while entity not in house.entities:
            seen = await house.wait_revision(seen)


async def test_the_demo_home_is_found_and_does_what_it_is_told(url: str) -> None:
    async with demo_at(url), living_in(url) as house:
        assert set(house.entities) == {entity.id for entity in demo_entities()}
        commands = [
            command("kitchen.light", Verb.ON),
            command("living_room.light", Verb.SET_BRIGHTNESS, 30),
            command("living_room.lamp", Verb.SET_COLOR, "blue"),
            command("bedroom.lamp", Verb.SET_COLOR, "red"),
            command("bedroom.blinds", Verb.CLOSE),
            command("kitchen.blinds", Verb.SET_POSITION, 50),
            command("living_room.thermostat", Verb.SET_TEMPERATURE, 19),
            command("office.fan", Verb.TOGGLE),
            command("office.light", Verb.OFF),
        ]
        outcomes = await house.carry_out(commands)
        assert [each.result for each in outcomes] == [Result.CONFIRMED] * len(commands)
        states = [each.state for each in outcomes]
        assert states[0].on
        assert states[1].brightness == pytest.approx(30, abs=2)
        assert states[2].color == (0, 0, 255)
        assert states[3].color == (255, 0, 0)
        assert states[4].cover == "closing"
        assert states[6].target_temperature == 19


async def test_what_an_entity_cannot_do_is_unsupported(url: str) -> None:
    async with demo_at(url), living_in(url) as house:
        outcomes = await house.carry_out([command("office.fan", Verb.SET_COLOR, "red")])
        assert outcomes[0].result is Result.UNSUPPORTED


async def test_a_home_that_went_away_is_offline(url: str) -> None:
    async with living_in(url) as house:
        async with demo_at(url):
            await wait_for(house, EntityId("office.fan"))
        with anyio.fail_after(3):
            async for change in house.watch():
                if change.entity.id == "office.fan" and not change.state.available:
                    break
        outcomes = await house.carry_out([command("office.fan", Verb.ON)])
        assert outcomes[0].result is Result.OFFLINE


async def test_a_device_that_never_reports_is_unconfirmed_or_merely_sent(url: str) -> None:
    async with living_in(url) as house, aiomqtt.Client("127.0.0.1", int(url[-5:])) as client:
        topic = "homeassistant/light/cellar/config"
        await client.publish(topic, LAMP % "", qos=1, retain=True)
        await wait_for(house, CELLAR)
        assert (await house.carry_out([command(CELLAR, Verb.ON)]))[0].result is Result.UNCONFIRMED
        seen = house.revision
        await client.publish(topic, LAMP % ', "optimistic": true', qos=1, retain=True)
        await house.wait_revision(seen)
        assert (await house.carry_out([command(CELLAR, Verb.ON)]))[0].result is Result.SENT
        seen = house.revision
        await client.publish(topic, b"", qos=1, retain=True)
        await house.wait_revision(seen)
        assert CELLAR not in house.entities


@needs_mosquitto
@pytest.mark.skipif(shutil.which("mosquitto_pub") is None, reason="mosquitto_pub is missing")
async def test_a_light_announced_by_mosquitto_pub_gets_its_command(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as (url, _):
        port = url.rpartition(":")[2]
        topic = "homeassistant/light/cellar/config"
        publish = ["mosquitto_pub", "-p", port, "-r", "-t", topic, "-m", LAMP % ""]
        await anyio.run_process(publish)
        async with living_in(url) as house:
            assert CELLAR in house.entities
            async with aiomqtt.Client("127.0.0.1", int(port)) as device:
                await device.subscribe("cellar/set")
                await house.carry_out([command(CELLAR, Verb.ON)])
                with anyio.fail_after(3):
                    message = await anext(device.messages)
            assert message.payload == b"ON"
            assert not message.retain


@needs_mosquitto
async def test_a_killed_broker_ends_the_run_with_a_home_error(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as (url, process):
        house, stage = MqttHouse(url, floors=FLOORS), Stage(StageName("home"))
        with pytest.raises(HomeError, match="lost the MQTT broker"), anyio.fail_after(10):
            async with task_group() as group:
                group.start_soon(house.run, stage)
                await stage.wait_ready()
                process.kill()
        outcomes = await house.carry_out([command("kitchen.light", Verb.ON)])
        assert outcomes[0].result is Result.NO_BROKER


async def test_no_broker_is_a_home_error_without_the_password() -> None:
    house = MqttHouse("mqtt://me:secret@127.0.0.1:1")
    with pytest.raises(HomeError) as caught:
        await house.run(Stage(StageName("home")))
    assert "secret" not in str(caught.value)
    assert "127.0.0.1:1" in str(caught.value)


async def test_a_broker_that_says_nothing_is_left_with_its_connection_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(parlour.home.address, "CONNECT_S", 0.2)
    closed = anyio.Event()

    async def hold(connection: anyio.abc.SocketStream) -> None:
        async with connection:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError):
                while True:
                    await connection.receive()
            closed.set()

    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        task_group() as group,
    ):
        group.start_soon(listener.serve, hold)
        port = listener.extra(anyio.abc.SocketAttribute.local_port)
        with pytest.raises(HomeError, match="no answer within"):
            await MqttHouse(f"mqtt://127.0.0.1:{port}").run(Stage(StageName("home")))
        with anyio.fail_after(2):
            await closed.wait()
        group.cancel_scope.cancel()
