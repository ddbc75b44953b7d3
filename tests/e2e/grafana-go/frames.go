package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

// Payloads that give some rows; the others are asked for with none.
var payloads = map[string]string{
	"series":         `{"name":"container.cpu.usage"}`,
	"trace":          `{"trace_id":"` + traceID + `"}`,
	"log_volume":     `{"level":"info"}`,
	"cause":          `{"namespace":"acme","project":"shop"}`,
	"cause_evidence": `{"namespace":"acme","project":"shop"}`,
	"cause_summary":  `{"namespace":"acme","project":"shop"}`,
	"requests":       `{"component":"checkout","by":["operation"]}`,
	"error_ratio":    `{"by":"caller","direction":"in"}`,
	"latency":        `{"quantile":["0.5","mean"]}`,
}

// The names of the metrics that the builder offers.
func targets() ([]string, error) {
	var metrics []struct{ Value string }
	var names []string

	text, err := good(question{method: "POST", path: "/grafana/metrics", body: "{}"})
	if err == nil {
		err = json.Unmarshal(text, &metrics)
	}
	for _, metric := range metrics {
		names = append(names, metric.Value)
	}
	if err == nil && len(names) < 20 {
		err = fmt.Errorf("%d metrics", len(names))
	}
	return names, err
}

func askFrames(target, payload string, now time.Time) (data.Frames, error) {
	from := now.Add(-30 * time.Minute)
	if strings.HasPrefix(target, "cause") {
		from = now.Add(-6 * time.Minute) // when inventory failed
	}
	body := fmt.Sprintf(`{"range":{"from":"%s","to":"%s"},"intervalMs":60000,"maxDataPoints":100,"targets":[{"refId":"A","target":"%s","payload":%s}]}`,
		from.Format(time.RFC3339Nano), now.Add(time.Minute).Format(time.RFC3339Nano), target, payload)
	text, err := good(question{method: "POST", path: "/grafana/query", body: body})
	if err != nil {
		return nil, err
	}
	var frames data.Frames
	if err := json.Unmarshal(text, &frames); err != nil {
		return nil, fmt.Errorf("%s: %w: %.500s", target, err, text)
	}
	return frames, sameValues(frames, text)
}

// What the SDK writes of the frames that it has read is what was sent: times
// with their nanoseconds, NaN and infinities, nulls, labels, types.
func sameValues(frames data.Frames, text []byte) error {
	type part struct {
		Schema struct {
			Fields []struct {
				Name, Type string
				TypeInfo   struct {
					Frame    string
					Nullable bool
				}
				Labels map[string]string
			}
		}
		Data struct {
			Values, Entities, Nanos []any
		}
	}
	var sent, back []part
	again, err := json.Marshal(frames)
	if err == nil {
		err = json.Unmarshal(text, &sent)
	}
	if err == nil {
		err = json.Unmarshal(again, &back)
	}
	if err != nil {
		return err
	}
	for i := range sent {
		a, _ := json.Marshal(sent[i])
		b, _ := json.Marshal(back[i])
		if string(a) != string(b) {
			return fmt.Errorf("%.700s\n%.700s", a, b)
		}
	}
	return nil
}

func usable(frames data.Frames) error {
	rows := 0
	for _, frame := range frames {
		length, err := frame.RowLen()
		if err == nil {
			_, err = frame.MarshalArrow()
		}
		if err != nil {
			return fmt.Errorf("%s: %w", frame.Name, err)
		}
		rows += length
		series := frame.Meta != nil && strings.HasPrefix(string(frame.Meta.Type), "timeseries-")
		if series && length > 0 && frame.TimeSeriesSchema().Type != data.TimeSeriesTypeWide {
			return fmt.Errorf("%s: no time series", frame.Name)
		}
		if frame.RefID != "A" {
			return fmt.Errorf("%s: refId %q", frame.Name, frame.RefID)
		}
	}
	if rows == 0 {
		return errors.New("no rows")
	}
	return nil
}

// Queries that read frames from a file or a data source of type JSON frames.
func checkFrames(now time.Time) {
	names, err := targets()
	for _, name := range names {
		payload, ok := payloads[name]
		if !ok {
			payload = "{}"
		}
		var frames data.Frames
		if err == nil {
			frames, err = askFrames(name, payload, now)
		}
		if err == nil {
			if err = usable(frames); err != nil {
				err = fmt.Errorf("%s %s: %w", name, payload, err)
			}
		}
	}
	check(err, "frames of every metric are read by Grafana's SDK and are the same when it writes them")

	_, err = askFrames("series", `{"name":"grafana.go.value","function":"value"}`, now)
	check(err, "so are NaN, infinities and numbers of any size")
}
