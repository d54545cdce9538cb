// What an agent of Koog's does. A letter means the same as in Python.
import ai.koog.agents.core.agent.AIAgent
import ai.koog.agents.core.tools.SimpleTool
import ai.koog.agents.core.tools.ToolRegistry
import ai.koog.agents.core.tools.annotations.LLMDescription
import ai.koog.agents.features.opentelemetry.feature.OpenTelemetry
import ai.koog.http.client.ktor.KtorKoogHttpClient
import ai.koog.prompt.executor.clients.openai.OpenAIClientSettings
import ai.koog.prompt.executor.clients.openai.OpenAILLMClient
import ai.koog.prompt.executor.clients.openai.OpenAIModels
import ai.koog.prompt.executor.llms.MultiLLMPromptExecutor
import ai.koog.serialization.typeToken
import io.opentelemetry.sdk.common.CompletableResultCode
import io.opentelemetry.sdk.trace.data.SpanData
import io.opentelemetry.sdk.trace.export.SpanExporter
import java.util.concurrent.Callable
import java.util.concurrent.CountDownLatch
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.runBlocking
import kotlinx.serialization.Serializable

@Serializable
data class Place(@property:LLMDescription("The city.") val city: String)

object Weather : SimpleTool<Place>(typeToken<Place>(), "get_weather", "Get the weather.") {
    override suspend fun execute(args: Place): String = "sunny in ${args.city}, 21C"
}

/** Koog exports from a queue; an agent's last span is `create_agent`. */
class Awaited(private val exporter: SpanExporter = Recording.exporter()) : SpanExporter by exporter {
    val last = CountDownLatch(1)

    override fun export(spans: Collection<SpanData>): CompletableResultCode {
        val result = exporter.export(spans)
        if (spans.any { it.name.startsWith("create_agent") }) {
            result.whenComplete { last.countDown() }
        }
        return result
    }
}

private fun ask(text: String, verbose: Boolean) = runBlocking {
    val settings = OpenAIClientSettings(baseUrl = System.getenv("OPENAI_BASE_URL").removeSuffix("/v1"))
    val exporter = Awaited()
    val client = OpenAILLMClient("test", settings, KtorKoogHttpClient.Factory())
    val agent = AIAgent(
        promptExecutor = MultiLLMPromptExecutor(client),
        llmModel = OpenAIModels.Chat.GPT4o,
        systemPrompt = Recording.SYSTEM,
        temperature = 0.2,
        toolRegistry = ToolRegistry { tool(Weather) },
    ) {
        install(OpenTelemetry) {
            setServiceInfo("captures", "1")
            addSpanExporter(exporter)
            setVerbose(verbose)
        }
    }
    try {
        agent.run(text)
    } finally {
        agent.close()
        exporter.last.await(60, TimeUnit.SECONDS)
    }
}

fun main(arguments: Array<String>) {
    val verbose = "false" !in arguments[1]
    val scenarios = linkedMapOf<String, Callable<*>>(
        "a_invoke" to Callable { ask("What is OpenTelemetry?", verbose) },
        "d_tools" to Callable { ask("TOOLS weather?", verbose) },
        "e_err429" to Recording.refused { ask("ERR429", verbose) },
        "g_unicode" to Callable { ask(Recording.EMOJI, verbose) },
    )
    Recording.record(arguments, scenarios)
}
