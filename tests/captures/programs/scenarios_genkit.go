// What an application on Genkit for Go does. A letter means the same as in Python.
package main

import (
	"context"
	"os"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/core"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/openai/openai-go/option"
)

const system = "You are a helpful assistant."

type place struct {
	City string `json:"city"`
}

func main() {
	ctx := context.Background()
	provide(ctx)
	client := []option.RequestOption{option.WithBaseURL(os.Getenv("OPENAI_BASE_URL")), option.WithMaxRetries(0)}
	g := genkit.Init(ctx, genkit.WithPlugins(&openai.OpenAI{Opts: client}), genkit.WithDefaultModel("openai/gpt-4o-mini"))
	weather := genkit.DefineTool(g, "get_weather", "Get the weather.", func(_ *ai.ToolContext, at place) (string, error) {
		return "sunny in " + at.City + ", 21C", nil
	})
	config := ai.WithConfig(map[string]any{"temperature": 0.2, "max_tokens": 64})
	ask := func(ctx context.Context, more ...ai.GenerateOption) error {
		_, err := genkit.Generate(ctx, g, append([]ai.GenerateOption{ai.WithSystem(system), config}, more...)...)
		return err
	}
	flow := genkit.DefineFlow(g, "brief", func(ctx context.Context, text string) (string, error) {
		return genkit.GenerateText(ctx, g, ai.WithSystem(system), config, ai.WithPrompt(text))
	})
	record(ctx, []Scenario{
		{"a_invoke", func(ctx context.Context) error { return ask(ctx, ai.WithPrompt("What is OpenTelemetry?")) }},
		{"b_stream", func(ctx context.Context) error {
			unread := func(context.Context, *ai.ModelResponseChunk) error { return nil }
			return ask(ctx, ai.WithPrompt("What is OpenTelemetry?"), ai.WithStreaming(unread))
		}},
		{"c_multiturn", func(ctx context.Context) error {
			return ask(ctx, ai.WithMessages(
				ai.NewUserTextMessage("first question"),
				ai.NewModelTextMessage("first answer"),
				ai.NewUserTextMessage("second question"),
			))
		}},
		{"d_tools", func(ctx context.Context) error {
			return ask(ctx, ai.WithPrompt("TOOLS weather?"), ai.WithTools(weather))
		}},
		{"e_err429", func(ctx context.Context) error {
			if ask(ctx, ai.WithPrompt("ERR429")) == nil {
				return core.NewError(core.INTERNAL, "not refused")
			}
			return nil
		}},
		{"r_user_span", func(ctx context.Context) error {
			_, err := flow.Run(ctx, "inside user span")
			return err
		}},
		{"g_unicode", func(ctx context.Context) error {
			return ask(ctx, ai.WithPrompt("EMOJI ¿Qué tal? 你好 🌍👩‍💻 \"quoted\" \\ back"))
		}},
	})
}
