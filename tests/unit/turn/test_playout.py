"""Speech on its way to a device."""

from collections.abc import AsyncIterator

import anyio
import numpy as np

import virtual_time
from parlour import tasks
from parlour.audio import OpusPacket, Pcm
from parlour.opus import Decoder
from parlour.turn.playout import Pacer, PlayoutFormat, encode
from scripted_engines import tone

FORM = PlayoutFormat(rate_hz=24_000, frame_ms=60, lead_s=0.12)


async def _speech(*pieces: Pcm, gap_s: float = 0.0) -> AsyncIterator[Pcm]:
    for piece in pieces:
        await anyio.sleep(gap_s)
        yield piece


async def _play(packets: AsyncIterator[OpusPacket], pacer: Pacer) -> list[tuple[int, float]]:
    """Where each packet begins, and when it was sent."""
    sent = []
    async for packet in packets:
        await pacer.wait(packet)
        sent.append((packet.start, round(anyio.current_time(), 3)))
    return sent


def test_pieces_of_any_rate_become_whole_frames_of_the_devices_rate_and_nothing_is_lost() -> None:
    async def scenario() -> None:
        pieces = [tone(0.07, 22_050), tone(0.501, 22_050), tone(0.013, 22_050)]
        made = [packet async for packet in encode(_speech(*pieces), FORM)]
        assert [p.start for p in made] == [i * 1440 for i in range(len(made))]
        assert len(made) == -(-round(0.584 * 24_000) // 1440)
        decoder = Decoder(24_000)
        sound = np.concatenate([decoder.decode(p.data) for p in made])
        assert len(sound) == len(made) * 1440
        assert np.abs(sound[2000:12000]).max() > 1500

    virtual_time.run(scenario)


def test_no_speech_makes_no_packet() -> None:
    async def scenario() -> None:
        assert [p async for p in encode(_speech(), FORM)] == []

    virtual_time.run(scenario)


def test_packets_leave_on_an_absolute_schedule_with_a_small_lead() -> None:
    async def scenario() -> None:
        pacer = Pacer(FORM.lead_s)
        sent = await _play(encode(_speech(tone(0.6, 24_000)), FORM), pacer)
        assert [at for _, at in sent] == [0, 0, 0] + [round(0.06 * i, 3) for i in range(1, 8)]
        assert pacer.underruns == 0
        await pacer.wait_played()
        assert round(anyio.current_time(), 3) == 0.6

    virtual_time.run(scenario)


def test_a_voice_slower_than_speech_moves_the_schedule_and_is_counted() -> None:
    async def scenario() -> None:
        pacer = Pacer(FORM.lead_s)
        slow = _speech(tone(0.06, 24_000), tone(0.06, 24_000), gap_s=0.5)
        assert await _play(encode(slow, FORM), pacer) == [(0, 0.5), (1440, 1.0)]
        assert pacer.underruns == 1

    virtual_time.run(scenario)


def test_an_answer_that_is_held_goes_on_where_it_stopped() -> None:
    async def scenario() -> None:
        pacer = Pacer(FORM.lead_s)
        sent: list[tuple[int, float]] = []

        async def play() -> None:
            sent.extend(await _play(encode(_speech(tone(0.6, 24_000)), FORM), pacer))

        async with tasks.task_group() as group:
            group.start_soon(play)
            await anyio.sleep(0.1)
            pacer.hold()
            pacer.hold()  # twice is once
            await anyio.sleep(1.0)
            pacer.release()
            await pacer.wait_played()
        held = [at for _, at in sent if 0.1 < at < 1.1]
        assert held == []
        assert sent[-1] == (9 * 1440, round(0.54 - 0.12 + 1.0, 3))
        assert pacer.underruns == 0

    virtual_time.run(scenario)
