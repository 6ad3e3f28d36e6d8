"""The agent as its owner starts it: a whole server in its own process, real servers around it."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import httpx
import psutil
import pytest
import yaml
from anyio import to_thread

from agent_house import AgentServer, Model, agent_server, calling, model_server, say, told
from brokers import demo_at, find_mosquitto, free_port, mosquitto
from living import until
from parlour import tasks
from parlour.app.virtual_turn import Turn
from parlour.audio import Pcm
from parlour.home.demo import FLOORS, DemoHome
from parlour.wire.device_peer import Heard, Sound
from parlour_bench.agent.tasks import Step
from radicale_server import PASSWORD, USER, Radicale, radicale
from serving import Ended, parlour

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.slow,
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]

ROOT = Path(__file__).parents[2]
ZONE = ZoneInfo("Europe/Berlin")
KEY = "parlour-demo-key"
FRAME_S = 0.02  # of the answer's sound


@dataclass(frozen=True)
class House:
    """One server for all tests that leave it as it was, and what is around it."""

    server: AgentServer
    model: Model
    home: DemoHome
    shop: httpx.AsyncClient
    calendar: Radicale
    sound: Pcm
    notes: Path

    async def say(self, device: str, text: str, **more: Any) -> Turn:
        return await say(self.server, device, text, self.sound, **more)

    async def type(self, *arguments: str) -> Ended:
        """A command as it is typed."""
        return await to_thread.run_sync(parlour, self.server.url, *arguments)


@pytest.fixture(scope="module")
async def house(
    tmp_path_factory: pytest.TempPathFactory, speak: Callable[[str], Pcm]
) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house")
    async with (
        mosquitto(folder) as (broker, _),
        demo_at(broker) as home,
        model_server() as model,
        radicale(folder) as calendar,
        _shop(folder) as shop,
    ):
        notes = folder / "notes"
        family = await calendar.make("family")
        sections = {
            "mqtt": {"url": broker, "floors": {f: list(areas) for f, areas in FLOORS.items()}},
            "permissions": {"risky": "confirm"},
            "satellites": {
                "stove": {"area": "Kitchen", "person": "cook"},
                "desk_lamp": {"area": "Office", "person": "writer"},
                "kitchen": {"area": "Kitchen"},
                "hall": {"area": "Hall"},
                "attic": {"person": "ben"},
                "sofa": {"person": "guest"},
            },
            "bookings": {"barber": {"url": str(shop.base_url).rstrip("/"), "api_key": KEY}},
            "calendars": {"family": {"url": family, "username": USER, "password": PASSWORD}},
            "mcp": {
                "sums": {
                    "command": [sys.executable, f"{ROOT}/tests/contract/mcp_well_behaved.py", "stdio"],
                    "environment": {"NOTES": str(notes)},
                    "tools": ["add", "wait"],
                }
            },
        }  # fmt: skip
        async with agent_server(folder / "server", model, sections) as server:
            yield House(server, model, home, shop, calendar, speak("well well"), notes)


@pytest.fixture(autouse=True)
def _script(request: pytest.FixtureRequest) -> None:
    if "house" in request.fixturenames:
        model: Model = request.getfixturevalue("house").model
        model.word_s, model.before = 0.0, lambda: None
        model.will()


@asynccontextmanager
async def _shop(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    """The example of a shop in its own process, open on all days."""
    example, port = ROOT / "examples/booking", free_port()
    shop = yaml.safe_load((example / "shop.yml").read_text())
    shop["hours"] = {day: [["09:00", "18:00"]] for day in range(7)}
    (folder / "shop.yml").write_text(yaml.safe_dump(shop))
    command = [sys.executable, str(example / "server.py"), "--port", str(port)]
    command += ["--shop", str(folder / "shop.yml"), "--database", str(folder / "bookings.db")]
    silent = subprocess.DEVNULL
    key = {"Authorization": f"Bearer {KEY}"}
    async with (
        await anyio.open_process(command, stdout=silent, stderr=silent) as process,
        httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=key, trust_env=False
        ) as client,
    ):
        try:
            with anyio.fail_after(20):
                while not await _answers(client):  # noqa: ASYNC110
                    await anyio.sleep(0.05)
            yield client
        finally:
            process.terminate()


async def _answers(client: httpx.AsyncClient) -> bool:
    try:
        return (await client.get("/services")).status_code == 200
    except httpx.TransportError:
        return False


# ---------------------------------------------------------------- to be heard


async def test_a_spoken_sentence_that_no_grammar_knows_turns_on_a_real_light(house: House) -> None:
    assert house.home.snapshot()["kitchen_light"]["on"] is False
    house.model.will(calling("act", target="kitchen.light", verb="on"))
    turn = await house.say("stove", "it is getting dark over the stove")
    assert turn.transcript == "it is getting dark over the stove"
    await until(lambda: house.home.snapshot()["kitchen_light"]["on"] is True)
    assert [(a.target, a.verb, a.confirmed) for a in turn.actions] == [
        ("kitchen.light", "on", True)
    ]
    assert turn.reply.duration_s > 0.2
    assert turn.heard == turn.reply_text == "The kitchen light is on."
    assert len(house.model.bodies) == 1, "the result speaks for itself"


async def test_a_conversation_goes_on_at_another_device_but_not_at_somebody_elses(
    house: House,
) -> None:
    house.model.will(Step("Lisbon lies at the Tagus."))
    await house.say("kitchen", "tell me about lisbon")
    house.model.will(Step("Half a million."))
    turn = await house.say("hall", "how many people live there")
    assert turn.reply_text == "Half a million."
    assert "tell me about lisbon" in house.model.prompt
    assert "Lisbon lies at the Tagus." in house.model.prompt
    house.model.will(Step("Where is there?"))
    await house.say("attic", "how many people live there")
    assert "isbon" not in house.model.prompt
    assert "Half a million." in await house.server.prompt("kitchen"), "it is one conversation"


async def test_cutting_the_answer_stops_the_model_and_only_what_was_heard_is_history(
    house: House,
) -> None:
    house.model.will(Step(f"{' '.join(f'Number {n} is a fine number.' for n in range(60))}"))
    house.model.word_s = 0.04
    heard_s = 0.8
    cut_s: list[float] = []

    def watch(heard: Heard) -> None:
        nonlocal heard_s
        if isinstance(heard, Sound):
            heard_s -= FRAME_S
            if heard_s < FRAME_S / 2 and not cut_s:
                cut_s.append(anyio.current_time())  # now the device hangs up on the answer

    turn = await house.say("desk_lamp", "count for me", hear_s=heard_s, watch=watch)
    assert turn.cut
    await until(lambda: house.model.hung_up_s is not None, 1.0)
    assert house.model.hung_up_s is not None
    assert house.model.hung_up_s - cut_s[0] < 0.1
    assert house.model.words < 200, "it had hundreds more to say"
    assert turn.heard.startswith("Number 0 is a")
    assert len(turn.heard) < 200
    prompt = await house.server.prompt("desk_lamp")
    assert f"count for me\n{turn.heard}\n[" in prompt


# ---------------------------------------------------------------- in writing


async def test_a_slot_is_found_and_booked_once_and_written_into_the_calendar(house: House) -> None:
    day = datetime.now(ZONE).date() + timedelta(days=1)
    slot = f"cut-{day:%Y%m%d}-1000"
    server, model = house.server, house.model
    model.will(
        calling("booking_slots", date=f"{day}", service="haircut"),
        calling("booking_book", slot=slot, name="Asha"),
    )
    asked = await server.ask("find me a slot at the barber tomorrow and book it, i am asha")
    assert f"10:00: {slot}" in model.results[0]
    assert asked == "Shall I book the haircut tomorrow at 10 in the morning for Asha?"
    assert await _booked(house) == []
    replies: list[str] = []

    async def agree() -> None:
        replies.append(await server.ask("yes"))

    async with tasks.task_group() as group:
        group.start_soon(agree)
        group.start_soon(agree)
    await agree()
    done = "The haircut is booked tomorrow at 10 in the morning for Asha."
    assert replies[0] == done
    (booked,) = await _booked(house)
    assert booked["start"].startswith(f"{day}T10:00"), replies
    model.will(calling("calendar_add", title="Barber", start=f"{day} 10:00", minutes=30))
    asked = await server.ask("and put that into my calendar")
    assert asked.startswith("Shall I")
    assert "is booked" in model.prompt
    assert "Barber" not in await house.calendar.get("family")
    assert "Barber" in await server.ask("yes please")
    assert (await house.calendar.get("family")).count("SUMMARY:Barber") == 1


async def _booked(house: House) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = (await house.shop.get("/bookings")).json()["bookings"]
    return told


async def test_an_mcp_server_that_dies_in_a_call_costs_that_call_only(house: House) -> None:
    server, model = house.server, house.model
    await _connected(server)
    model.will(calling("sums_wait", seconds=8), Step("Sorry, that did not work."))

    async def kill() -> None:
        path = anyio.Path(house.notes)
        while not (await path.exists() and "waits" in await path.read_text()):  # noqa: ASYNC110
            await anyio.sleep(0.01)
        (child,) = psutil.Process(server.process.pid).children()
        child.kill()

    async with tasks.task_group() as group:
        group.start_soon(kill)
        began_s = anyio.current_time()
        assert await server.ask("wait for a while") == "Sorry, that did not work."
        assert anyio.current_time() - began_s < 4, "it was known at once"
    assert "Failed: the MCP server sums is not connected" in model.results[0]
    assert "sums" in model.results[0]
    assert (await server.health())["ready"] is True
    await _connected(server)
    model.will(calling("sums_add", a=20, b=22), Step("It is 42."))
    assert await server.ask("what is twenty plus twenty two") == "It is 42."
    assert "42" in model.results[0]
    assert (await server.health())["ready"] is True


async def _connected(server: AgentServer) -> None:
    with anyio.fail_after(15):
        while (await server.health())["stages"]["mcp:sums"]["state"] != "ready":  # noqa: ASYNC110
            await anyio.sleep(0.05)


async def test_the_owner_reads_what_is_remembered_and_has_it_forgotten(house: House) -> None:
    server, model, thread = house.server, house.model, "device:sofa"
    model.will(calling("remember", text="the spare key is with Mister Novak"))
    reply = await server.ask("mister novak has our spare key, keep that in mind", "diary")
    assert reply == "I'll remember that."
    model.will(Step("Then perhaps the parrot hid it."))
    await house.say("sofa", "the parrot has been in the drawer")
    await server.is_written(thread, "the parrot hid it")

    shown = await house.type("memory", "show")
    assert thread in shown.stdout
    assert "the spare key is with Mister Novak" in shown.stdout
    assert "problem" not in shown.stdout
    shown = await house.type("memory", "show", thread)
    assert "user: the parrot has been in the drawer" in shown.stdout
    assert "assistant: Then perhaps the parrot hid it." in shown.stdout
    everything = json.loads((await house.type("memory", "export", "-")).stdout)
    kept = {each["thread"]: each["messages"] for each in everything["conversations"]}
    assert kept[thread][-1]["content"] == "Then perhaps the parrot hid it."
    (fact,) = [f for f in everything["facts"] if "Novak" in f["text"]]

    shown = await house.type("prompt", "show", "who has the spare key", "--area", "Kitchen")
    assert "in the Kitchen" in shown.stdout
    assert "who has the spare key" in shown.stdout
    assert "the spare key is with Mister Novak" in shown.stdout
    assert "kitchen.light" in shown.stdout
    assert "booking_book" in shown.stdout
    assert "parrot" not in shown.stdout, "another conversation"

    assert (await house.type("memory", "forget", thread)).code == 0
    assert (await house.type("memory", "forget", "--fact", str(fact["id"]))).code == 0
    assert thread not in (await house.type("memory", "show")).stdout
    model.read_ahead.clear()
    model.will(Step("I don't know."))
    await house.say("sofa", "who has the spare key and where was the parrot")
    asked = model.bodies[-1]
    assert len([m for m in asked["messages"] if m["role"] == "user"]) == 1
    assert model.read_ahead, "the model reads what it is likely to be asked"
    for body in [*model.bodies, *model.read_ahead]:
        assert "Novak" not in told(body)
        assert "drawer" not in told(body)
