// Speaks with recapture.py as recording.py does: the name of each scenario when it is over, then waits for a
// line. What is exported goes to CAPTURES_ENDPOINT.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"slices"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.37.0"
)

// Scenario is a name and what an application does.
type Scenario struct {
	Name string
	Run  func(context.Context) error
}

func provide(ctx context.Context) *trace.TracerProvider {
	exporter, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(os.Getenv("CAPTURES_ENDPOINT")+"/v1/traces"))
	if err != nil {
		panic(err)
	}
	named := resource.NewSchemaless(semconv.ServiceName("captures"))
	provider := trace.NewTracerProvider(trace.WithSyncer(exporter), trace.WithResource(named))
	otel.SetTracerProvider(provider)
	return provider
}

func record(ctx context.Context, scenarios []Scenario) {
	lines := bufio.NewReader(os.Stdin)
	for _, scenario := range scenarios {
		// After the folder, the arguments and the instrumentor.
		if only := os.Args[4:]; len(only) > 0 && !slices.Contains(only, scenario.Name) {
			continue
		}
		if err := scenario.Run(ctx); err != nil {
			panic(fmt.Errorf("%s: %w", scenario.Name, err))
		}
		fmt.Println(scenario.Name)
		if _, err := lines.ReadString('\n'); err != nil {
			panic(err)
		}
	}
}
