"""What is configured about microphones, what was decided over it, and what of it is kept."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from parlour.app import calibrating
from parlour.app.calibrating import Collection
from parlour.app.config import parse
from parlour.app.satellites import FORGET, MOST_KNOWN, MOST_VERDICTS, Satellites
from parlour.gateways.satellites import Change
from parlour.home.store import Store, open_store
from parlour.ids import DeviceId
from parlour.ports import Place
from parlour.wake.rules import Lost, RoundId, TakenOver, Won

pytestmark = pytest.mark.anyio

SHELF, DESK, ATTIC = DeviceId("shelf"), DeviceId("desk"), DeviceId("attic")
CONFIG = """
satellites:
  shelf: {area: Kitchen, name: Shelf, person: Ada, gain_db: 2, floor_dbfs: -60, model: INMP441}
  desk: {group: office, mute: true}
"""


def made(store: Store, text: str = CONFIG) -> Satellites:
    return Satellites(parse(text, {})[0], store)


@pytest.fixture
async def store() -> AsyncIterator[Store]:
    async with open_store(None) as opened:
        yield opened


async def test_what_is_configured_counts_until_something_is_decided(store: Store) -> None:
    satellites = made(store)
    assert satellites.place(SHELF) == Place(SHELF, "Kitchen")
    assert satellites.group(DESK, "attic") == "office"
    assert satellites.group(SHELF, "attic") == "attic"
    assert satellites.group(SHELF, "") == "home"
    assert satellites.is_muted(DESK)
    satellites.decide(SHELF, Change(area="Hall"))
    satellites.decide(DESK, Change(mute=False, group="den"))
    assert satellites.place(SHELF) == Place(SHELF, "Hall")
    assert (satellites.group(DESK, "attic"), satellites.is_muted(DESK)) == ("den", False)
    satellites.decide(DESK, Change(mute=None))
    assert (satellites.group_now(DESK), satellites.is_muted(DESK)) == ("den", True)
    assert satellites.places == {SHELF: ("Hall", "Shelf"), DESK: (None, None)}
    assert satellites.person(SHELF) == "Ada"


async def test_what_was_decided_measured_and_seen_outlives_a_restart(store: Store) -> None:
    before = made(store)
    before.decide(ATTIC, Change(area="Attic", gain_db=3.0))
    before.measured(DESK, -30.0)
    before.measured(SHELF, -34.0)
    before.corrected(DESK, SHELF)
    before.told_model(ATTIC, "esp-box-3")
    before.joined(ATTIC, is_persistent=True)
    after = made(store)
    await after.load()
    assert after.place(ATTIC) == Place(ATTIC, "Attic")
    assert after.calibration() == before.calibration()
    for device in (SHELF, DESK, ATTIC):
        assert after.kept(device) == before.kept(device)


async def test_every_decision_is_told_at_once(store: Store) -> None:
    satellites, told = made(store), []
    satellites.changed = lambda: told.append(satellites.calibration().gain_db(ATTIC))
    satellites.decide(ATTIC, Change(gain_db=5.0))
    satellites.corrected(ATTIC, DESK)
    satellites.decide(ATTIC, Change(gain_db=None))
    assert told == [5.0, 6.0, 0.0]


async def test_gains_come_from_the_model_then_the_measurement_then_corrections(
    store: Store,
) -> None:
    satellites = made(store)
    assert satellites.calibration().gain_db(SHELF) == 2.0
    assert satellites.calibration().floors_dbfs == {SHELF: -60.0}
    satellites.corrected(SHELF, DESK)
    satellites.measured(SHELF, -30.0)
    satellites.measured(ATTIC, -36.0)
    found = satellites.calibration()
    assert found.gain_db(SHELF) - found.gain_db(ATTIC) == 6.0
    assert found.corrections_db == {DESK: -1.0}
    satellites.decide(SHELF, Change(gain_db=1.0))
    assert satellites.calibration().gain_db(SHELF) == 1.0


async def test_a_wake_word_is_taken_as_a_measurement_only_where_one_is_wanted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibrating, "SAME_WORD_S", 0.0)
    satellites = made(store)
    satellites.joined(DESK, is_persistent=True)
    assert not satellites.claimed(DESK, -30.0)
    satellites.collection = Collection(DESK, anyio.current_time())
    assert not satellites.claimed(SHELF, -20.0)
    assert not satellites.claimed(DESK, None)
    for broken in (float("nan"), 60.0):
        assert not satellites.claimed(DESK, broken)
    assert [satellites.claimed(DESK, -30.0) for _ in range(4)] == [True, True, True, False]
    assert satellites.kept(DESK).level_dbfs == -30.0


async def test_the_last_50_verdicts_of_a_device_are_kept_and_one_of_each_round(
    store: Store,
) -> None:
    satellites = made(store)
    for device in (SHELF, DESK):
        satellites.joined(device, is_persistent=True)
    satellites.claimed(SHELF, -30.0)
    for number in range(MOST_VERDICTS + 5):
        satellites.observe(Won(SHELF, RoundId(f"home/{number}")))
    last = RoundId("home/last")
    satellites.observe(Lost(DESK, 2.0, last))
    satellites.observe(Won(SHELF, last))
    satellites.observe(TakenOver(SHELF, DESK, last))
    satellites.observe(Won(DeviceId("stranger"), last))
    hearings = satellites.hearings(SHELF)
    assert (len(hearings), hearings[-1].won, hearings[-1].level_dbfs) == (MOST_VERDICTS, False, -30)
    assert [one.won for one in satellites.hearings(DESK)] == [True]
    assert satellites.last_winner == (DESK, satellites.hearings(DESK)[-1])


async def test_devices_that_nobody_decided_about_make_room_and_are_forgotten_in_time(
    store: Store,
) -> None:
    satellites = made(store)
    satellites.decide(ATTIC, Change(name="Attic"))
    for number in range(MOST_KNOWN + 20):
        satellites.joined(DeviceId(f"guest-{number:03}"), is_persistent=True)
    satellites.joined(DeviceId("unnamed-0123"), is_persistent=True)
    assert len(await store.load_satellites()) == MOST_KNOWN
    assert ATTIC in satellites.known
    assert DeviceId("guest-000") not in satellites.known
    assert DeviceId("unnamed-0123") not in satellites.known
    long_ago = (datetime.now(UTC) - FORGET - timedelta(days=1)).isoformat()
    store.save_satellite("old", {"seen": long_ago})
    store.save_satellite("old-friend", {"seen": long_ago, "decided": {"name": "Friend"}})
    store.save_satellite("broken", {"correction_db": 99})
    after = made(store)
    await after.load()
    assert "old-friend" in after.known
    assert not {"old", "broken"} & set(after.known)
    assert "old" not in await store.load_satellites()
