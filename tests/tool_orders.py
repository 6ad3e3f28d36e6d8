"""Orders as the agent gives them, for tests of tools."""

from parlour.ids import DeviceId, TurnId
from parlour.ports import Arguments, Order, Place, Tool, ToolResult, Utterance


def order(language: str = "en", key: str = "turn-1.call-1") -> Order:
    place = Place(DeviceId("kitchen"), "Kitchen")
    return Order(Utterance(TurnId("turn-1"), "...", language, place), key)


async def call(tool: Tool, arguments: Arguments | None = None, language: str = "en") -> str:
    return (await result(tool, arguments, language)).text


async def result(
    tool: Tool, arguments: Arguments | None = None, language: str = "en", key: str = "turn-1.call-1"
) -> ToolResult:
    return await tool.run(arguments or {}, order(language, key))


async def asked(tool: Tool, arguments: Arguments | None = None, language: str = "en") -> str:
    assert tool.question is not None
    return await tool.question(arguments or {}, order(language))
