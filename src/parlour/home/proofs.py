"""Whether a state proves that a command was obeyed, and which commands stand against each other; pure."""

from dataclasses import replace

from parlour.home.colors import COLORS, is_alike
from parlour.home.definitions import Definition
from parlour.home.entities import Command, Kind, State, Verb
from parlour.home.payloads import to_number

# Of every kind and verb, the topics of which one must be there for the thing to report it.
_REPORTS: dict[tuple[Kind, Verb], tuple[str, ...]] = {
    (Kind.CLIMATE, Verb.SET_TEMPERATURE): (
        "temperature_state_topic",
        "temperature_low_state_topic",
        "temperature_high_state_topic",
    ),
    (Kind.FAN, Verb.SET_SPEED): ("percentage_state_topic",),
    (Kind.FAN, Verb.SET_MODE): ("preset_mode_state_topic",),
    (Kind.HUMIDIFIER, Verb.SET_HUMIDITY): ("target_humidity_state_topic",),
    (Kind.HUMIDIFIER, Verb.SET_MODE): ("mode_state_topic",),
    (Kind.COVER, Verb.SET_TILT): ("tilt_status_topic",),
    (Kind.COVER, Verb.SET_POSITION): ("position_topic",),
    (Kind.MEDIA, Verb.SET_VOLUME): ("volume_state_topic",),
    (Kind.MEDIA, Verb.MUTE): ("mute_state_topic",),
    (Kind.MEDIA, Verb.UNMUTE): ("mute_state_topic",),
}
_REPORTS_OF_LAMP = {
    Verb.SET_BRIGHTNESS: ("brightness_state_topic",),
    Verb.SET_COLOR: ("rgb_state_topic", "hs_state_topic", "xy_state_topic"),
    Verb.SET_COLOR_TEMP: ("color_temp_state_topic",),
}
_BY_DEFAULT: dict[Kind, tuple[str, ...]] = {
    Kind.CLIMATE: ("mode_state_topic",),
    Kind.COVER: ("state_topic", "position_topic"),
    Kind.VALVE: ("state_topic", "position_topic"),
    Kind.FAN: ("state_topic", "percentage_state_topic"),
}

WIDE_OPEN = 95.0  # per cent; not every cover counts up to a hundred

_GROUPS = (
    {Verb.ON, Verb.OFF, Verb.TOGGLE},
    {Verb.OPEN, Verb.CLOSE, Verb.STOP, Verb.SET_POSITION},
    {Verb.LOCK, Verb.UNLOCK},
    {Verb.START, Verb.PAUSE, Verb.STOP, Verb.DOCK},
    {Verb.MUTE, Verb.UNMUTE},
)
_NEEDS_ON = {Verb.ON, Verb.SET_BRIGHTNESS, Verb.SET_COLOR, Verb.SET_COLOR_TEMP, Verb.SET_SPEED}


def is_optimistic(definition: Definition, command: Command) -> bool:
    """Whether the thing cannot report what this command causes."""
    verb, kind = command.verb, definition.kind
    if definition.flag("optimistic") or verb in (Verb.ACTIVATE, Verb.LOCATE):
        return True
    if kind is Kind.LIGHT and definition.schema == "template":
        return not (definition.has("state_topic") and "state_template" in definition.templates)
    topics = _REPORTS.get((kind, verb)) or _BY_DEFAULT.get(kind, ("state_topic",))
    if kind is Kind.LIGHT and definition.schema == "default":
        topics = _REPORTS_OF_LAMP.get(verb, topics)
    return not any(map(definition.has, topics))


def contradicts(newer: Command, older: Command) -> bool:
    """Whether the newer of two settled commands makes the older's state never come about."""
    if newer.target != older.target or (newer.verb, newer.value) == (older.verb, older.value):
        return False
    if newer.verb is older.verb:
        return True
    if newer.verb is Verb.OFF and older.verb in _NEEDS_ON:
        return True
    if {newer.verb, older.verb} == {Verb.SET_COLOR, Verb.SET_COLOR_TEMP}:
        return True
    return any(newer.verb in group and older.verb in group for group in _GROUPS)


def is_caused(command: Command, state: State) -> bool:
    """Whether `state` is what `command` (settled, no toggle) brings about.

    A cover counts once it moves the right way; a stopped one once it does not move.
    """
    value = to_number(command.value)
    match command.verb:
        case Verb.ON | Verb.OFF | Verb.TOGGLE:
            return state.on is (command.verb is Verb.ON)
        case Verb.OPEN:
            # A cover that is open by half says that it is open, too.
            is_whole = state.position is None or state.position >= WIDE_OPEN
            return state.cover == "opening" or (state.cover == "open" and is_whole)
        case Verb.CLOSE:
            return state.cover in ("closed", "closing")
        case Verb.STOP:
            is_busy = state.activity in ("cleaning", "returning", "playing")
            return state.cover not in ("opening", "closing") and not is_busy
        case Verb.LOCK:
            return state.lock in ("locked", "locking")
        case Verb.UNLOCK:
            return state.lock in ("unlocked", "unlocking", "open")
        case Verb.START:
            return state.activity in ("cleaning", "playing")
        case Verb.PAUSE:
            return state.activity in ("paused", "idle")
        case Verb.DOCK:
            return state.activity in ("returning", "docked")
        case Verb.MUTE | Verb.UNMUTE:
            return state.muted is (command.verb is Verb.MUTE)
        case Verb.ACTIVATE | Verb.LOCATE:
            return False
        case _:
            return _is_set(command, state, value)


def _is_set(command: Command, state: State, value: float | None) -> bool:
    match command.verb:
        case Verb.SET_BRIGHTNESS:
            return state.on is not False and _is_near(state.brightness, value, 2)
        case Verb.SET_COLOR:
            wanted = COLORS.get(str(command.value))
            is_lit = state.on is not False and state.color is not None and wanted is not None
            return is_lit and is_alike(state.color or (0, 0, 0), wanted or (0, 0, 0))
        case Verb.SET_COLOR_TEMP:
            # A lamp speaks whole mireds and clips to what it can do nearby.
            is_near = _is_near(state.color_temp_k, value, max(100.0, (value or 0) * 0.05))
            return state.on is not False and is_near
        case Verb.SET_POSITION:
            return _is_near(state.position, value, 3) or _moves_towards(state, value)
        case Verb.SET_TILT:
            return _is_near(state.tilt, value, 3)
        case Verb.SET_TEMPERATURE:
            return _is_near(state.target_temperature, value, 0.3)
        case Verb.SET_SPEED:
            return state.on is not False and _is_near(state.speed, value, 2)
        case Verb.SET_VOLUME:
            return _is_near(state.volume, value, 3)
        case Verb.SET_HUMIDITY:
            return _is_near(state.target_humidity, value, 1)
        case Verb.SET_MODE:
            return state.mode == command.value
        case Verb.SET_VALUE:
            within = max(0.01, abs(value or 0) * 0.01)
            return _is_near(to_number(state.value), value, within)
        case _:
            return False


def is_on_its_way(command: Command, before: State, now: State) -> bool:
    """Whether what takes its time has begun to: a light that dims slowly, a cover that says where
    it is and not that it moves. It obeys, and will arrive."""
    wanted = to_number(command.value)
    if command.verb in (Verb.OPEN, Verb.CLOSE, Verb.SET_POSITION):
        ends = {Verb.OPEN: 100.0, Verb.CLOSE: 0.0}
        return _nears(before.position, now.position, ends.get(command.verb, wanted))
    if command.verb is not Verb.SET_BRIGHTNESS or wanted is None or now.brightness is None:
        return False
    began = before.brightness if before.on else 0.0
    if began is None or now.on is False:
        return False
    return min(began, wanted) < now.brightness < max(began, wanted)


def seen(command: Command, state: State) -> State:
    """What is to be said of a thing that obeys: a cover that is not yet where it was sent moves,
    though it may not have said so, or never does."""
    ends = {Verb.OPEN: 100.0, Verb.CLOSE: 0.0, Verb.SET_POSITION: to_number(command.value)}
    wanted = ends.get(command.verb)
    if wanted is None or state.position is None or _is_near(state.position, wanted, 5):
        return state
    return replace(state, cover="opening" if wanted > state.position else "closing")


def _is_near(is_at: float | None, wanted: float | None, within: float) -> bool:
    return is_at is not None and wanted is not None and abs(is_at - wanted) <= within


def _nears(was_at: float | None, is_at: float | None, wanted: float | None) -> bool:
    if was_at is None or is_at is None or wanted is None:
        return False
    return was_at > is_at >= wanted or was_at < is_at <= wanted


def _moves_towards(state: State, wanted: float | None) -> bool:
    if state.position is None or wanted is None:
        return False
    rises = state.cover == "opening" and state.position < wanted
    return rises or (state.cover == "closing" and state.position > wanted)
