"""The ids that travel through the house, as types of their own so that none is taken for another."""

import secrets
from typing import NewType

DeviceId = NewType("DeviceId", str)  # a microphone and speaker, e.g. a MAC address
SessionId = NewType("SessionId", str)  # one connection of a device
TurnId = NewType("TurnId", str)  # one utterance and its answer, unique within the process
EntityId = NewType("EntityId", str)  # a thing in the home, e.g. "kitchen.light"
StageName = NewType("StageName", str)  # a supervised part, e.g. "stt:pocketsphinx"


def new_session_id() -> SessionId:
    return SessionId(secrets.token_hex(8))


def new_turn_id() -> TurnId:
    return TurnId("t" + secrets.token_hex(5))
