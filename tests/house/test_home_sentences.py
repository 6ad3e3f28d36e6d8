"""Sentences by the state in which the demo home really ends, over a real mosquitto."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from brokers import find_mosquitto
from clocks import PlainStore, Wall
from clocks import living as a_clock
from living import Living, live_in_the_demo
from parlour.home.brain import HomeBrain
from parlour.home.demo.devices import Light
from parlour.home.entities import Area
from parlour.home.grammar import HouseGrammar
from parlour.home.interpretation import interpret
from parlour.home.overrides import NO_OVERRIDES, Overrides
from parlour.home.permission import Permit, Policy
from parlour.ids import DeviceId, TurnId
from parlour.ports import Place, Say, Utterance

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.timeout(60),
    pytest.mark.skipif(find_mosquitto() is None, reason="mosquitto is not installed"),
]

Truth = dict[str, object]


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, what is the truth then by slug, what the answer holds, where it was said."""

    text: str
    truth: dict[str, Truth] = field(default_factory=dict)
    answer: str = ""
    area: str | None = None


@dataclass(slots=True)
class Talk:
    living: Living
    brain: HomeBrain
    language: str
    turns: int = 0

    async def say(self, text: str, area: str | None = None) -> str:
        self.turns += 1
        place = Place(DeviceId("satellite"), area)
        utterance = Utterance(TurnId(f"turn-{self.turns}"), text, self.language, place)
        commit = anyio.Event()
        commit.set()
        async with self.brain.answer(utterance, commit) as pieces:
            return " ".join([piece.text async for piece in pieces if isinstance(piece, Say)])

    async def check(self, sentences: Sequence[Said]) -> None:
        """Say all; what takes its time is waited for in the end, or before it is told again."""
        late: dict[str, Truth] = {}
        for said in sentences:
            for slug in said.truth.keys() & late.keys():
                await self.living.becomes(slug, **late.pop(slug))
            assert said.answer in await self.say(said.text, said.area), said.text
            late |= said.truth
        for slug, truth in late.items():
            await self.living.becomes(slug, **truth)


@asynccontextmanager
async def talking(
    folder: Path,
    language: str = "en_US",
    overrides: Overrides = NO_OVERRIDES,
    risky: Permit = Permit.CONFIRM,
) -> AsyncIterator[Talk]:
    wall = Wall(2026, 11, 21, 9, 0)
    async with (
        live_in_the_demo(folder, overrides) as living,
        a_clock(PlainStore(), wall, language=language) as (clock, _),
    ):
        grammar = HouseGrammar(living.house)
        yield Talk(living, HomeBrain(living.house, grammar, clock, Policy(risky=risky)), language)


ON: Truth = {"on": True}
OFF: Truth = {"on": False}
NOTHING: dict[str, Truth] = {}

SENTENCES: dict[str, list[Said]] = {
    "lights": [
        Said("turn on the kitchen light", {"kitchen_light": ON}),
        Said("switch off the light in the kitchen", {"kitchen_light": OFF}),
        Said("dim the kitchen light to 40 percent", {"kitchen_light": {"on": True, "level": 40}}),
        Said("set the hall light to half", {"hall_light": {"on": True, "level": 50}}),
        Said("make the living room lamp red", {"living_room_lamp": {"color": (255, 0, 0)}}),
        Said("make the living room light blue", {"living_room_light": {"color": (0, 0, 255)}}),
        Said("turn the staircase light to warm white", {"hall_staircase_light": {"kelvin": 2703}}),
        Said("dim the play corner to 60 percent",
             {"kids_room_light": {"level": 60}, "kids_room_night_light": {"level": 60}}),
        Said("is the kitchen light on", NOTHING, "Yes"),
        Said("turn on the light", {"bathroom_light": ON}, area="Bathroom"),
    ],
    "covers": [
        Said("close the kitchen blinds", {"kitchen_blinds": {"position": 0}}),
        Said("close the blinds half", {"bedroom_blinds": {"position": 50}}, area="Bedroom"),
        Said("set the kids room curtains to 30 percent", {"kids_room_curtains": {"position": 30}}),
        Said("close the office shutters", {"office_shutters": {"position": 0}}, "closing"),
        Said("tilt the office shutters to 20 percent", {"office_shutters": {"tilt": 20}}),
        Said("open the awning", {"garden_awning": {"position": 100}}),
        Said("open the garage door", {"garage_door": {"position": 0}}, "Shall I"),
        Said("yes", {"garage_door": {"position": 100}}),
    ],
    "climate": [
        Said("set the thermostat to 23", {"living_room_thermostat": {"target": 23.0}},
             area="Living Room"),
        Said("set the bathroom radiator to 24 degrees", {"bathroom_radiator": {"target": 24.0}}),
        Said("turn the living room thermostat off", {"living_room_thermostat": {"mode": "off"}}),
        Said("make it warmer in the bathroom", {"bathroom_radiator": {"target": 25.0}}),
        Said("set the humidifier to 60 percent", {"bedroom_humidifier": {"target": 60.0}}),
        Said("turn on the living room fan", {"living_room_ceiling_fan": ON}),
        Said("set the living room fan to 70 percent", {"living_room_ceiling_fan": {"speed": 70}}),
        Said("set the living room fan to sleep mode",
             {"living_room_ceiling_fan": {"preset": "sleep"}}),
    ],
    "everything else": [
        Said("turn on the coffee machine", {"kitchen_coffee_machine": ON}),
        Said("switch on the garage heater", {"garage_heater": ON}),
        Said("turn on the television", {"living_room_television": ON}),
        Said("turn on the siren", {"hall_siren": ON}),
        Said("start the vacuum", {"living_room_vacuum": {"activity": "cleaning"}}),
        Said("send the vacuum home", {"living_room_vacuum": {"activity": "returning"}}),
        Said("unlock the front door", {"hall_front_door": {"locked": True}}, "Shall I"),
        Said("yes", {"hall_front_door": {"locked": False}}),
        Said("lock the front door", {"hall_front_door": {"locked": True}}),
        Said("set the watering time to 20", {"garden_watering_time": {"value": 20}}),
        Said("set the washing program to wool", {"bathroom_washing_program": {"option": "Wool"}}),
        Said("press the cat feeder", {"kitchen_cat_feeder": {"presses": 1}}),
        Said("movie night", {"living_room_lamp": {"level": 20}}),
    ],
    "questions": [
        Said("is the window open", NOTHING, "Yes"),
        Said("is the back door open", NOTHING, "No"),
        Said("is the front door locked", NOTHING, "Yes"),
        Said("what is the temperature in the bathroom", NOTHING, "degrees in the bathroom"),
        Said("how humid is it in the office", NOTHING, "percent"),
        Said("is there motion in the hall", NOTHING, "No"),
        Said("where is anna", NOTHING, "home"),
    ],
    "those that do not obey": [
        Said("turn on the attic fan", {"garage_attic_fan": OFF}, "not answer"),
        Said("turn on the shed light", {"garden_shed_light": OFF}, "not connected"),
        Said("turn on the garden lights", {"garden_lights": ON}, "not answer"),
        Said("turn on the doorbell chime", {"garden_doorbell_chime": ON}, "I asked"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("about", SENTENCES)
async def test_after_each_sentence_the_house_stands_as_it_was_asked_to(
    tmp_path: Path, about: str
) -> None:
    async with talking(tmp_path) as talk:
        await talk.check(SENTENCES[about])


async def test_many_things_at_once_are_those_that_were_meant(tmp_path: Path) -> None:
    async with talking(tmp_path) as talk:
        devices = talk.living.home.devices
        lights = {slug: light for slug, light in devices.items() if isinstance(light, Light)}

        async def lit(*left: str) -> None:
            away = {"garden_lights", "garden_shed_light"}  # the slow and the offline one
            with anyio.move_on_after(5):
                while {s for s, each in lights.items() if each.is_on} - away != {*left}:  # noqa: ASYNC110
                    await anyio.sleep(0.05)
            assert {slug for slug, each in lights.items() if each.is_on} - away == {*left}

        near = set(lights) - {"garden_lights", "garden_shed_light"}
        upstairs = {each for each in near if each.startswith(("bed", "office", "bath", "kids"))}
        await talk.say("turn on all the lights")
        await lit(*near)
        await talk.say("turn everything off upstairs except the office")
        await lit(*(near - upstairs), "office_light")
        await talk.say("turn everything off upstairs except the hall")
        await lit(*(near - upstairs))
        await talk.say("turn off all the lights except the kitchen light")
        await lit("kitchen_light")
        await talk.say("turn on the hall light and turn off the kitchen light")
        await lit("hall_light")
        await talk.say("turn off all lights downstairs")
        await lit()


async def test_what_lets_somebody_in_is_not_done_unless_the_owner_allows_it(
    tmp_path: Path,
) -> None:
    async with talking(tmp_path, risky=Permit.DENY) as talk:
        for text in ("unlock the front door", "open the garage door", "open the garden water"):
            assert await talk.say(text)
            assert await talk.say("yes")
        truth = talk.living.truth
        assert truth("hall_front_door") == {"locked": True}
        assert truth("garage_door")["position"] == truth("garden_water")["position"] == 0


AREAS = {
    "Kitchen": ("downstairs", ("रसोई", "किचन"), ("சமையலறை", "கிச்சன்")),
    "Living Room": ("downstairs", ("बैठक", "लिविंग रूम"), ("வரவேற்பறை", "லிவிங் ரூம்")),
    "Hall": ("downstairs", ("हॉल",), ("ஹால்",)),
    "Bedroom": ("upstairs", ("बेडरूम", "शयनकक्ष"), ("படுக்கையறை", "பெட்ரூம்")),
    "Office": ("upstairs", ("ऑफिस", "दफ़्तर"), ("ஆபீஸ்", "அலுவலகம்")),
}
OVERRIDES = Overrides(
    areas={
        name: Area(name, floor, {"hi_IN": hindi, "ta_IN": tamil})
        for name, (floor, hindi, tamil) in AREAS.items()
    }
)
HALF: dict[str, Truth] = {"kitchen_blinds": {"position": 50}}
AT_23: dict[str, Truth] = {"living_room_thermostat": {"target": 23.0}}
INDIAN = {
    "hi_IN": [
        Said("रसोई की लाइट जलाओ", {"kitchen_light": ON}),
        Said("ऑफिस की लाइट जलाओ", {"office_light": ON}),
        Said("शयनकक्ष की लाइट जलाओ", {"bedroom_light": ON}),
        Said("ब्लाइंड्स आधे बंद करो", HALF, area="Kitchen"),
        Said("थर्मोस्टेट को 23 डिग्री पर सेट करो", AT_23, area="Living Room"),
        Said("ऑफिस को छोड़कर ऊपर सब कुछ बंद करो", {"bedroom_light": OFF, "office_light": ON}),
        Said("हॉल को छोड़कर ऊपर सब कुछ बंद कर दो", {"office_light": OFF, "kitchen_light": ON}),
    ],
    "ta_IN": [
        Said("சமையலறை விளக்கை போடு", {"kitchen_light": ON}),
        Said("ஆபீஸ் லைட் ஆன் பண்ணு", {"office_light": ON}),
        Said("படுக்கையறை லைட் ஆன் பண்ணு", {"bedroom_light": ON}),
        Said("ப்ளைண்ட்ஸ் பாதி மூடு", HALF, area="Kitchen"),
        Said("தெர்மோஸ்டாட்டை 23 ஆக செட் பண்ணு", AT_23, area="Living Room"),
        Said("ஆபீஸ் தவிர மேலே எல்லாத்தையும் ஆஃப் பண்ணு", {"bedroom_light": OFF, "office_light": ON}),
        Said("ஹாலை தவிர மாடியில் எல்லாத்தையும் ஆஃப் பண்ணு", {"office_light": OFF, "kitchen_light": ON}),
    ],
}  # fmt: skip


WINDOW = {"hi_IN": "क्या खिड़की खुली है", "ta_IN": "ஜன்னல் திறந்திருக்கா"}


@pytest.mark.parametrize("language", INDIAN)
async def test_the_house_understands_the_languages_of_india(tmp_path: Path, language: str) -> None:
    async with talking(tmp_path, language, OVERRIDES) as talk:
        await talk.check(INDIAN[language])
        house, place = talk.living.house, Place(DeviceId("satellite"))
        asked = interpret(WINDOW[language], language, HouseGrammar(house), house, place)
        assert asked.query == {"about": "open", "targets": ["kitchen.window"]}
