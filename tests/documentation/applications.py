"""Applications that start as docs/frameworks says: each makes one call, which is answered with `ANSWER`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

ANSWER: Final = "started"
_ASK: Final = f"ECHO {ANSWER}"
_MESSAGES: Final = [{"role": "user", "content": _ASK}]


@dataclass(frozen=True, slots=True)
class Application:
    """A program, and what it needs beside what the page installs."""

    page: str
    """Name of a page of docs/frameworks."""
    packages: Sequence[str]
    code: str
    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    """Switches that the page names."""
    name: str = ""
    """Which of the applications of a page: its own lines have this word in a comment."""


APPLICATIONS: Final = (
    Application(
        "langchain",
        ("langchain", "langchain-openai"),
        f"from langchain_openai import ChatOpenAI\nChatOpenAI(model='gpt-4o-mini').invoke({_ASK!r})",
    ),
    Application(
        "openai",
        ("openai",),
        "from openai import OpenAI\n"
        f"OpenAI().chat.completions.create(model='gpt-4o-mini', messages={_MESSAGES})",
    ),
    Application(
        "anthropic",
        ("anthropic",),
        "import anthropic\n"
        f"anthropic.Anthropic().messages.create(model='claude-haiku', max_tokens=9, messages={_MESSAGES})",
    ),
    Application(
        "pydantic-ai",
        ("pydantic-ai-slim[openai]",),
        "from pydantic_ai.models.openai import OpenAIChatModel\n"
        f"Agent(OpenAIChatModel('gpt-4o-mini')).run_sync({_ASK!r})",
    ),
    Application(
        "llama-index",
        ("llama-index-core", "llama-index-llms-openai"),
        "import os\n"
        "from llama_index.core.llms import ChatMessage\n"
        "from llama_index.llms.openai import OpenAI\n"
        "llm = OpenAI(model='gpt-4o-mini', api_base=os.environ['OPENAI_BASE_URL'])\n"
        f"llm.chat([ChatMessage(role='user', content={_ASK!r})])",
    ),
    Application(
        "openai-agents",
        ("openai-agents",),
        "from agents import Agent, Runner\n"
        f"Runner.run_sync(Agent(name='helper', model='gpt-4o-mini'), {_ASK!r})",
    ),
    Application(
        "litellm",
        ("litellm",),
        f"litellm.completion('openai/gpt-4o-mini', messages={_MESSAGES})\nimport time\ntime.sleep(2)",
    ),
    Application(
        "haystack",
        ("haystack-ai",),
        "from haystack import Pipeline\n"
        "from haystack.components.generators.chat import OpenAIChatGenerator\n"
        "from haystack.dataclasses import ChatMessage\n"
        "pipeline = Pipeline()\n"
        "pipeline.add_component('llm', OpenAIChatGenerator(model='gpt-4o-mini'))\n"
        f"pipeline.run({{'llm': {{'messages': [ChatMessage.from_user({_ASK!r})]}}}})",
        {"HAYSTACK_CONTENT_TRACING_ENABLED": "true"},
    ),
    Application(
        "strands",
        ("strands-agents[openai]",),
        "from strands import Agent\n"
        "from strands.models.openai import OpenAIModel\n"
        f"Agent(model=OpenAIModel(model_id='gpt-4o-mini'), callback_handler=None)({_ASK!r})",
    ),
    Application(
        "google-adk",
        ("google-adk", "litellm"),
        "import asyncio\n"
        "from google.adk.agents import LlmAgent\n"
        "from google.adk.models.lite_llm import LiteLlm\n"
        "from google.adk.runners import InMemoryRunner\n"
        "from google.genai import types\n"
        "async def main():\n"
        "    agent = LlmAgent(name='helper', model=LiteLlm(model='openai/gpt-4o-mini'))\n"
        "    runner = InMemoryRunner(agent, app_name='app')\n"
        "    session = await runner.session_service.create_session(app_name='app', user_id='u')\n"
        f"    words = types.Content(role='user', parts=[types.Part(text={_ASK!r})])\n"
        "    async for _ in runner.run_async(user_id='u', session_id=session.id, new_message=words):\n"
        "        pass\n"
        "asyncio.run(main())",
        {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"},
    ),
    Application(
        "microsoft",
        ("semantic-kernel",),
        "import asyncio, logging\n"
        "logging.getLogger('semantic_kernel').setLevel(logging.INFO)\n"
        "from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, "
        "OpenAIChatPromptExecutionSettings\n"
        "from semantic_kernel.contents import ChatHistory\n"
        f"history = ChatHistory()\nhistory.add_user_message({_ASK!r})\n"
        "service = OpenAIChatCompletion(ai_model_id='gpt-4o-mini')\n"
        "asyncio.run(service.get_chat_message_content(history, OpenAIChatPromptExecutionSettings()))",
        {"SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE": "true"},
        "Semantic Kernel",
    ),
    Application(
        "microsoft",
        ("agent-framework-core", "agent-framework-openai"),
        "import asyncio\n"
        "from agent_framework import Agent\n"
        "from agent_framework.observability import enable_instrumentation\n"
        "from agent_framework.openai import OpenAIChatCompletionClient\n"
        "enable_instrumentation(enable_sensitive_data=True)\n"
        f"asyncio.run(Agent(OpenAIChatCompletionClient(model='gpt-4o-mini')).run({_ASK!r}))",
        {"ENABLE_OTEL": "true"},
        "Agent Framework",
    ),
    Application(
        "microsoft",
        ("autogen-agentchat", "autogen-ext[openai]"),
        "import asyncio\n"
        "from autogen_agentchat.agents import AssistantAgent\n"
        "from autogen_ext.models.openai import OpenAIChatCompletionClient\n"
        "client = OpenAIChatCompletionClient(model='gpt-4o-mini')\n"
        f"asyncio.run(AssistantAgent('helper', client).run(task={_ASK!r}))",
        name="AutoGen",
    ),
)
