"""Speech on its way to a device."""

from collections.abc import AsyncIterator

import anyio
import numpy as np

import virtual_time
from parlour.audio import OpusPacket, Pcm
from parlour.opus import Decoder
from parlour.ports import Speech
from parlour.turn.playout import Pacer, PlayoutFormat, encode, play
from scripted_engines import tone

FORM = PlayoutFormat(rate_hz=24_000, frame_ms=60, lead_s=0.12)


async def _speech(*pieces: Pcm, gap_s: float = 0.0) -> AsyncIterator[Speech]:
    for piece in pieces:
        await anyio.sleep(gap_s)
        yield Speech(piece)


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
        sent: list[float] = []
        pacer = Pacer(FORM.lead_s)
        packets = encode(_speech(tone(0.6, 24_000)), FORM)
        await play(packets, pacer, lambda _packet: sent.append(anyio.current_time()))
        assert [round(at, 3) for at in sent] == [0, 0, 0] + [
            round(0.06 * i, 3) for i in range(1, 8)
        ]
        assert pacer.underruns == 0
        assert round(pacer.played_until_s, 3) == 0.6

    virtual_time.run(scenario)


def test_a_voice_slower_than_speech_moves_the_schedule_and_is_counted() -> None:
    async def scenario() -> None:
        sent: list[tuple[int, float]] = []

        def send(packet: OpusPacket) -> None:
            sent.append((packet.start, round(anyio.current_time(), 3)))

        pacer = Pacer(FORM.lead_s)
        slow = _speech(tone(0.06, 24_000), tone(0.06, 24_000), gap_s=0.5)
        await play(encode(slow, FORM), pacer, send)
        assert sent == [(0, 0.5), (1440, 1.0)]
        assert pacer.underruns == 1

    virtual_time.run(scenario)
