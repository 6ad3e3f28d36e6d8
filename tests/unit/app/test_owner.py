"""What the owner wrote and what was decided since, as the house takes them."""

import pytest

from parlour.app.clock import Speakers
from parlour.app.config import parse
from parlour.app.owner import floors_of, overrides_of, policy_of
from parlour.app.sections import Config
from parlour.errors import HomeError, InputError
from parlour.gateways.device import DeviceGateway
from parlour.home.demo import FLOORS
from parlour.home.entities import Area, Floor
from parlour.home.overrides import Override
from parlour.home.permission import Permit, Rule

BROKER = "mqtt: {url: mqtt://h, floors: {down: [Kitchen, Hall]}}\n"


def config(text: str) -> Config:
    return parse(text, {})[0]


def test_what_is_risky_is_asked_back_in_the_demo_home_and_refused_in_ones_own() -> None:
    assert policy_of(Config()).risky is Permit.CONFIRM
    assert policy_of(config(BROKER)).risky is Permit.DENY
    assert policy_of(config(f"{BROKER}permissions: {{risky: confirm}}")).risky is Permit.CONFIRM
    assert policy_of(config("permissions: {risky: deny}")).risky is Permit.DENY


def test_rules_and_the_pin_reach_the_policy_and_the_pin_is_not_shown() -> None:
    policy = policy_of(
        config("permissions: {pin: '0815', rules: [{who: Hall, target: 'a.*', permit: deny}]}")
    )
    assert policy.rules == [Rule(Permit.DENY, "Hall", "a.*", "*")]
    assert policy.pin == "0815"
    assert "0815" not in repr(policy)


def test_floors_are_named_in_three_places_and_merged() -> None:
    found = config(
        BROKER + "floors: {attic: {}}\n"
        "areas: {Office: {floor: up}, kitchen: {aliases: [galley]}, Garden: {}}\n"
    )
    assert floors_of(found) == {"down": ["Kitchen", "Hall"], "attic": [], "up": ["Office"]}
    assert floors_of(Config()) == FLOORS
    moved = floors_of(config("areas: {Hall: {floor: upstairs}}"))
    assert "Hall" in moved["upstairs"]
    assert "Hall" not in moved["downstairs"]


def test_areas_and_floors_keep_their_spelling_floor_and_aliases() -> None:
    said = overrides_of(
        config(
            BROKER + "floors: {down: {aliases: {de_DE: [unten]}}}\n"
            "areas: {kitchen: {aliases: {de_DE: [Küche]}}, Shed: {}}\n"
            "devices: {a.b: {area: KITCHEN}, a.c: {area: Elsewhere}}\n"
        ),
        {},
    )
    assert said.areas == {
        "Kitchen": Area("Kitchen", "down", {"de_DE": ("Küche",)}),
        "Shed": Area("Shed"),
    }
    assert said.floors == {"down": Floor("down", {"de_DE": ("unten",)})}
    assert said.devices["a.b"].area == "Kitchen"
    assert said.devices["a.c"].area == "Elsewhere"


def test_what_was_decided_wins_over_the_file_key_by_key() -> None:
    text = "devices: {a.b: {name: Sun, risk: 3, aliases: {de_DE: [Sonne], en_US: [star]}}}"
    said = overrides_of(
        config(text),
        {
            "a.b": {"name": "Moon", "aliases": {"de_DE": ["Mond"]}, "expose": False},
            "c.d": {"area": "Attic"},
            "e.f": {"colour": "red"},
        },
    )
    aliases = {"de_DE": ("Mond",), "en_US": ("star",)}
    assert said.devices["a.b"] == Override("Moon", aliases=aliases, risk=3, expose=False)
    assert said.devices["c.d"] == Override(area="Attic")
    assert said.devices["e.f"] == Override()


@pytest.mark.anyio
async def test_an_announcement_by_voice_that_nobody_says_is_an_error() -> None:
    class Nobody:
        connected = ()

        def announce(self, *_: object) -> None:
            """Nobody is there."""

    def nobody() -> DeviceGateway:
        return Nobody()  # type: ignore[return-value]

    speakers = Speakers(config("satellites: {shelf: {area: Kitchen}}"), nobody)
    with pytest.raises(InputError, match="nothing to say"):
        await speakers.say_aloud("  ", None, None)
    with pytest.raises(InputError, match="there is no area Attic"):
        await speakers.say_aloud("Dinner", "Attic", None)
    with pytest.raises(HomeError, match="no device is connected"):
        await speakers.say_aloud("x" * 1000, None, None)
