import io.micrometer.common.KeyValue;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationFilter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.springframework.ai.chat.messages.AssistantMessage;
import org.springframework.ai.chat.messages.Message;
import org.springframework.ai.chat.messages.ToolResponseMessage;
import org.springframework.ai.chat.observation.ChatModelObservationContext;
import org.springframework.boot.json.JsonWriter;

/** Puts the words of Spring AI's calls onto their spans, which no setting of Spring AI does: a bean. */
final class SpringAiWords implements ObservationFilter {
  @Override
  public Observation.Context map(Observation.Context context) {
    if (context instanceof ChatModelObservationContext chat && chat.getResponse() != null) {
      List<Object> asked = chat.getRequest().getInstructions().stream().map(SpringAiWords::message).toList();
      List<Object> answered =
          chat.getResponse().getResults().stream().map(result -> message(result.getOutput())).toList();
      context.addHighCardinalityKeyValue(KeyValue.of("gen_ai.input.messages", json(asked)));
      context.addHighCardinalityKeyValue(KeyValue.of("gen_ai.output.messages", json(answered)));
    }
    return context;
  }

  private static String json(Object value) {
    return JsonWriter.standard().writeToString(value);
  }

  private static Object message(Message message) {
    List<Object> parts = new ArrayList<>();
    if (message.getText() != null && !message.getText().isEmpty()) {
      parts.add(Map.of("type", "text", "content", message.getText()));
    }
    if (message instanceof AssistantMessage answer) {
      answer.getToolCalls().stream()
          .map(call -> Map.of("type", "tool_call", "id", call.id(), "name", call.name(), "arguments", call.arguments()))
          .forEach(parts::add);
    }
    if (message instanceof ToolResponseMessage results) {
      results.getResponses().stream()
          .map(one -> Map.of("type", "tool_call_response", "id", one.id(), "response", one.responseData()))
          .forEach(parts::add);
    }
    return Map.of("role", message.getMessageType().getValue(), "parts", parts);
  }
}
