"""The whole server put together: which part gets which, and what runs as long as it runs."""

import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

import anyio
from anyio import to_thread

from parlour import tasks
from parlour.agent.assistant import PlainAssistant
from parlour.agent.phrases import no_model
from parlour.app import choice
from parlour.app.catalogue import language_records, voice_records
from parlour.app.clock import Calls, Speakers, dismiss_on_turns
from parlour.app.devices import Calls as DeviceCalls
from parlour.app.engines import Running, make_llm, make_stt, make_tts, make_turn_model
from parlour.app.home import WRITER, writer_in
from parlour.app.home import Calls as HomeCalls
from parlour.app.memory import Calls as MemoryCalls
from parlour.app.memory import no_prompt
from parlour.app.mqtturl import MqttUrl
from parlour.app.owner import floors_of, path_of, policy_of
from parlour.app.satellites import Satellites
from parlour.app.sections import Config
from parlour.app.wakewords import make_wake_word, spotter_for
from parlour.bus.memory import MemoryBus
from parlour.bus.rounds import MemoryRounds
from parlour.errors import MissingError, ProviderError
from parlour.events import Action, Event, TurnEnded
from parlour.gateways import http
from parlour.gateways.device import (
    STOCK_LEAD_S,
    SUPERSET_LEAD_S,
    DeviceGateway,
    Gate,
)
from parlour.gateways.metrics import Metrics
from parlour.gateways.prompt import PromptCalls, PromptQuestion
from parlour.gateways.referee import Referee
from parlour.home.brain import HomeBrain, fixed_replies
from parlour.home.broker import embedded_broker
from parlour.home.clock import Clock
from parlour.home.demo import DemoHome, make_stations, run_demo
from parlour.home.grammar import HouseGrammar
from parlour.home.language import LANGUAGES
from parlour.home.mqtt import MqttHouse
from parlour.home.permission import Questions
from parlour.home.sampling import training_sentences
from parlour.home.store import Store
from parlour.home.tools import HomeTools
from parlour.ids import DeviceId, new_turn_id
from parlour.ports import (
    Begun,
    Brain,
    Did,
    Expect,
    Place,
    Say,
    Utterance,
    Vocabulary,
    WakeWord,
)
from parlour.providers.silero import SileroVad
from parlour.supervise import RestartRule, Stages, keep_running
from parlour.turn.admission import Admission, AdmissionPolicy
from parlour.turn.engines import Engines
from parlour.turn.phrases import all_phrases
from parlour.turn.playout import PlayoutFormat
from parlour.turn.vadbatch import VadBatch
from parlour.turn.voice import Voice
from parlour.wake.arbiter import Arbiter
from parlour.wake.rounds import Rounds, Tell

if TYPE_CHECKING:  # a second to load, and 40 MB, for those who have a language model
    from parlour.agent.agent import Agent
    from parlour.app.agent import Mind

log = logging.getLogger(__name__)

# A broker is back within seconds of a restart, and then the house should obey again.
BROKER_RULE = RestartRule(first_s=0.25, longest_s=3.0)
TEACH_QUIET_S = 0.5  # devices announce themselves in bursts; one lesson for all of them
TEACH_AGAIN_S = 5.0  # after a lesson that failed
# What devices play: those of our own protocol, and boards with stock firmware.
COMMON_FORMS = (
    PlayoutFormat(16_000, 20, SUPERSET_LEAD_S),
    PlayoutFormat(24_000, 20, SUPERSET_LEAD_S),
    PlayoutFormat(24_000, 60, STOCK_LEAD_S),
)


class Server:
    """Everything that one process serves. `run` is its life."""

    def __init__(
        self, config: Config, broker_url: str, store: Store, stages: Stages, mind: "Mind | None"
    ) -> None:
        """`mind` None: there is no language model."""
        self.stages = stages
        self.bus = MemoryBus()
        self._running = Running(self.stages)
        self._stt = make_stt(config, self._running, self._publish)
        tts = make_tts(config, self._running, self._publish)
        # Only one that is taught whole sentences is worth the second that they take to make.
        self._learns_sentences = bool({"pocketsphinx", "wyoming"} & set(config.stt.provider))
        self._demo_stage = None if config.mqtt else self.stages.add("demo")
        self._home_stage = self.stages.add("home")
        self._broker_url = broker_url
        self._house = house_at(broker_url, config)
        self._taught = anyio.Event()  # the recogniser knows the names of the house
        self._grammar = HouseGrammar(self._house)
        self._language = config.stt.language or config.spoken[0]
        self._spoken = dict.fromkeys((self._language, *config.spoken))
        self.satellites = Satellites(config, store)
        speakers = Speakers(config, lambda: self.devices, lambda: self.satellites.places)
        self.clock = Clock(store, speakers, self._language)
        self.home = HomeCalls(config, self._house, self._grammar, store)
        self._policy = policy_of(config)
        asked_back = Questions(self._policy)
        self._home = HomeBrain(
            self._house, self._grammar, self.clock, self._policy, speakers.say_aloud, asked_back
        )
        self._mind = mind
        self._agent: Agent | None = None
        self._brain: Brain = PlainAssistant(self._home)
        if mind is not None:
            tools = HomeTools(self._house, self._policy, asked_back, self.clock, speakers.say_aloud)
            llm = make_llm(config, self._running, self._publish)
            assert llm is not None, "without one there is no mind"
            self._agent = self._brain = mind.make_agent(llm, self._home, tools)
        self._vad = VadBatch(SileroVad())
        engines = Engines(
            stt=self._stt,
            tts=tts,
            vad=self._vad,
            grammar=self._grammar,
            brain=self._brain,
            turn_model=make_turn_model(config),
            language=self._language,
            voice=choice.voice_for(config, config.tts.provider[0]),
            speed=config.tts.speed,
            follow_up_s=config.conversation.follow_up_s,
        )
        self._engines = engines
        self._admission = Admission(
            AdmissionPolicy(
                most_sessions=config.server.most_sessions, most_share=config.server.most_load
            ),
            lambda: self._vad.queue_age_ms,
        )
        self._referee = Referee(self._make_rounds(config), self.satellites.observe)
        word = self._make_wake_word(config)
        self.devices = DeviceGateway(
            Gate(
                engines,
                self.satellites,
                self._publish,
                self._referee,
                word.confirm if word is not None and config.wake.check else None,
                partial(spotter_for, config, word),
                self._admission,
            )
        )
        self.satellites.changed = self._settle
        self._settle()
        device_calls = DeviceCalls(
            self.satellites,
            connected=lambda: self.devices.connected,
            limited=lambda: self._referee.rounds.limited,
            spell=self.home.area,
        )
        self._metrics = self._make_metrics(engines)
        house = http.House(
            self._ask,
            partial(voice_records, config),
            partial(language_records, config),
            self.home.routes(),
            Calls(self.clock, speakers).routes(),
            self._make_memory_calls().routes(),
            PromptCalls(no_prompt if mind is None else self._show_prompt),
            device_calls.routes(),
        )
        self.app = http.create_app(self.stages, self.devices, house, self._metrics)

    def _make_rounds(self, config: Config) -> "Callable[[Tell], Rounds]":
        if not config.wake.shared:
            return partial(MemoryRounds, Arbiter())
        from parlour.app.wakewords import shared_rounds  # noqa: PLC0415  # brings Redis

        make, close = shared_rounds(config)
        self._running.closers.append(close)
        return make

    def _make_wake_word(self, config: Config) -> WakeWord | None:
        """None where there is no engine, also on a machine for which there is none."""
        try:
            return make_wake_word(config)
        except MissingError as error:
            log.warning("no wake word is heard or checked here: %s", error)
            return None

    def _make_memory_calls(self) -> MemoryCalls:
        if self._mind is None or self._agent is None:
            return MemoryCalls(None)
        return MemoryCalls(self._mind.memory, let_go=self._agent.forget)

    def _settle(self) -> None:
        """What is decided about microphones counts at once."""
        self._referee.rounds.calibrate(self.satellites.calibration())
        self.devices.settle()

    def _publish(self, event: Event) -> None:
        self._metrics.observe(event)
        self.bus.publish(event)

    def _make_metrics(self, engines: Engines) -> Metrics:
        metrics, cache = Metrics(self.stages), engines.cache
        for name, text, read in (
            ("sessions", "Devices connected", lambda: self.devices.sessions),
            ("sessions_rated", "Devices this machine can serve", lambda: self.devices.rated),
            ("loop_lag_ms", "Lateness of the event loop, p95", lambda: self._admission.lag_ms),
            ("core_share", "Of one core, taken by the server", lambda: self._admission.share),
            ("vad_queue_age_ms", "Age of the oldest window", lambda: self._vad.queue_age_ms),
            ("reply_cache_bytes", "Of replies ready to be sent", lambda: cache.bytes),
            ("reply_cache_hits", "Texts that were ready", lambda: cache.hits),
            ("reply_cache_misses", "Texts that had to be spoken", lambda: cache.misses),
        ):
            metrics.gauge(name, text, read)
        return metrics

    async def run(self) -> None:
        """Keep every stage running until cancelled."""
        self._grammar.warm(self._language)
        async with self._closing(), tasks.task_group() as group:
            for process in self._running.processes:
                group.start_soon(process.run)
            for task in self._running.tasks:
                group.start_soon(task)
            group.start_soon(self._vad.run)
            group.start_soon(self._admission.run)
            if self._demo_stage is not None:
                # Who tries Parlour meets things that obey; `parlour demo` has all of them.
                home = DemoHome(make_stations(has_faults=False))
                demo = partial(run_demo, self._broker_url, self._demo_stage, home)
                group.start_soon(keep_running, self._demo_stage, demo)
                await self._demo_stage.wait_ready()
            connect = partial(self._house.run, self._home_stage)
            group.start_soon(keep_running, self._home_stage, connect, BROKER_RULE)
            group.start_soon(self._warm_further)
            group.start_soon(self._teach)
            group.start_soon(self._check_rules)
            group.start_soon(self._referee.run)
            group.start_soon(self.clock.run)
            group.start_soon(dismiss_on_turns, self.bus, self.clock)
            group.start_soon(self._log_turns)
            group.start_soon(self._prepare_replies)
            if self._mind is not None and self._agent is not None:
                group.start_soon(self._mind.run, self._agent)
                group.start_soon(self._keep_model_warm, self._agent)

    async def _warm_further(self) -> None:
        """Compile the languages after the first aside: half a second each."""
        for language in self._spoken:
            if language != self._language:
                warm = partial(self._grammar.warm, language)
                await to_thread.run_sync(warm, abandon_on_cancel=True)

    @asynccontextmanager
    async def _closing(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            with anyio.move_on_after(1, shield=True):
                if self._agent is not None:
                    await self._agent.aclose()
                for close in self._running.closers:
                    await close()

    async def wait_settled(self) -> None:
        """Wait until every stage that is needed is ready or known to be down, and names are known."""
        for stage in self.stages:
            if stage.needed:
                await stage.wait_settled()
        await self._taught.wait()

    async def _teach(self) -> None:
        """Teach the recogniser the names of the house, now and whenever one is added."""
        taught = -1
        while True:
            revision = await self._house.wait_revision(taught)
            await anyio.sleep(TEACH_QUIET_S)
            if self._house.revision != revision:
                continue
            entities = [e for e in self._house.entities.values() if e.exposed]
            sentences: list[str] = []
            if self._learns_sentences and self._language[:2] in LANGUAGES:
                places, language = self._house.places, self._language
                sentences = await to_thread.run_sync(training_sentences, entities, places, language)
            names = sorted({name for e in entities for name in (e.name, e.area or "") if name})
            try:
                await self._stt.teach(Vocabulary(sentences, names))
            except ProviderError as error:
                log.warning("the names of the house are not taught yet: %s", error)
                await anyio.sleep(TEACH_AGAIN_S)
            else:
                log.info("taught %d sentences for %d devices", len(sentences), len(entities))
                taught = revision
                self._taught.set()

    async def _check_rules(self) -> None:
        """A rule that fits nothing protects nothing: perhaps its target is misspelt."""
        await self._taught.wait()
        for rule in self._policy.rules:
            if not any(fnmatchcase(id_, rule.target) for id_ in self._house.entities):
                log.warning("permissions.rules: no device is called %s", rule.target)

    async def _prepare_replies(self) -> None:
        """Have ready what is said word for word again and again."""
        if not self._engines.tts.traits.offline:
            return  # dozens of requests at every start: what is said is kept when it is said
        await self._taught.wait()
        texts = [
            *fixed_replies(self._language),
            no_model(self._language),
            *all_phrases(self._language),
        ]
        for form in COMMON_FORMS:
            voice = Voice(self._engines, form)
            for text in texts:
                try:
                    await voice.prepare(text)
                except ProviderError as error:
                    log.info("replies are not made ready: %s", error)
                    return

    async def _keep_model_warm(self, agent: "Agent") -> None:
        """Have the model loaded now, and after each turn the conversation read."""
        await agent.warm_up(Place(WRITER), self._language)
        with self.bus.subscribe() as events:
            async for event in events:
                if isinstance(event, TurnEnded) and event.transcript:
                    await agent.warm_up(Place(event.device), self._language)

    async def _log_turns(self) -> None:
        with self.bus.subscribe() as events:
            async for event in events:
                if isinstance(event, TurnEnded):
                    log.info("turn of %s: %s %s", event.device, event.end, dict(event.stages_ms))

    # ------------------------------------------------------------ what the routes ask

    async def _ask(self, question: http.Question) -> http.Answer:
        text, language = question.text, self.home.language(question.language)
        area = self.home.area(question.area) if question.area else None
        place = Place(writer_in(question.conversation), area)
        plan = self._home.plan(text, language, place)
        if question.dry_run:
            actions = [Action(c.target, c.verb, c.value, confirmed=False) for c in plan.commands]
            return http.Answer(plan.intent, plan.reply, actions)
        said = ""
        done: list[Action] = []
        utterance = Utterance(new_turn_id(), text, language, place)
        at_once = anyio.Event()
        at_once.set()
        async with self._brain.answer(utterance, at_once) as answer:
            async for piece in answer:
                match piece:
                    case Expect() | Begun():
                        pass
                    case Say(text=piece_of, tokens=tokens):
                        said += piece_of if tokens else f" {piece_of}"
                    case Did(action=action):
                        done.append(action)
        said = " ".join(said.split())
        self._brain.remember(utterance, said)
        if self._agent is not None:
            await self._agent.flush()  # who has his answer may rely on it
        await self.clock.flush()
        return http.Answer(plan.intent, said, done)

    async def _show_prompt(self, asked: PromptQuestion) -> Mapping[str, object]:
        assert self._mind is not None
        assert self._agent is not None
        language = self.home.language(asked.language)
        device = DeviceId(asked.device) if asked.device else WRITER
        area = self.home.area(asked.area) if asked.area else self.satellites.place(device).area
        utterance = Utterance(new_turn_id(), asked.text, language, Place(device, area))
        return await self._mind.show_prompt(self._agent, utterance, count=asked.count)


@asynccontextmanager
async def mind_of(config: Config, stages: Stages) -> "AsyncIterator[Mind | None]":
    """What a language model needs besides itself; None where there is none, and nothing is loaded."""
    if config.llm.provider == ["none"]:
        yield None
        return
    from parlour.app.agent import open_mind  # noqa: PLC0415  # see above

    async with open_mind(config, stages) as mind:
        yield mind


def house_at(broker_url: str, config: Config) -> MqttHouse:
    """The house at a broker, as far as the configuration describes it. Raises ConfigError."""
    mqtt = config.mqtt
    if mqtt is None:
        return MqttHouse(broker_url, floors=floors_of(config))
    return MqttHouse(
        broker_url,
        prefix=mqtt.discovery_prefix,
        floors=floors_of(config),
        zigbee2mqtt=mqtt.zigbee2mqtt,
        tasmota=mqtt.tasmota or "",
        tls_ca=path_of(mqtt.tls_ca),
    )


def url_of(url: MqttUrl) -> str:
    """The whole URL, secrets and all: for the one who connects, never for a log."""
    login = ""
    if url.username is not None:
        secret = "" if url.password is None else f":{quote(url.password, safe='')}"
        login = f"{quote(url.username, safe='')}{secret}@"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{'mqtts' if url.tls else 'mqtt'}://{login}{host}:{url.port}"


@asynccontextmanager
async def home_broker(config: Config) -> AsyncIterator[str]:
    """The owner's broker, or one of our own as long as the context is open."""
    if config.mqtt is not None:
        yield url_of(config.mqtt.url)
        return
    async with embedded_broker() as url:
        yield url
