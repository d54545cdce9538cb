import com.google.adk.agents.LlmAgent;
import com.google.adk.agents.RunConfig;
import com.google.adk.agents.RunConfig.StreamingMode;
import com.google.adk.models.Gemini;
import com.google.adk.runner.InMemoryRunner;
import com.google.adk.sessions.Session;
import com.google.adk.tools.Annotations.Schema;
import com.google.adk.tools.FunctionTool;
import com.google.genai.Client;
import com.google.genai.types.Content;
import com.google.genai.types.GenerateContentConfig;
import com.google.genai.types.HttpOptions;
import com.google.genai.types.HttpRetryOptions;
import com.google.genai.types.Part;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;

/** What an agent of Google's ADK for Java does, on Gemini. A letter means the same as in Python. */
public final class ScenariosAdk {
  @Schema(name = "get_weather", description = "Get the weather.")
  public static Map<String, Object> weather(@Schema(name = "city", description = "The city.") String city) {
    return Map.of("result", "sunny in " + city + ", 21C");
  }

  private static Object ask(String text, StreamingMode mode, Object... tools) {
    HttpOptions options =
        HttpOptions.builder()
            .baseUrl(System.getenv("GOOGLE_GEMINI_BASE_URL"))
            .retryOptions(HttpRetryOptions.builder().attempts(1).build())
            .build();
    LlmAgent agent =
        LlmAgent.builder()
            .name("helper")
            .model(new Gemini("gemini-2.5-flash", Client.builder().apiKey("test").httpOptions(options).build()))
            .instruction(Recording.SYSTEM)
            .generateContentConfig(GenerateContentConfig.builder().temperature(0.2f).maxOutputTokens(64).build())
            .tools(tools)
            .build();
    InMemoryRunner runner = new InMemoryRunner(agent, "captures");
    Session session = runner.sessionService().createSession("captures", "user-9").blockingGet();
    RunConfig config = RunConfig.builder().streamingMode(mode).build();
    return runner
        .runAsync("user-9", session.id(), Content.fromParts(Part.fromText(text)), config)
        .toList()
        .blockingGet();
  }

  public static void main(String[] arguments) throws Exception {
    Recording.provide();
    FunctionTool weather = FunctionTool.create(ScenariosAdk.class, "weather");
    Map<String, Callable<?>> scenarios = new LinkedHashMap<>();
    scenarios.put("a_invoke", () -> ask("What is OpenTelemetry?", StreamingMode.NONE));
    scenarios.put("b_stream", () -> ask("What is OpenTelemetry?", StreamingMode.SSE));
    scenarios.put("d_tools", () -> ask("TOOLS weather?", StreamingMode.NONE, weather));
    scenarios.put("e_err429", Recording.refused(() -> ask("ERR429", StreamingMode.NONE)));
    scenarios.put("g_unicode", () -> ask(Recording.EMOJI, StreamingMode.NONE));
    Recording.record(arguments, scenarios);
  }
}
