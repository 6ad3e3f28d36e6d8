"""The agent put together: a language model, the tools of home and owner, and what it remembers.

Loaded only where a language model is configured: LangGraph alone takes a second and 40 MB.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import anyio

from parlour import tasks
from parlour.agent.agent import Agent, Remembering
from parlour.agent.assistant import HomeBrain
from parlour.agent.memory.memory import Memory, MemoryOptions, open_memory
from parlour.agent.memory.tools import fact_tools
from parlour.agent.persona import load_persona
from parlour.agent.prompt import Prompts, Surroundings, count_tokens, prompt_text
from parlour.app.bookings import open_bookings
from parlour.app.calendars import calendar_tools
from parlour.app.clock import data_folder
from parlour.app.databases import open_databases
from parlour.app.mcpservers import McpServers
from parlour.app.plugins import plugin_tools
from parlour.app.requests import open_requests
from parlour.app.sections import Config
from parlour.app.toolnames import check_tools
from parlour.gateways.prompt import Record
from parlour.home.permission import Answer, Policy, Questions
from parlour.home.tools import HomeTools
from parlour.ids import DeviceId
from parlour.ports import Llm, Message, Place, Tool, Utterance
from parlour.supervise import Health, Stage, Stages, keep_running

LOOK_S = 1.0  # between two looks at how the memory is


class Mind:
    """What the agent needs opened before it and closed after it, and the agent once it is made."""

    def __init__(
        self,
        config: Config,
        stage: Stage,
        memory: Memory,
        tools: Sequence[Tool],
        servers: McpServers | None,
    ) -> None:
        """`tools`: the owner's, but for those of MCP servers, which come and go."""
        self._stage = stage
        self.memory = memory
        self._config = config
        self.tools = tools
        self._servers = servers
        self._persona = load_persona(config.agent.persona)

    def make_agent(self, llm: Llm, home: HomeBrain, home_tools: HomeTools) -> Agent:
        def tools(place: Place) -> list[Tool]:
            own = [*home_tools.tools(place), *self.tools]
            if self._servers is None:
                return own
            taken = {tool.spec.name for tool in own}
            return own + [t for t in self._servers.tools() if t.spec.name not in taken]

        memory, config = self.memory, self._config
        surroundings = Surroundings(tools, home_tools.listing, home_tools.situation)
        return Agent(
            home,
            llm,
            Prompts(self._persona, surroundings),
            tools,
            Remembering(memory.saver, memory.threads, memory.facts, owner_in(config), memory.note),
            agreement,
            summaries=config.agent.summary,
        )

    async def run(self, agent: Agent) -> None:
        """Keep what was said, and the sessions with MCP servers, until cancelled."""

        async def tell() -> None:
            # A memory with a problem goes on, and what it could not write it writes later.
            while True:
                self._stage.set(Health.READY, self.memory.problem)
                await anyio.sleep(LOOK_S)

        async def keep() -> None:
            async with tasks.task_group() as group:
                group.start_soon(tell)
                group.start_soon(self.memory.run)
                group.start_soon(agent.run)

        async with tasks.task_group() as group:
            group.start_soon(keep_running, self._stage, keep)
            if self._servers is not None:
                group.start_soon(self._servers.run)

    async def show_prompt(self, agent: Agent, utterance: Utterance, *, count: bool) -> Record:
        """What the model would get now. `count`: by its own server, for two very short answers."""
        whole, known = await agent.prompt(utterance)
        tokens, cacheable = count_tokens(prompt_text(whole)), count_tokens(prompt_text(known))
        if count:
            tokens, cacheable = await agent.count(whole), await agent.count(known)
        return {
            "messages": [_shown(message) for message in whole.messages],
            "tools": [
                {"name": t.name, "description": t.description, "parameters": t.parameters}
                for t in whole.tools
            ],
            "tokens": tokens,
            "cacheable_tokens": cacheable,
            "counted": count,
        }


@asynccontextmanager
async def open_mind(config: Config, stages: Stages) -> AsyncIterator[Mind]:
    """Open memory and tools. Nothing outside has to be there yet. Raises ConfigError."""
    async with AsyncExitStack() as opened:
        memory = await opened.enter_async_context(open_memory(memory_options(config)))
        tools = {
            "memory": fact_tools(memory.facts, owner_in(config)),
            "calendars": calendar_tools(config.calendars, config.time_zone),
            "databases": await opened.enter_async_context(open_databases(config.databases)),
            "requests": await opened.enter_async_context(
                open_requests(config.requests, config.weather)
            ),
            "bookings": await opened.enter_async_context(open_bookings(config.bookings)),
        }
        for name, own in config.tools.items():
            tools[f"tools.{name}"] = plugin_tools({name: own})
        check_tools(tools, config)
        servers = McpServers(config, stages) if config.mcp else None
        every = [tool for made in tools.values() for tool in made]
        yield Mind(config, stages.add("memory"), memory, every, servers)


def memory_options(config: Config) -> MemoryOptions:
    return MemoryOptions(
        kind=config.memory.store,
        folder=data_folder(config),
        redis_url=config.redis.url.get_secret_value() if config.redis else "",
        ttl_days=config.memory.days,
        threads=config.agent.thread,
        person_of=persons(config),
        handover_s=config.agent.handover_s,
    )


def persons(config: Config) -> Mapping[DeviceId, str]:
    """Whose device it is, where the owner said so."""
    return {DeviceId(d): s.person for d, s in config.satellites.items() if s.person}


def owner_in(config: Config) -> Callable[[Utterance], str]:
    """Whose facts count for an utterance: those of a person, or of the house."""
    person_of = persons(config)
    return lambda utterance: person_of.get(utterance.place.device, "house")


def agreement(text: str, language: str) -> bool | None:
    """By the same fixed lists as for what the home asks back; a PIN is for doors."""
    match Questions(Policy()).judge(text, language):
        case Answer.YES:
            return True
        case Answer.NO:
            return False
        case Answer.WRONG | Answer.OTHER:
            return None


def _shown(message: Message) -> dict[str, object]:
    shown: dict[str, object] = {"role": message.role, "content": message.content}
    if message.calls:
        shown["calls"] = [{"name": c.name, "arguments": c.arguments} for c in message.calls]
    return shown
