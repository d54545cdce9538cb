import dev.langchain4j.agent.tool.ToolSpecification;
import dev.langchain4j.data.message.AiMessage;
import dev.langchain4j.data.message.ChatMessage;
import dev.langchain4j.data.message.SystemMessage;
import dev.langchain4j.data.message.ToolExecutionResultMessage;
import dev.langchain4j.data.message.UserMessage;
import dev.langchain4j.model.chat.ChatModel;
import dev.langchain4j.model.chat.request.ChatRequest;
import dev.langchain4j.model.chat.request.json.JsonObjectSchema;
import dev.langchain4j.model.chat.response.ChatResponse;
import dev.langchain4j.model.openai.OpenAiChatModel;
import io.opentelemetry.api.trace.Tracer;
import io.quarkiverse.langchain4j.cost.CostEstimatorService;
import io.quarkiverse.langchain4j.runtime.listeners.CompletionTextSpanContributor;
import io.quarkiverse.langchain4j.runtime.listeners.PromptTextSpanContributor;
import io.quarkiverse.langchain4j.runtime.listeners.SpanChatModelListener;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

/**
 * What an application on Quarkus LangChain4j does; its listener of models is Quarkus's own, put in place by hand as
 * Quarkus does where `quarkus.langchain4j.tracing.include-prompt` and `include-completion` are set, or not.
 */
public final class ScenariosLangChain4j {
  private static final ToolSpecification WEATHER =
      ToolSpecification.builder()
          .name("get_weather")
          .description("Get the weather.")
          .parameters(JsonObjectSchema.builder().addStringProperty("city").required("city").build())
          .build();

  private static ChatResponse ask(ChatModel model, List<ChatMessage> messages, ToolSpecification... tools) {
    return model.chat(ChatRequest.builder().messages(messages).toolSpecifications(tools).build());
  }

  private static List<ChatMessage> asked(String text) {
    return new ArrayList<>(List.of(SystemMessage.from(Recording.SYSTEM), UserMessage.from(text)));
  }

  private static ChatResponse tools(ChatModel model) {
    List<ChatMessage> messages = asked("TOOLS weather?");
    AiMessage answer = ask(model, messages, WEATHER).aiMessage();
    messages.add(answer);
    messages.add(ToolExecutionResultMessage.from(answer.toolExecutionRequests().get(0), "sunny in Paris, 21C"));
    return ask(model, messages, WEATHER);
  }

  public static void main(String[] arguments) throws Exception {
    boolean include = arguments[1].contains("true");
    Tracer tracer = Recording.provide().getTracer("io.quarkus.opentelemetry");
    ChatModel model =
        OpenAiChatModel.builder()
            .baseUrl(System.getenv("OPENAI_BASE_URL"))
            .apiKey("test")
            .modelName("gpt-4o-mini")
            .temperature(0.2)
            .maxTokens(64)
            .maxRetries(0)
            .listeners(
                List.of(
                    new SpanChatModelListener(
                        tracer,
                        new CostEstimatorService(List.of()),
                        List.of(new PromptTextSpanContributor(include), new CompletionTextSpanContributor(include)))))
            .build();
    Map<String, Callable<?>> scenarios = new LinkedHashMap<>();
    scenarios.put("a_invoke", () -> ask(model, asked("What is OpenTelemetry?")));
    scenarios.put("d_tools", () -> tools(model));
    scenarios.put("e_err429", Recording.refused(() -> ask(model, asked("ERR429"))));
    scenarios.put("g_unicode", () -> ask(model, asked(Recording.EMOJI)));
    Recording.record(arguments, scenarios);
  }
}
