"""The command line: what can be typed. What a command does lives in a module of its own.

Those modules are imported by the command that needs them, so that `--help` and a mistyped
option answer at once.
"""
# ruff: noqa: PLC0415  # see above

import logging
import re
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from parlour import __version__
from parlour.errors import InputError, ParlourError

if TYPE_CHECKING:
    from parlour.app.sections import Config

log = logging.getLogger(__name__)

SERVER = "http://127.0.0.1:8000"
DEVICE_LINK = "ws://127.0.0.1:8000/device"


class Mode(StrEnum):
    AUTO = "auto"
    MANUAL = "manual"


class EngineKind(StrEnum):
    STT = "stt"
    TTS = "tts"


def _app(help_text: str) -> typer.Typer:
    return typer.Typer(
        help=help_text,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,  # rich alone would take longer than everything else in --help
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    )


app = _app("A private, real-time voice assistant for the home.")
home = _app("See the home of a running server, and decide about its devices.")
devices = _app("See the microphones of a running server, and decide about them.")
timers = _app("Look at the timers of a running server.")
alarms = _app("Look at the alarms of a running server, and set some.")
memory = _app("See what the assistant of a running server remembers, and have it forget.")
prompt = _app("See what a language model is sent.")
config = _app("Check and explain the configuration.")
bench = _app("Measure a running installation.")
mcp = _app("See the tools of MCP servers, and approve what has changed.")
models = _app("Fetch, check and remove the files of models.")

ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration; else $PARLOUR_CONFIG, ./config.yml, or the built-in default.",
        show_default=False,
    ),
]
Url = Annotated[str, typer.Option(metavar="URL", help="The running server.")]
Spoken = Annotated[
    str | None,
    typer.Option(
        "--language",
        metavar="LANGUAGE",
        help="In which it is said, e.g. de_DE.",
        show_default="the house's first",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]


def main() -> None:
    """Run the command line; every failure is one line on stderr and exit code 1."""
    try:
        app()
    except ParlourError as error:
        _complain(str(error))
    except Exception as error:
        log.debug("unexpected error", exc_info=True)
        text = " ".join(f"{type(error).__name__}: {error}".split())
        hint = "" if log.isEnabledFor(logging.DEBUG) else " (`parlour --debug ...` shows where)"
        _complain(f"unexpected {text}{hint}")


def _complain(text: str) -> None:
    for line in text.splitlines() or ["failed without saying why"]:
        typer.echo(f"parlour: {line}", err=True)
    sys.exit(1)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"parlour {__version__}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Log everything, tracebacks too.")] = False,
    version: Annotated[  # typer calls _version
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )


# ---------------------------------------------------------------- the server


@app.command()
def serve(
    config_file: ConfigFile = None,
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on.", show_default="configured"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(
            metavar="PORT",
            min=0,
            max=65535,
            help="Port; 0: any free one.",
            show_default="configured",
        ),
    ] = None,
) -> None:
    """Run the server: hear devices, control the home, answer."""
    from parlour.app.serve import serve as run

    chosen = _load(config_file)
    if not log.isEnabledFor(logging.DEBUG):
        logging.getLogger("parlour").setLevel(logging.INFO)
    run(chosen, host, port)


@app.command()
def talk(
    file: Annotated[str, typer.Argument(metavar="FILE.wav|-", help="Recording; - reads stdin.")],
    url: Annotated[
        str, typer.Option(metavar="URL", help="The server's device link.")
    ] = DEVICE_LINK,
    device: Annotated[str, typer.Option(metavar="ID", help="Id to appear under.")] = "cli",
    mode: Annotated[
        Mode, typer.Option(help="Who ends the turn: the server (auto) or the device (manual).")
    ] = Mode.AUTO,
    wake: Annotated[
        float | None,
        typer.Option(
            metavar="DBFS", help="Claim a wake word of this level; the nearest device answers."
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="OUT.wav", help="Keep the spoken reply.")
    ] = None,
    then: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE.wav", help="Say this into the answer; may be repeated."),
    ] = None,
    after_ms: Annotated[
        list[int] | None,
        typer.Option(
            metavar="MS", min=0, help="When to say it, from the first sound of the answer on."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Speak a recording to the server as a device does; time the answer."""
    from parlour.app.talk import talk as run
    from parlour.app.talk import talk_on

    if then:
        raise typer.Exit(
            talk_on(file, then, after_ms or [800], url=url, device=device, as_json=as_json)
        )
    raise typer.Exit(
        run(
            file,
            url=url,
            device=device,
            mode=mode.value,
            save=save,
            as_json=as_json,
            wake_dbfs=wake,
        )
    )


@app.command()
def ask(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help='What to say, e.g. "turn on the kitchen light".')
    ],
    area: Annotated[
        str | None, typer.Option(metavar="AREA", help='Where you are: "the light" is meant there.')
    ] = None,
    language: Spoken = None,
    conversation: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A conversation of its own, e.g. one for each person."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Put a sentence to the running server in writing."""
    from parlour.app.client import ask as run

    run(
        text,
        area=area,
        language=language,
        conversation=conversation,
        dry_run=dry_run,
        url=url,
        as_json=as_json,
    )


@app.command()
def interpret(
    language: Annotated[
        str, typer.Option(metavar="LANGUAGE", help="In which it is said, e.g. hi_IN.")
    ] = "en_US",
    home_file: Annotated[
        Path | None,
        typer.Option(
            "--home",
            metavar="FILE",
            help="Floors, areas and devices, as docs/interpret.md has them.",
            show_default="the demo home",
        ),
    ] = None,
    area: Annotated[
        str | None,
        typer.Option(metavar="AREA", help="Where the speaker is, if the line does not say."),
    ] = None,
) -> None:
    """Say what sentences would do, one JSON object per line in and out. Needs no server."""
    from parlour.app.interpret import run
    from parlour.catalogue.languages import find_language

    run(find_language(language), home_file, area)


@app.command()
def announce(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to say, up to 500 characters.")],
    area: Annotated[
        str | None, typer.Option(metavar="AREA", help="Only in this area, e.g. Kitchen.")
    ] = None,
    floor: Annotated[
        str | None, typer.Option(metavar="FLOOR", help="Only on this floor, e.g. upstairs.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="ID", help="Only on this device, by its id or name.")
    ] = None,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Say something on every connected device, or on those of a place."""
    from parlour.app.clockclient import announce as run

    run(text, area=area, floor=floor, device=device, url=url, as_json=as_json)


# ---------------------------------------------------------------- timers and alarms

Number = Annotated[int, typer.Argument(metavar="ID", help="Its number in the list.")]


@timers.command("list")
def timers_list(url: Url = SERVER, as_json: Json = False) -> None:
    """List the timers, the soonest first."""
    from parlour.app.clockclient import list_timers as run

    run(url=url, as_json=as_json)


@timers.command("cancel")
def timers_cancel(number: Number, url: Url = SERVER, as_json: Json = False) -> None:
    """Cancel a timer, also one that rings."""
    from parlour.app.clockclient import cancel as run

    run("timer", number, url=url, as_json=as_json)


@alarms.command("list")
def alarms_list(url: Url = SERVER, as_json: Json = False) -> None:
    """List the alarms, the next one first."""
    from parlour.app.clockclient import list_alarms as run

    run(url=url, as_json=as_json)


@alarms.command("set")
def alarms_set(
    time: Annotated[
        str,
        typer.Argument(
            metavar="TIME", help='E.g. "7:30 tomorrow", "monday 7 pm", "in 20 minutes".'
        ),
    ],
    name: Annotated[str, typer.Option(metavar="NAME", help="What it is for.")] = "",
    repeat: Annotated[
        str, typer.Option(metavar="DAYS", help="daily, weekdays, weekends, or a weekday.")
    ] = "",
    device: Annotated[
        str | None, typer.Option(metavar="ID", help="Where it rings; else on every device.")
    ] = None,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Set an alarm."""
    from parlour.app.clockclient import set_alarm as run

    run(time, name=name, repeat=repeat, device=device, url=url, as_json=as_json)


@alarms.command("cancel")
def alarms_cancel(number: Number, url: Url = SERVER, as_json: Json = False) -> None:
    """Cancel an alarm, also one that rings."""
    from parlour.app.clockclient import cancel as run

    run("alarm", number, url=url, as_json=as_json)


@app.command()
def demo(
    url: Annotated[
        str, typer.Option(metavar="URL", help="The broker, e.g. mqtt://user:password@host:1883.")
    ] = "mqtt://localhost:1883",
) -> None:
    """Play the demo home on a broker of your own, until Ctrl-C.

    A server whose `mqtt:` names that broker finds its devices as it finds real ones. They stay
    announced there, as offline, when the demo home has gone.
    """
    from parlour.app.demo import demo as run

    run(url)


# ---------------------------------------------------------------- the assistant


@memory.command("show")
def memory_show(
    thread: Annotated[
        str | None,
        typer.Argument(metavar="CONVERSATION", help="Word by word; else all in outline."),
    ] = None,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """List conversations, and facts with their numbers; or show one conversation."""
    from parlour.app.memoryclient import show as run

    run(thread, url=url, as_json=as_json)


@memory.command("forget")
def memory_forget(
    thread: Annotated[
        str | None,
        typer.Argument(metavar="CONVERSATION", help="As in `parlour memory show`."),
    ] = None,
    fact: Annotated[int | None, typer.Option(metavar="N", help="One fact, by its number.")] = None,
    facts: Annotated[bool, typer.Option("--facts", help="Every fact.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Every conversation and every fact.")
    ] = False,
    sure: Annotated[bool, typer.Option("--yes", help="Ask nothing before --all.")] = False,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Forget a conversation, a fact, all facts, or everything."""
    from parlour.app.memoryclient import Forgotten
    from parlour.app.memoryclient import forget as run

    what = Forgotten(thread, fact, facts, everything)
    run(what, sure=sure, url=url, as_json=as_json)


@memory.command("export")
def memory_export(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A new file, only for you; - is stdout.")
    ] = Path("parlour-memory.json"),
    url: Url = SERVER,
) -> None:
    """Write everything that is remembered as JSON."""
    from parlour.app.memoryclient import export as run

    run(file, url=url)


@memory.command("remember")
def memory_remember(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help='A fact, e.g. "the bins are emptied on Friday".')
    ],
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Have the assistant keep a fact in mind."""
    from parlour.app.memoryclient import remember as run

    run(text, url=url, as_json=as_json)


@prompt.command("show")
def prompt_show(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What somebody says.")] = "",
    area: Annotated[
        str | None, typer.Option(metavar="AREA", help="Where they are, e.g. Kitchen.")
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="ID", help="To which device they speak.", show_default="in writing"),
    ] = None,
    language: Spoken = None,
    count: Annotated[
        bool,
        typer.Option("--count", help="Send it to have its tokens counted."),
    ] = False,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Show word by word what the language model would be sent now."""
    from parlour.app.promptclient import show as run

    run(
        text,
        area=area,
        device=device,
        language=language,
        count=count,
        url=url,
        as_json=as_json,
    )


# ---------------------------------------------------------------- engines without a server


@app.command()
def say(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to speak.")],
    voice: Annotated[
        str | None, typer.Option(metavar="VOICE", help="Voice.", show_default="configured")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="OUT.wav", help="Write a WAV file; play nothing.")
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Speak a text with the configured voice. Needs no server."""
    from parlour.app.speech import say as run

    run(_load(config_file), text, voice=voice, save=save)


@app.command()
def hear(
    file: Annotated[str, typer.Argument(metavar="FILE.wav|-", help="Recording; - reads stdin.")],
    as_json: Json = False,
    config_file: ConfigFile = None,
) -> None:
    """Write down what is heard in a recording. Needs no server."""
    from parlour.app.speech import hear as run

    run(_load(config_file), file, as_json=as_json)


@app.command()
def engine(
    kind: Annotated[EngineKind, typer.Argument(help="Which kind of engine.")],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name in config.yml, e.g. espeak.")
    ],
    uri: Annotated[
        str, typer.Option(metavar="URI", help="Where to listen: unix:///PATH or tcp://HOST:PORT.")
    ],
    config_file: ConfigFile = None,
) -> None:
    """Serve one engine over the Wyoming protocol to any program.

    Home Assistant, or a Parlour on another machine, finds it at that address. What the engine is
    like (model, device, threads) is taken from the configuration.
    """
    from parlour.app.speech import serve_engine as run

    run(_load(config_file), "stt" if kind is EngineKind.STT else "tts", name, uri)


# ---------------------------------------------------------------- what there is to choose from

Language = Annotated[
    str | None, typer.Option(metavar="LANGUAGE", help="Only for this language, e.g. hi_IN.")
]


@app.command()
def providers(config_file: ConfigFile = None, as_json: Json = False) -> None:
    """List every engine: where it runs, what it knows, whether it can be used here."""
    from parlour.app.catalogue import providers as run

    run(_load(config_file), as_json=as_json)


@app.command()
def voices(
    language: Language = None,
    provider: Annotated[
        str | None, typer.Option(metavar="PROVIDER", help="Only of this engine, e.g. piper.")
    ] = None,
    config_file: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """List voices with grade, licence and state, the best of a language first."""
    from parlour.app.catalogue import voices as run

    run(_load(config_file), language=_code(language), provider=provider, as_json=as_json)


@app.command()
def languages(config_file: ConfigFile = None, as_json: Json = False) -> None:
    """List the languages, and who hears and speaks each how well."""
    from parlour.app.catalogue import languages as run

    run(_load(config_file), as_json=as_json)


@app.command()
def advise(
    language: Annotated[str, typer.Option(metavar="LANGUAGE", help="E.g. hi_IN.")],
    offline: Annotated[
        bool, typer.Option("--offline", help="Nothing may leave the house.")
    ] = False,
    ram: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Memory of the machine, e.g. 4GB.")
    ] = None,
    budget_ms: Annotated[
        float | None,
        typer.Option(metavar="MS", min=1, help="Most an engine may add to the answer."),
    ] = None,
    any_use: Annotated[
        bool, typer.Option("--any-use", help="Only what may be used for anything, business too.")
    ] = False,
    config_file: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """Rank engines for a language and a machine; say why the others do not suit."""
    from parlour.app.advise import Wish
    from parlour.app.advise import advise as run

    wish = Wish(_code(language) or "", offline, _megabytes(ram), budget_ms, any_use)
    raise typer.Exit(run(_load(config_file), wish, as_json=as_json))


@app.command()
def doctor(config_file: ConfigFile = None, as_json: Json = False) -> None:
    """Check host, engines, keys, models, port, broker and tools; name the mend of each finding."""
    from parlour.app.config import find, read
    from parlour.app.doctor.report import doctor as run

    raise typer.Exit(run(read(find(config_file)), as_json=as_json))


# ---------------------------------------------------------------- models

Mirror = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="Another machine's model folder, https:// or file:///, to fetch from."
    ),
]


@models.command("list")
def models_list(
    language: Language = None,
    here: Annotated[bool, typer.Option("--here", help="Only what is on this machine.")] = False,
    config_file: ConfigFile = None,
    as_json: Json = False,
) -> None:
    """List what can be fetched: size, licence, and whether it is here."""
    from parlour.app.models import list_models as run

    run(_load(config_file), language=_code(language), here=here, as_json=as_json)


@models.command("pull")
def models_pull(
    model: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL...]", help="Ids; none: what the configuration needs."),
    ] = None,
    mirror: Mirror = None,
    config_file: ConfigFile = None,
) -> None:
    """Fetch models; what broke off is resumed, and nothing is used before it was checked."""
    from parlour.app.models import pull_models as run

    run(_load(config_file), model or [], mirror=mirror)


@models.command("rm")
def models_rm(
    model: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Ids.")],
    config_file: ConfigFile = None,
) -> None:
    """Remove models from this machine."""
    from parlour.app.models import remove_models as run

    run(_load(config_file), model)


@models.command("verify")
def models_verify(
    model: Annotated[
        list[str] | None,
        typer.Argument(metavar="[MODEL...]", help="Ids; none: all that are here."),
    ] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Fetch anew what is damaged.")] = False,
    config_file: ConfigFile = None,
) -> None:
    """Read models and compare them with what was published, or first pulled."""
    from parlour.app.models import verify_models as run

    raise typer.Exit(run(_load(config_file), model or [], repair=repair))


# ---------------------------------------------------------------- the home


Id = Annotated[str, typer.Argument(metavar="ID", help="The device, as in `parlour home list`.")]


@home.command("list")
def home_list(url: Url = SERVER, as_json: Json = False) -> None:
    """List every device by floor and area, and how it stands."""
    from parlour.app.homeclient import list_home as run

    run(url=url, as_json=as_json)


@home.command("show")
def home_show(id_: Id, url: Url = SERVER, as_json: Json = False) -> None:
    """Show all about a device: what it is called, what it can, who may command it."""
    from parlour.app.homeclient import show as run

    run(id_, url=url, as_json=as_json)


@home.command("areas")
def home_areas(url: Url = SERVER, as_json: Json = False) -> None:
    """List the areas by floor, and what else they are called."""
    from parlour.app.homeclient import list_areas as run

    run(url=url, as_json=as_json)


@home.command("assign")
def home_assign(
    id_: Id,
    area: Annotated[str, typer.Argument(metavar="AREA", help="Where it stands, e.g. Kitchen.")],
    new: Annotated[bool, typer.Option("--new", help="The area may be one that is new.")] = False,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Say where a device stands."""
    from parlour.app.homeclient import assign as run

    run(id_, area, may_be_new=new, url=url, as_json=as_json)


@home.command("alias")
def home_alias(
    id_: Id,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME...]", help="What else it is called.")
    ] = None,
    language: Annotated[
        str | None,
        typer.Option(
            metavar="LANGUAGE", help="Of the names, e.g. de_DE.", show_default="every language"
        ),
    ] = None,
    clear: Annotated[
        bool, typer.Option("--clear", help="Forget the names that it was given before.")
    ] = False,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Give a device further names."""
    from parlour.app.homeclient import alias as run

    code = _code(language)
    run(id_, names or [], language=code, clear=clear, url=url, as_json=as_json)


@home.command("expose")
def home_expose(id_: Id, url: Url = SERVER, as_json: Json = False) -> None:
    """Let voices find a device."""
    from parlour.app.homeclient import expose as run

    run(id_, True, url=url, as_json=as_json)


@home.command("hide")
def home_hide(id_: Id, url: Url = SERVER, as_json: Json = False) -> None:
    """Hide a device from voices; it is still followed and listed."""
    from parlour.app.homeclient import expose as run

    run(id_, False, url=url, as_json=as_json)


@home.command("watch")
def home_watch(
    url: Url = SERVER,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Show every device, then every change, until Ctrl-C."""
    from parlour.app.client import watch_home as run

    run(url=url, as_json=as_json)


# ---------------------------------------------------------------- the microphones


Microphone = Annotated[
    str,
    typer.Argument(metavar="DEVICE", help="Its id or its name, as in `parlour devices list`."),
]


@devices.command("list")
def devices_list(url: Url = SERVER, as_json: Json = False) -> None:
    """List every microphone: where it stands, how loud it hears, what it heard last."""
    from parlour.app.devicesclient import list_devices as run

    run(url=url, as_json=as_json)


@devices.command("show")
def devices_show(device: Microphone, url: Url = SERVER, as_json: Json = False) -> None:
    """Show all about a microphone, and the last wake words that it heard."""
    from parlour.app.devicesclient import show as run

    run(device, url=url, as_json=as_json)


@devices.command("rename")
def devices_rename(
    device: Microphone,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call it.")],
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Give a microphone a name."""
    from parlour.app.devicesclient import rename as run

    run(device, name, url=url, as_json=as_json)


@devices.command("room")
def devices_room(
    device: Microphone,
    area: Annotated[str, typer.Argument(metavar="AREA", help="Where it stands, e.g. Kitchen.")],
    new: Annotated[bool, typer.Option("--new", help="The area may be one that is new.")] = False,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Say where a microphone stands: "the light" is the one there."""
    from parlour.app.devicesclient import place as run

    run(device, area, may_be_new=new, url=url, as_json=as_json)


@devices.command("group")
def devices_group(
    device: Microphone,
    name: Annotated[
        str | None, typer.Argument(metavar="[GROUP]", help="None: as configured, or as it says.")
    ] = None,
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Put a microphone into a group: of one group, the nearest answers."""
    from parlour.app.devicesclient import group as run

    run(device, name, url=url, as_json=as_json)


@devices.command("calibrate")
def devices_calibrate(
    device: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DEVICE...]", help="Ids or names; none: all that are connected."),
    ] = None,
    url: Url = SERVER,
) -> None:
    """Measure how loud microphones hear: say the wake word three times, one metre from each."""
    from parlour.app.devicesclient import calibrate as run

    raise typer.Exit(run(device or [], url=url))


@devices.command("wrong-room")
def devices_wrong_room(
    device: Annotated[
        list[str],
        typer.Argument(
            metavar="[WRONG] RIGHT",
            help="Who answered, else as in the last round; who should have.",
        ),
    ],
    url: Url = SERVER,
    as_json: Json = False,
) -> None:
    """Say that another microphone should have answered: 1 dB for each of the two."""
    from parlour.app.devicesclient import wrong_room as run

    if len(device) > 2:
        raise InputError("name who should have answered, or both: WRONG RIGHT")
    run(device[-1], device[0] if len(device) == 2 else None, url=url, as_json=as_json)


@devices.command("mute")
def devices_mute(device: Microphone, url: Url = SERVER, as_json: Json = False) -> None:
    """Listen to a microphone no more; its loudspeaker goes on."""
    from parlour.app.devicesclient import mute as run

    run(device, True, url=url, as_json=as_json)


@devices.command("unmute")
def devices_unmute(device: Microphone, url: Url = SERVER, as_json: Json = False) -> None:
    """Listen to a microphone again."""
    from parlour.app.devicesclient import mute as run

    run(device, False, url=url, as_json=as_json)


# ---------------------------------------------------------------- MCP servers


@mcp.command("list")
def mcp_list(config_file: ConfigFile = None, as_json: Json = False) -> None:
    """List the tools that servers have shown, and whether each may be used."""
    from parlour.app.mcpclient import list_tools as run

    run(_load(config_file), as_json=as_json)


@mcp.command("approve")
def mcp_approve(
    server: Annotated[str, typer.Argument(metavar="SERVER", help="Its name in config.yml.")],
    tool: Annotated[
        str | None, typer.Argument(metavar="[TOOL]", help="One tool; none: all that wait.")
    ] = None,
    config_file: ConfigFile = None,
) -> None:
    """Approve tools whose description or parameters have changed, or that are new."""
    from parlour.app.mcpclient import approve as run

    run(_load(config_file), server, tool)


# ---------------------------------------------------------------- the configuration


@config.command("check")
def config_check(config_file: ConfigFile = None) -> None:
    """Check the configuration: exit code 0, or 1 with one line per mistake."""
    from parlour.app.config import find, read

    loaded = read(find(config_file))
    typer.echo(f"{loaded.path} is right" if loaded.path else "no file: the built-in default serves")


@config.command("show")
def config_show(config_file: ConfigFile = None, as_json: Json = False) -> None:
    """Show what is in force and where each value comes from; secrets are masked."""
    from parlour.app.config import find, read
    from parlour.app.reference import effective, effective_json

    loaded = read(find(config_file))
    typer.echo(effective_json(loaded) if as_json else effective(loaded), nl=as_json)


@config.command("reference")
def config_reference() -> None:
    """Print every key there is, as docs/config.md has it."""
    from parlour.app.reference import config_markdown

    typer.echo(config_markdown(), nl=False)


# ---------------------------------------------------------------- measuring


JsonFile = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the whole report as JSON.")
]


@bench.command("voice-to-voice")
def bench_voice_to_voice(
    quick: Annotated[
        bool, typer.Option("--quick", help="A fixed choice of everything, in under five minutes.")
    ] = False,
    short: Annotated[
        bool,
        typer.Option("--short", help="Half a minute; only what holds on a busy machine."),
    ] = False,
    json_file: JsonFile = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the tables as Markdown.")
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw where the time goes.")
    ] = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A running server's device link; else some are started."),
    ] = None,
    voices: Annotated[
        str | None,
        typer.Option(metavar="LIST", help="Of slt, rms, awb, en-us, en-gb+f3; default: all."),
    ] = None,
    only: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Only commands, chatter, correction, short, question, paused or barge-in.",
        ),
    ] = None,
) -> None:
    """Speak to servers in real time; measure from the end of speech to the answer.

    Ctrl-C ends the run early and reports what was measured until then.
    """
    from parlour_bench.cli import Choice, Outputs
    from parlour_bench.cli import voice_to_voice as run

    choice = Choice(quick=quick, short=short, voices=voices, only=only)
    raise typer.Exit(run(choice, outputs=Outputs(json_file, markdown, picture), url=url))


@bench.command("capacity")
def bench_capacity(
    json_file: JsonFile = None,
    sessions: Annotated[
        str | None,
        typer.Option(metavar="N,N,...", help="How many sessions.", show_default="1,...,100"),
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="Twenty seconds; only what holds on a busy machine.")
    ] = False,
) -> None:
    """Hold many conversations at once against a server on one core."""
    from parlour_bench.capacity import capacity as run

    raise typer.Exit(run(json_file=json_file, counts=sessions, short=short))


@bench.command("engines")
def bench_engines(
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PROVIDER", help="Only these; may be repeated."),
    ] = None,
    repeats: Annotated[
        int, typer.Option(metavar="N", min=1, help="Sentences each engine hears or speaks.")
    ] = 15,
    json_file: JsonFile = None,
    config_file: ConfigFile = None,
) -> None:
    """Measure the engines that are ready here; `providers` and `advise` use the figures."""
    from parlour_bench.engines import engines as run

    raise typer.Exit(run(_load(config_file), only=only, repeats=repeats, json_file=json_file))


@bench.command("grammar")
def bench_grammar(
    locales: Annotated[
        list[str] | None,
        typer.Argument(metavar="[LOCALE]...", help="Languages, e.g. hi_IN; else all nine."),
    ] = None,
    name: Annotated[
        str, typer.Option("--set", metavar="NAME", help="Sentences: exam or practice.")
    ] = "exam",
    devices: Annotated[
        int, typer.Option(metavar="N", min=0, max=2000, help="Fill the home up to so many.")
    ] = 110,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print what failed.")] = False,
) -> None:
    """Judge sentences that the grammar's author never saw, by their effect."""
    from parlour_bench.grammar import SETS
    from parlour_bench.grammar import grammar as run

    if name not in SETS:
        raise InputError(f"there is no set {name}; there are: {', '.join(SETS)}")
    raise typer.Exit(run(locales or (), name, devices, verbose=verbose))


@bench.command("agent")
def bench_agent(
    only: Annotated[
        str | None,
        typer.Option(metavar="CLASS|ID", help="Only one class of tasks, or one task."),
    ] = None,
    short: Annotated[
        bool, typer.Option("--short", help="A fixed choice of forty tasks, in half a minute.")
    ] = False,
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="A real model in place of the scripted one."),
    ] = None,
    provider: Annotated[
        str, typer.Option(metavar="NAME", help="Who serves the model, as in llm.provider.")
    ] = "openai",
    base_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Where it is served.", show_default="the provider's own"),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(metavar="KEY", envvar="PARLOUR_BENCH_KEY", help="Its key, if it needs one."),
    ] = None,
    json_file: JsonFile = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Print what was said.")] = False,
) -> None:
    """Give tasks to the agent, and judge by how house, calendar, timers and facts end."""
    from parlour_bench.agent.command import Options
    from parlour_bench.agent.command import agent as run
    from parlour_bench.agent.surroundings import RealModel

    if model is None and (base_url or provider != "openai"):
        raise InputError("--model is missing: which model is it to be?")
    real = RealModel(model, provider, base_url, api_key) if model else None
    options = Options(only=only, short=short, json_file=json_file, verbose=verbose)
    raise typer.Exit(run(options, real))


@bench.command("fleet")
def bench_fleet(
    devices: Annotated[int, typer.Option(metavar="N", min=1, max=1000, help="Connected.")] = 100,
    wakes: Annotated[int, typer.Option(metavar="N", min=1, help="Wake words in all.")] = 200,
    group_size: Annotated[
        int, typer.Option(metavar="K", min=1, max=100, help="Devices that hear the same.")
    ] = 5,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="A running server's device link; else one is started."),
    ] = None,
    redis_url: Annotated[
        str | None,
        typer.Option("--redis", metavar="URL", help="A Redis for the server that is started."),
    ] = None,
    json_file: JsonFile = None,
) -> None:
    """Wake many devices at once; judge whether one answers, the right one, and when."""
    from parlour_bench.fleet.command import Options, fleet
    from parlour_bench.fleet.plan import Size

    size = Size(devices, wakes, group_size)
    raise typer.Exit(fleet(Options(size, url, redis_url, json_file)))


@bench.command("graph")
def bench_graph(
    turns: Annotated[int, typer.Option(metavar="N", min=20, help="Of each store.")] = 300,
    soak: Annotated[
        int,
        typer.Option(metavar="N", min=0, help="Turns to look for growth in, a tenth cut off."),
    ] = 10_000,
    redis_url: Annotated[
        str | None, typer.Option("--redis", metavar="URL", help="A Redis to measure, too.")
    ] = None,
) -> None:
    """Measure what the agent's graph and its memory cost a turn, whether they grow, and MCP calls."""
    from parlour_bench.graph import graph as run

    raise typer.Exit(run(turns, soak, redis_url))


@bench.command("wake")
def bench_wake(
    wakes: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="How often somebody wakes a device."),
    ] = None,
    homes: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="In how many homes, by turns.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another one: other homes.")] = 1,
    short: Annotated[
        bool, typer.Option("--short", help="A few seconds: fewer wakes in fewer homes.")
    ] = False,
    render: Annotated[
        bool,
        typer.Option("--render", help="Speech in rendered rooms in place of formulas; fewer."),
    ] = False,
    json_file: JsonFile = None,
    picture: Annotated[
        Path | None,
        typer.Option(metavar="FILE.svg", help="Draw the rules side by side, and one wake."),
    ] = None,
) -> None:
    """Let many devices hear one wake word in a model of homes; compare rules that choose one."""
    from parlour_bench.wake.command import Outputs, size
    from parlour_bench.wake.command import wake as run

    chosen = size(wakes, homes, seed, short=short, render=render)
    raise typer.Exit(run(chosen, Outputs(json_file, picture), render=render))


@bench.command("overhead")
def bench_overhead(
    repeats: Annotated[int, typer.Option(metavar="N", min=1, help="Of each measurement.")] = 20,
    config_file: ConfigFile = None,
) -> None:
    """Measure what our part of an engine costs: process hop, HTTP adapter, Whisper."""
    from parlour_bench.overhead import overhead as run

    raise typer.Exit(run(_load(config_file), repeats=repeats))


app.add_typer(home, name="home")
app.add_typer(devices, name="devices")
app.add_typer(timers, name="timers")
app.add_typer(alarms, name="alarms")
app.add_typer(mcp, name="mcp")
app.add_typer(memory, name="memory")
app.add_typer(prompt, name="prompt")
app.add_typer(models, name="models")
app.add_typer(config, name="config")
app.add_typer(bench, name="bench")


def _code(language: str | None) -> str | None:
    from parlour.catalogue.languages import find_language

    return None if language is None else find_language(language)


def _megabytes(size: str | None) -> int | None:
    if size is None:
        return None
    read = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*(GB|MB|G|M)", size.strip(), re.IGNORECASE)
    if read is None:
        raise InputError(f"{size} is no size: it looks like 4GB or 512MB")
    return round(float(read[1]) * (1000 if read[2].upper().startswith("G") else 1))


def _load(given: Path | None) -> "Config":
    from parlour.app.config import find, load

    return load(find(given))
