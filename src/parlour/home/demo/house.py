"""The demo home: its floors, and who stands where and speaks what.

Four devices misbehave, and stand in the garden and the garage:

- the garden lights are slow: they hear a command 2.5 s late, longer than one waits for them
- the shed light is offline: it announced itself once and left
- the doorbell chime is optimistic: it obeys, but reports nothing
- the attic fan lies: it says that it is online, and hears no command
"""

from collections.abc import Iterator, Mapping
from functools import partial

from parlour.home.demo.devices import (
    Button,
    Cover,
    Detector,
    Device,
    Fan,
    Humidifier,
    Light,
    Lock,
    Number,
    Select,
    Sensor,
    Switch,
    Thermostat,
    Vacuum,
)
from parlour.home.demo.esphome import EspEntity, EspNode
from parlour.home.demo.generic import GenericHub, Part
from parlour.home.demo.station import Station, make_slug
from parlour.home.demo.tasmota import Tasmota
from parlour.home.demo.zigbee import Group, Zigbee
from parlour.home.demo.zigbee2mqtt import Zigbee2Mqtt

FLOORS = {
    "downstairs": ["Kitchen", "Living Room", "Hall", "Garage", "Garden"],
    "upstairs": ["Bedroom", "Office", "Bathroom", "Kids Room"],
}

SLOW_S = 2.5  # the garden lights hear a command so late
COLOR = ("color", "color_temp")


FAULTY = frozenset(
    {"garden_lights", "garage_attic_fan", "garden_shed_light", "garden_doorbell_chime"}
)
"""What is slow, hears nothing, is away and cannot report: to see how Parlour owns up to it."""


def make_stations(*, has_faults: bool = True) -> list[Station]:
    """Everybody as they stand in the morning; without `has_faults` only those that obey."""
    parts = [p for p in _parts() if has_faults or p.name != "Doorbell Chime"]
    hub = GenericHub(parts)
    zigbees = list(_zigbees())
    zigbee = Zigbee2Mqtt(zigbees, list(_groups(zigbees)))
    stations: list[Station] = [hub, zigbee]
    others: list[Station] = [*_nodes(), *_tasmotas()]
    for station in others:
        if has_faults or FAULTY.isdisjoint(station.devices):
            stations.append(station)
        elif isinstance(station, EspNode):
            station.entities = [e for e in station.entities if e.name not in _FAULTY_NAMES]
            stations += [station] if station.entities else []
    found = {slug: device for each in stations for slug, device in each.devices.items()}
    scenes = [
        Part("scene", "Movie Night", None, Button(partial(_movie_night, found))),
        Part("scene", "Good Night", None, Button(partial(_good_night, found))),
    ]
    stations[0] = GenericHub(hub.parts + scenes)
    return stations


_FAULTY_NAMES = ("Lights", "Attic Fan")


def _movie_night(devices: Mapping[str, Device], now_s: float) -> None:
    light, lamp, blinds = (devices[f"living_room_{name}"] for name in ("light", "lamp", "blinds"))
    assert isinstance(light, Light) and isinstance(lamp, Light) and isinstance(blinds, Cover)
    light.turn(False)
    lamp.dim(20, now_s)
    blinds.go(0, now_s)


def _good_night(devices: Mapping[str, Device], now_s: float) -> None:
    for slug, device in devices.items():
        is_outside = slug.startswith(("garden_", "garage_"))
        if isinstance(device, Light) and not is_outside:
            device.turn(False)
        if isinstance(device, Lock):
            device.turn(True, now_s)


def _bedtime(devices: list[Light], now_s: float) -> None:
    for light in devices:
        light.dim(5, now_s)


def _parts() -> Iterator[Part]:
    yield Part("light", "Light", "Kitchen", Light())
    yield Part("switch", "Coffee Machine", "Kitchen", Switch(), device_class="outlet")
    yield Part("cover", "Blinds", "Kitchen", Cover(), device_class="blind")
    yield Part("light", "Light", "Living Room", Light(COLOR), "json")
    yield Part("light", "Lamp", "Living Room", Light(("brightness", "color")))
    yield Part("cover", "Blinds", "Living Room", Cover(), device_class="blind")
    yield Part("climate", "Thermostat", "Living Room", Thermostat())
    yield Part("light", "Light", "Bedroom", Light(("brightness", "color")))
    yield Part("light", "Lamp", "Bedroom", Light(("color",)), "json")
    yield Part("cover", "Blinds", "Bedroom", Cover(), device_class="blind")
    yield Part("light", "Light", "Office", Light())
    yield Part("switch", "Fan", "Office", Switch(), device_class="outlet")

    yield Part("light", "Staircase Light", "Hall", Light(("color_temp",)), "template")
    yield Part("light", "Light", "Bathroom", Light(), scale=100)
    yield Part("cover", "Curtains", "Kids Room", Cover(), "inverted", "curtain")
    door = Cover(position=0.0, travel_s=6.0)
    yield Part("cover", "Door", "Garage", door, "plain", "garage")
    fan = Fan(presets=("auto", "sleep", "breeze"))
    yield Part("fan", "Ceiling Fan", "Living Room", fan)
    yield Part("vacuum", "Vacuum", "Living Room", Vacuum())
    yield Part("button", "Cat Feeder", "Kitchen", Button())
    yield Part("humidifier", "Humidifier", "Bedroom", Humidifier(), device_class="humidifier")
    yield Part("siren", "Siren", "Hall", Switch())
    # Anna is out a third of the time, an hour at a stretch.
    anna = Detector(detects=True, every_s=10_800, for_s=7200)
    yield Part("device_tracker", "Anna", None, anna)
    yield Part("switch", "Doorbell Chime", "Garden", Switch(), "optimistic")


def _zigbees() -> Iterator[Zigbee]:
    def contact(name: str, ieee: str, area: str, is_open: bool, kind: str) -> Zigbee:
        about = {"device": {"suggested_area": area}, "contact": {"device_class": kind}}
        text = "Door & window contact sensor"
        sensor = Detector(detects=is_open)
        low = {"battery": Sensor(81, 0, 0)}
        slug = make_slug(name if name.startswith(area) else f"{area} {name}")
        return Zigbee(name, ieee, "Aqara", "MCCGQ11LM", text, sensor, slug, low, "contact", about)

    def bulb(name: str, ieee: str, light: Light, *, is_retained: bool = True) -> Zigbee:
        text = "Hue white and color ambiance E27"
        slug = make_slug(name)
        return Zigbee(
            name, ieee, "Philips", "9290012573A", text, light, slug, is_retained=is_retained
        )

    yield bulb("Hall Light", "0x0017880104e45521", Light(("color_temp",)))
    yield bulb("Kids Room Light", "0x0017880104e45522", Light(COLOR))
    night = Light(goal=30.0, level=30.0)
    yield bulb("Kids Room Night Light", "0x0017880104e45523", night, is_retained=False)
    hall, lock = {"device": {"suggested_area": "Hall"}}, Lock()
    yield Zigbee(
        "Front Door",
        "0x000d6f0004ff8d10",
        "Yale",
        "YRD226HA2619",
        "Assure lock",
        lock,
        "hall_front_door",
        {"battery": Sensor(64, 0, 0)},
        overrides=hall,
    )
    yield contact("Kitchen Window", "0x00158d0001d82a31", "Kitchen", True, "window")
    yield contact("Back Door", "0x00158d0001d82a32", "Kitchen", False, "door")
    motion = Detector(every_s=600, for_s=30)
    yield Zigbee(
        "Hall Motion",
        "0x00158d0001d82a33",
        "Aqara",
        "RTCGQ11LM",
        "Motion sensor",
        motion,
        "hall_motion",
        {"battery": Sensor(92, 0, 0)},
        "occupancy",
    )
    yield Zigbee(
        "Bathroom Leak Sensor",
        "0x00158d0001d82a34",
        "Aqara",
        "SJCGQ11LM",
        "Water leak sensor",
        Detector(),
        "bathroom_leak_sensor",
        {"battery": Sensor(100, 0, 0)},
        "water_leak",
    )
    yield Zigbee(
        "Kitchen Smoke Detector",
        "0x00158d0001d82a35",
        "Heiman",
        "HS1SA",
        "Smoke detector",
        Detector(),
        "kitchen_smoke_detector",
        {"battery": Sensor(77, 0, 0)},
        "smoke",
    )
    air = {"temperature": Sensor(22.4, 1.2), "humidity": Sensor(58, 6), "battery": Sensor(88, 0, 0)}
    yield Zigbee(
        "Bathroom Sensor",
        "0x00158d0001d82a36",
        "Aqara",
        "WSDCGQ11LM",
        "Temperature and humidity sensor",
        air["temperature"],
        "bathroom_sensor",
        air,
    )
    yield Zigbee(
        "Office Shutters",
        "0x00158d0001d82a37",
        "Bosch",
        "BMCT-SLZ",
        "Light/shutter control unit II",
        Cover(tilt=50.0),
        "office_shutters",
    )
    yield Zigbee(
        "Bathroom Radiator",
        "0x00158d0001d82a38",
        "Bosch",
        "BTH-RA",
        "Radiator thermostat II",
        Thermostat(22.0, 21.5, ("off", "auto", "heat"), "auto"),
        "bathroom_radiator",
        {"battery": Sensor(70, 0, 0)},
    )
    television = Switch(watts=96)
    yield Zigbee(
        "Living Room Television",
        "0x00158d0001d82a39",
        "Innr",
        "SP 240",
        "Smart plug",
        television,
        "living_room_television",
        {"power": television},
    )


def _nodes() -> Iterator[EspNode]:
    yield EspNode(
        "garden-node",
        "Garden",
        "Garden",
        "a0b765f1c201",
        [
            EspEntity("valve", "Water", Cover(0.0, travel_s=2.0), device_class="water"),
            EspEntity("number", "Watering Time", Number(15, 1, 60, 1, "min")),
            EspEntity("light", "Lights", Light(), delay_s=SLOW_S),
        ],
    )
    yield EspNode(
        "garage-node",
        "Garage",
        "Garage",
        "a0b765f1c202",
        [EspEntity("fan", "Attic Fan", Fan(), is_deaf=True)],
    )
    programs = Select(("Cotton", "Wool", "Quick"), "Cotton")
    yield EspNode(
        "laundry-node",
        "Bathroom",
        "Bathroom",
        "a0b765f1c203",
        [EspEntity("select", "Washing Program", programs)],
    )
    yield EspNode(
        "air-node",
        "Office",
        "Office",
        "a0b765f1c204",
        [
            EspEntity("sensor", "Air Quality", Sensor(720, 160, 0), "ppm", "carbon_dioxide"),
            EspEntity("sensor", "Temperature", Sensor(21.6, 0.8), "°C", "temperature"),
            EspEntity("sensor", "Humidity", Sensor(44, 4), "%", "humidity"),
        ],
    )


def _tasmotas() -> Iterator[Tasmota]:
    def one(
        name: str, mac: str, device: Light | Switch | Cover | None, *, is_away: bool = False
    ) -> Tasmota:
        return Tasmota(make_slug(name), mac, name, make_slug(name), device, is_away=is_away)

    yield one("Garage Heater", "DC4F22A0B101", Switch())
    yield one("Garage Light", "DC4F22A0B102", Light())
    yield one("Garden Awning", "DC4F22A0B103", Cover(position=0.0))
    yield one("Garden Shed Light", "DC4F22A0B104", Light(), is_away=True)
    washer = one("Bathroom Washing Machine", "DC4F22A0B105", Switch(watts=1850))
    assert isinstance(washer.device, Switch)
    washer.reads = {"ENERGY": {"Power": washer.device}}
    yield washer
    outside = one("Garden", "DC4F22A0B106", None)
    outside.reads = {"AM2301": {"Temperature": Sensor(14.2, 4), "Humidity": Sensor(71, 9)}}
    yield outside


def _groups(zigbees: list[Zigbee]) -> Iterator[Group]:
    members = ("Kids Room Light", "Kids Room Night Light")
    lights = [each.device for each in zigbees if each.name in members]
    bedtime = Button(partial(_bedtime, [each for each in lights if isinstance(each, Light)]))
    yield Group("Play Corner", 1, members, "Kids Room", {1: ("Bedtime", bedtime)})
