import io.opentelemetry.api.GlobalOpenTelemetry;
import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.SimpleSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;

/**
 * Speaks with recapture.py as recording.py does: the name of each scenario when it is over, then waits for a
 * line. What is exported goes to CAPTURES_ENDPOINT.
 */
final class Recording {
  static final String SYSTEM = "You are a helpful assistant.";
  static final String EMOJI = "EMOJI ¿Qué tal? 你好 🌍👩‍💻 \"quoted\" \\ back";
  /** What frameworks print is no name of a scenario. */
  private static final PrintStream OUT = System.out;
  private static SdkTracerProvider provider;

  static {
    System.setOut(System.err);
  }

  static SpanExporter exporter() {
    return OtlpHttpSpanExporter.builder().setEndpoint(System.getenv("CAPTURES_ENDPOINT") + "/v1/traces").build();
  }

  /** The application's own SDK, made global. */
  static OpenTelemetrySdk provide() {
    Resource named = Resource.create(Attributes.of(AttributeKey.stringKey("service.name"), "captures"));
    provider =
        SdkTracerProvider.builder().setResource(named).addSpanProcessor(SimpleSpanProcessor.create(exporter())).build();
    OpenTelemetrySdk sdk = OpenTelemetrySdk.builder().setTracerProvider(provider).build();
    GlobalOpenTelemetry.set(sdk);
    return sdk;
  }

  /** For a framework that makes its own provider. */
  static void flushing(SdkTracerProvider made) {
    provider = made;
  }

  static void flush() {
    if (provider != null) {
      provider.forceFlush().join(60, TimeUnit.SECONDS);
    }
  }

  /** Runs scenarios in order; the command's arguments are a folder, JSON, an instrumentor, and names. */
  static void record(String[] arguments, Map<String, Callable<?>> scenarios) throws Exception {
    List<String> only = Arrays.asList(arguments).subList(3, arguments.length);
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (Map.Entry<String, Callable<?>> scenario : scenarios.entrySet()) {
      if (only.isEmpty() || only.contains(scenario.getKey())) {
        scenario.getValue().call();
        flush();
        OUT.println(scenario.getKey());
        OUT.flush();
        lines.readLine();
      }
    }
    System.exit(0);
  }

  /** A call that the server refuses. */
  static Callable<?> refused(Callable<?> call) {
    return () -> {
      try {
        return call.call();
      } catch (Exception expected) {
        return null;
      }
    };
  }
}
