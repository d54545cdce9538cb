import io.micrometer.observation.ObservationFilter;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.support.GenericApplicationContext;

/** What an application on Spring AI does; its spans are those of Spring Boot's actuator. */
@SpringBootConfiguration
@EnableAutoConfiguration
public class ScenariosSpringAi {
  /** A tool. */
  public static final class Weather {
    @Tool(name = "get_weather", description = "Get the weather.")
    public String weather(String city) {
      return "sunny in " + city + ", 21C";
    }
  }

  @Bean
  SpanExporter exporter() {
    return Recording.exporter();
  }

  private static String ask(ChatClient client, String text, Object... tools) {
    return client.prompt().system(Recording.SYSTEM).user(text).tools(tools).call().content();
  }

  private static List<String> stream(ChatClient client, String text) throws InterruptedException {
    List<String> said = client.prompt().system(Recording.SYSTEM).user(text).stream().content().collectList().block();
    // The span of a stream ends after its reader has gone on.
    Thread.sleep(1000);
    return said;
  }

  public static void main(String[] arguments) throws Exception {
    Recording.flush(); // Loaded before anything is printed.
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("spring.application.name", "captures");
    settings.put("spring.main.web-application-type", "none");
    settings.put("spring.main.banner-mode", "off");
    settings.put("spring.ai.openai.api-key", "test");
    String base = System.getenv("OPENAI_BASE_URL");
    boolean isFirst = SpringBootVersion.getVersion().startsWith("3");
    settings.put("spring.ai.openai.base-url", isFirst ? base.substring(0, base.length() - "/v1".length()) : base);
    settings.put("spring.ai.openai.chat.options.model", "gpt-4o-mini");
    settings.put("spring.ai.openai.chat.options.temperature", "0.2");
    settings.put("spring.ai.openai.chat.options.max-tokens", "64");
    settings.put("spring.ai.openai.chat.model", "gpt-4o-mini");
    settings.put("spring.ai.openai.chat.temperature", "0.2");
    settings.put("spring.ai.openai.chat.max-tokens", "64");
    settings.put("spring.ai.retry.max-attempts", "1");
    settings.put("spring.ai.openai.max-retries", "0");
    settings.put("management.otlp.metrics.export.enabled", "false");
    settings.put("management.tracing.sampling.probability", "1.0");
    if (arguments[1].contains("true")) {
      for (String kind : List.of("log-prompt", "log-completion", "include-prompt", "include-completion")) {
        settings.put("spring.ai.chat.observations." + kind, "true");
        settings.put("spring.ai.chat.client.observations." + kind, "true");
      }
    }
    SpringApplication application = new SpringApplication(ScenariosSpringAi.class);
    application.setDefaultProperties(settings);
    if (arguments[1].contains("words")) {
      application.addInitializers(
          made -> ((GenericApplicationContext) made).registerBean(ObservationFilter.class, SpringAiWords::new));
    }
    ConfigurableApplicationContext context = application.run();
    ChatClient client = context.getBean(ChatClient.Builder.class).build();
    Recording.flushing(context.getBean(io.opentelemetry.sdk.trace.SdkTracerProvider.class));
    Map<String, Callable<?>> scenarios = new LinkedHashMap<>();
    scenarios.put("a_invoke", () -> ask(client, "What is OpenTelemetry?"));
    scenarios.put("b_stream", () -> stream(client, "What is OpenTelemetry?"));
    scenarios.put("d_tools", () -> ask(client, "TOOLS weather?", new Weather()));
    scenarios.put("e_err429", Recording.refused(() -> ask(client, "ERR429")));
    scenarios.put("g_unicode", () -> ask(client, Recording.EMOJI));
    Recording.record(arguments, scenarios);
  }
}
