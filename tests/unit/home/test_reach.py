"""Who hears an announcement, and who stands in for a device that is away."""

import pytest

from parlour.errors import InputError
from parlour.home.reach import nearest, recipients, satellites
from parlour.ids import DeviceId

SHELF, TABLE, BED, DESK, STRANGER = map(DeviceId, ("shelf", "table", "bed", "desk", "stranger"))
FLOORS = {"downstairs": ["Kitchen", "Living Room"], "upstairs": ["Bedroom", "Office"]}
ALL = satellites(
    {
        SHELF: ("Kitchen", "Kitchen shelf"),
        TABLE: ("kitchen", None),
        BED: ("Bedroom", None),
        DESK: (None, None),
    },
    FLOORS,
    {BED, STRANGER},
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [SHELF, TABLE, BED, DESK, STRANGER]),
        ({"area": "KITCHEN"}, [SHELF, TABLE]),
        ({"floor": "downstairs"}, [SHELF, TABLE]),
        ({"floor": "Upstairs"}, [BED]),
        ({"device": "kitchen  shelf"}, [SHELF]),
        ({"device": "bed"}, [BED]),
        ({"device": "bed", "area": "Bedroom"}, [BED]),
    ],
)
def test_a_place_names_its_devices(wanted: dict[str, str], found: list[DeviceId]) -> None:
    chosen = recipients(ALL, areas=["Kitchen"], floors=FLOORS, **wanted)
    assert [s.device for s in chosen] == found


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"area": "Garage"}, "there is no area Garage; known: Bedroom, Kitchen"),
        ({"area": "Office"}, "no device that speaks stands in Office"),
        ({"floor": "cellar"}, "there is no floor cellar; known: downstairs, upstairs"),
        ({"device": "toaster"}, "there is no device toaster; known: Kitchen shelf, bed, desk"),
        ({"device": "bed", "area": "Kitchen"}, "no device that speaks stands in Kitchen"),
    ],
)
def test_a_name_that_is_not_known_is_refused_with_those_that_are(
    wanted: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError, match=said):
        recipients(ALL, areas=["Kitchen", "Bedroom", "Office"], floors=FLOORS, **wanted)


def test_without_any_device_that_is_said() -> None:
    with pytest.raises(InputError, match="none is known yet"):
        recipients([], device="bed")
    assert recipients([]) == []


def test_who_stands_in_is_first_of_the_area_then_of_the_floor_then_anybody() -> None:
    everybody = [s.device for s in ALL]
    assert nearest(SHELF, ALL, everybody) == [SHELF]
    assert nearest(SHELF, ALL, [TABLE, BED]) == [TABLE]
    assert nearest(SHELF, ALL, [BED, DESK]) == [BED, DESK]
    assert nearest(DESK, ALL, [SHELF, BED]) == [SHELF, BED]
    assert nearest(DeviceId("nowhere"), ALL, [SHELF, STRANGER]) == [SHELF, STRANGER]
    assert nearest(SHELF, ALL, []) == []
