"""The fleet bench in small, against a whole server with scripted engines."""

import numpy as np
import pytest

from parlour.audio import HEARING_RATE_HZ, Pcm, silence
from parlour_bench.fleet.command import as_json
from parlour_bench.fleet.device import Sentence
from parlour_bench.fleet.judge import judge
from parlour_bench.fleet.plan import Size, draw
from parlour_bench.fleet.run import run
from scripted_engines import tone
from servers import scripted_server

pytestmark = pytest.mark.anyio

SIZE = Size(devices=8, wakes=3, group_size=4)
TIMING = ("added by arbitration", "claim to verdict")  # other work on this machine may spoil it


async def test_of_eight_devices_in_two_groups_one_answers_each_word() -> None:
    sound = np.concatenate([silence(0.3, HEARING_RATE_HZ).samples, tone(0.9).samples])
    sentence = Sentence(Pcm(sound, HEARING_RATE_HZ), len(sound))
    async with scripted_server() as server:
        heard = await run(server.device_url, draw(SIZE), sentence, alone=False)
        assert server.brain.did == SIZE.wakes
    rows = judge(heard.words, heard.alone)
    assert [row.what for row in rows if not row.ok and not row.what.startswith(TIMING)] == []
    assert as_json(SIZE, rows, heard)["details"]["ends"]["answered"] == SIZE.wakes
