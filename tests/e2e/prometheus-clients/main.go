// What client_golang makes of the answers, as JSON.
//
//	client-go URL [TOKEN]
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

var seen = map[string]any{}

// A call, and what it returned or how it failed.
func see(name string, value any, err error) {
	var failure *v1.Error

	if errors.As(err, &failure) {
		seen[name] = map[string]string{"failed": failure.Msg, "type": string(failure.Type), "detail": failure.Detail}
	} else if err != nil {
		seen[name] = map[string]string{"failed": err.Error()}
	} else {
		seen[name] = value
	}
}

func main() {
	transport := api.DefaultRoundTripper
	if len(os.Args) > 2 {
		transport = config.NewAuthorizationCredentialsRoundTripper(
			"Bearer", config.NewInlineSecret(os.Args[2]), transport)
	}
	client, err := api.NewClient(api.Config{Address: os.Args[1], RoundTripper: transport})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx, prometheus, now := context.Background(), v1.NewAPI(client), time.Now()
	hour := v1.Range{Start: now.Add(-time.Hour), End: now, Step: time.Minute}

	vector, warnings, _, err := prometheus.Query(ctx, `api_gauge{k="a"}`, now, v1.WithTimeout(10*time.Second),
		v1.WithLookbackDelta(time.Hour))
	see("instant", vector, err)
	seen["warnings"] = len(warnings)
	scalar, _, _, err := prometheus.Query(ctx, "1e-7", now)
	see("scalar", scalar, err)
	samples, _, _, err := prometheus.Query(ctx, `api_gauge{k="a"}[1h]`, now)
	see("samples", samples, err)
	matrix, _, _, err := prometheus.QueryRange(ctx, "api_gauge", hour)
	see("range", matrix, err)
	if histograms, ok := matrix.(model.Matrix); ok {
		seen["series"] = len(histograms)
	}
	_, _, _, err = prometheus.Query(ctx, strings.Repeat("(", 100)+"sum(", now)
	see("bad", nil, err)
	_, _, _, err = prometheus.QueryRange(ctx, "api_gauge", v1.Range{Start: now.Add(-time.Hour), End: now,
		Step: time.Millisecond})
	see("too many", nil, err)
	limited, warnings, _, err := prometheus.Query(ctx, "api_gauge", now, v1.WithLimit(1))
	see("limited", limited, err)
	seen["limit warnings"] = warnings

	names, _, _, err := prometheus.LabelNames(ctx, []string{"api_gauge", `{__name__=~"api_.+"}`}, hour.Start, hour.End)
	see("names", names, err)
	values, _, _, err := prometheus.LabelValues(ctx, "k", nil, hour.Start, hour.End)
	see("values", values, err)
	series, _, _, err := prometheus.Series(ctx, []string{"api_gauge"}, hour.Start, hour.End)
	see("sets", series, err)
	metadata, err := prometheus.Metadata(ctx, "", "")
	see("metadata", metadata, err)
	exemplars, err := prometheus.QueryExemplars(ctx, "api_gauge", hour.Start, hour.End)
	see("exemplars", exemplars, err)
	rules, err := prometheus.Rules(ctx, nil)
	see("rules", rules, err)
	alerts, err := prometheus.Alerts(ctx)
	see("alerts", alerts, err)
	targets, err := prometheus.Targets(ctx)
	see("targets", targets, err)
	managers, err := prometheus.AlertManagers(ctx)
	see("alertmanagers", managers, err)
	build, err := prometheus.Buildinfo(ctx)
	see("buildinfo", build, err)
	flags, err := prometheus.Flags(ctx)
	see("flags", flags, err)
	config, err := prometheus.Config(ctx)
	see("config", config, err)
	_, err = prometheus.TSDB(ctx)
	see("tsdb", nil, err)

	if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
		os.Exit(1)
	}
}
