"""Language models over HTTP: the OpenAI dialect, which many servers speak, and Ollama's own."""

from parlour.providers.chat.ollama import Ollama, OllamaOptions
from parlour.providers.chat.openai import OpenAi, OpenAiOptions

__all__ = ["Ollama", "OllamaOptions", "OpenAi", "OpenAiOptions"]
