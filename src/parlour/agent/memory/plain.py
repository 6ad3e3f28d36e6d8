"""What a checkpoint may hold, and how it is written: JSON of plain types, and nothing else."""

import json
from collections.abc import Mapping
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import CheckpointTuple, get_checkpoint_id

KIND = "json"


class PlainSerializer:
    """Satisfies LangGraph's SerializerProtocol.

    Reading it back can make nothing but dicts, lists, texts, numbers, booleans and None, whoever
    wrote it. The serialiser that LangGraph brings can import modules and call what is in them.
    """

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Raises TypeError for what is not plain."""
        return KIND, dump(obj)

    def loads_typed(self, data: tuple[str, bytes]) -> Any:
        """Raises ValueError for what this class did not write."""
        kind, value = data
        if kind != KIND:
            raise ValueError(f"it is written as {kind}, not as {KIND}")
        return load(value)


def dump(value: Any) -> bytes:
    """JSON in UTF-8. Half a character, as some models send, is kept as it is."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
    return text.encode("utf-8", "surrogatepass")


def load(value: bytes) -> Any:
    """Raises ValueError."""
    try:
        return json.loads(value.decode("utf-8", "surrogatepass"))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _plain(value: object) -> str:
    if isinstance(
        value, BaseException
    ):  # LangGraph notes why a node failed; its text may be private
        return type(value).__name__
    raise TypeError(f"a conversation cannot keep a {type(value).__name__}")


def key_of(config: RunnableConfig) -> tuple[str, str]:
    """Thread and namespace of a config."""
    wanted = config["configurable"]
    return str(wanted["thread_id"]), str(wanted.get("checkpoint_ns", ""))


def config_of(thread: str, namespace: str, checkpoint_id: str | None = None) -> RunnableConfig:
    found: dict[str, Any] = {"thread_id": thread, "checkpoint_ns": namespace}
    if checkpoint_id:
        found["checkpoint_id"] = checkpoint_id
    return {"configurable": found}


def is_listed(
    found: CheckpointTuple,
    config: RunnableConfig | None,
    metadata: Mapping[str, Any] | None,
    before: RunnableConfig | None,
) -> bool:
    """Whether `alist` with these arguments names this checkpoint."""
    thread, namespace = key_of(found.config)
    checkpoint_id = found.checkpoint["id"]
    if config is not None:
        wanted = config["configurable"]
        if str(wanted["thread_id"]) != thread:
            return False
        if wanted.get("checkpoint_ns", namespace) != namespace:
            return False
        if get_checkpoint_id(config) not in (None, checkpoint_id):
            return False
    limit = get_checkpoint_id(before) if before else None
    if limit is not None and checkpoint_id >= limit:
        return False
    kept: Mapping[str, Any] = dict(found.metadata)
    return all(kept.get(name) == value for name, value in (metadata or {}).items())
