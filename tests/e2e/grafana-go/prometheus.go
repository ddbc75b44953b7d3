package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
)

const api = "/prometheus/api/v1/"

// What Grafana's editor, its heatmaps, service graph, alert rules and usual
// dashboards ask for.
var expressions = []string{
	"1+1", "vector(1)", "time()", `sum by (component) (rate(callboard_requests_total[$__rate_interval]))`,
	`histogram_quantile(0.95, sum by (le, component) (rate(callboard_request_duration_seconds_bucket[$__rate_interval])))`,
	`histogram_quantile(0.95, sum by (component) (rate(callboard_request_duration_seconds[$__rate_interval])))`,
	`sum by (le) (increase(callboard_request_duration_seconds_bucket{component="checkout"}[$__rate_interval]))`,
	`sum(rate(callboard_request_duration_seconds{component="checkout"}[$__rate_interval]))`,
	`histogram_avg(rate(callboard_request_duration_seconds[$__rate_interval]))`,
	`histogram_count(sum(increase(callboard_request_duration_seconds[$__range])))`,
	`sum by (client, server) (rate(traces_service_graph_request_total[$__range]))`,
	`histogram_quantile(.9, sum(rate(traces_service_graph_request_server_seconds_bucket[$__range])) by (le, client, server))`,
	`topk(5, sum(rate(traces_service_graph_request_total[$__range])) by (server))`,
	`sum(rate(traces_service_graph_request_failed_total[$__range])) by (client, server, connection_type)`,
	`max_over_time(sum by (component) (rate(callboard_requests_total[5m]))[10m:1m])`,
	`sum(rate(callboard_requests_total[5m])) / sum(rate(callboard_requests_total[5m] offset 5m))`,
	`label_replace(sum by (component) (callboard_requests_total), "service", "$1", "component", "(.*)")`,
	`{__name__="callboard_requests_total"}`, `{"callboard_requests_total", component="checkout"}`,
	`{__name__=~"callboard_request_.*_total", component=~"checkout|cart"}`, `{"jvm.none"}`, `target_info`,
	`sum by (component) (container_memory_working_set_bytes) / 2`, `count(container_cpu_usage) by (component)`,
	`group by (component, environment) (callboard_requests_total)`, `absent(nothing_of_this_name)`, `-Inf`, `NaN`,
	`callboard_requests_total and on (component) topk(1, sum by (component) (callboard_requests_total))`,
	`sum(rate(callboard_requests_total{component!~"web"}[5m])) by (component, endpoint) > 0`,
	`grafana_go_duration_seconds`, `{"grafana.go.duration"}`, `rate(grafana_go_duration_seconds[$__rate_interval])`,
	`grafana_go_value`, `histogram_quantile(0.5, rate(grafana_go_duration_seconds[$__rate_interval]))`,
	`sum by (le) (rate(grafana_go_classic_seconds_bucket[$__rate_interval]))`,
}

// Those that answer nothing, as they should.
var empty = map[string]bool{`{"jvm.none"}`: true}

type panelQuery struct {
	Expr    string `json:"expr"`
	Instant bool   `json:"instant"`
}

// Every PromQL query of the dashboards.
func dashboardQueries() ([]panelQuery, error) {
	var found []panelQuery
	type panel struct {
		Panels  []json.RawMessage `json:"panels"`
		Targets []panelQuery      `json:"targets"`
	}
	var walk func(text []byte) error
	walk = func(text []byte) error {
		var p panel
		if err := json.Unmarshal(text, &p); err != nil {
			return err
		}
		for _, target := range p.Targets {
			if target.Expr != "" {
				found = append(found, target)
			}
		}
		for _, inner := range p.Panels {
			if err := walk(inner); err != nil {
				return err
			}
		}
		return nil
	}
	files, err := filepath.Glob(filepath.Join(os.Getenv("DASHBOARDS"), "*.json"))
	if err == nil && len(files) == 0 {
		err = errors.New("no dashboards")
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err == nil {
			err = walk(text)
		}
		if err != nil {
			return nil, err
		}
	}
	return found, err
}

func seconds(t time.Time) string {
	return strconv.FormatFloat(float64(t.Unix())+float64(t.Nanosecond())/1e9, 'f', -1, 64)
}

func expand(expr string) string {
	return strings.NewReplacer("$__rate_interval", "4m0s", "$__interval", "1m", "$__range", "1800s",
		"$namespace", ".*", "$project", ".*", "$environment", "(production|staging)", "$component", "(checkout|cart|web)",
		"$endpoint", ".*", "$operation", ".*").Replace(expr)
}

func form(pairs ...string) url.Values {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}

func rangeForm(expr string, start, end time.Time) url.Values {
	return form("query", expand(expr), "start", seconds(start), "end", seconds(end), "step", "60", "timeout", "30s")
}

// The answer by POST, which must be that of GET.
func query(path string, values url.Values) (result, error) {
	posted, err := good(question{method: "POST", path: api + path, form: values})
	if err != nil {
		return result{}, err
	}
	got, err := good(question{method: "GET", path: api + path, form: values})
	if err == nil && !bytes.Equal(posted, got) {
		err = fmt.Errorf("GET and POST differ: %.300s, %.300s", got, posted)
	}
	if err != nil {
		return result{}, err
	}
	r, err := readResult(posted)
	if err == nil && r.status != "success" {
		err = errors.New(r.message)
	}
	return r, err
}

// A frame that Grafana can hand on, to panels and to alert rules.
func whole(frame *data.Frame) error {
	length, err := frame.RowLen()
	if err != nil {
		return err
	}
	if length > 0 && frame.Meta.Type == data.FrameTypeTimeSeriesMulti && frame.TimeSeriesSchema().Type == data.TimeSeriesTypeNot {
		return errors.New("no time series")
	}
	for i := 1; i < length; i++ {
		if frame.Fields[0].At(i).(time.Time).Before(frame.Fields[0].At(i - 1).(time.Time)) {
			return errors.New("times go back")
		}
	}
	if _, err = frame.MarshalArrow(); err == nil {
		_, err = json.Marshal(frame)
	}
	return err
}

func answered(path, expr string, values url.Values) (result, error) {
	r, err := query(path, values)
	if err == nil && (len(r.frames) == 0) != empty[expr] {
		err = fmt.Errorf("%d series", len(r.frames))
	}
	for _, frame := range r.frames {
		if err == nil {
			err = whole(frame)
		}
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", expr, err)
	}
	return r, err
}

// A browser that asks again asks for the end only and puts it to what it has.
func increments(expr string, start, end time.Time) error {
	all, err := query("query_range", rangeForm(expr, start, end))
	if err != nil {
		return err
	}
	later, err := query("query_range", rangeForm(expr, end.Add(-10*time.Minute), end))
	if err != nil {
		return err
	}
	known := map[string]float64{}
	key := func(frame *data.Frame, i int) string {
		return frame.Fields[1].Labels.String() + frame.Fields[0].At(i).(time.Time).String()
	}
	for _, frame := range all.frames {
		for i := 0; i < frame.Fields[0].Len(); i++ {
			known[key(frame, i)] = frame.Fields[1].At(i).(float64)
		}
	}
	for _, frame := range later.frames {
		for i := 0; i < frame.Fields[0].Len(); i++ {
			value := frame.Fields[1].At(i).(float64)
			if before, ok := known[key(frame, i)]; !ok || math.Abs(before-value) > 1e-9*math.Abs(value) {
				return fmt.Errorf("%s: %v, then %v", key(frame, i), before, value)
			}
		}
	}
	if len(later.frames) == 0 {
		return errors.New("nothing")
	}
	return nil
}

// The lists that the editor and variables ask for.
func resources(start, end time.Time) error {
	span := func(more ...string) url.Values {
		return form(append(more, "start", seconds(start), "end", seconds(end), "limit", "40000")...)
	}
	lists := []struct {
		path string
		form url.Values
	}{
		{"labels", span()},
		{"labels", span("match[]", `{__name__="callboard_requests_total"}`)},
		{"labels", span("match[]", `{"grafana.go.duration"}`)},
		{"series", span("match[]", `callboard_requests_total{component=~"checkout|cart"}`)},
		{"series", span("match[]", `{"grafana.go.duration"}`)},
		{"label/__name__/values", span()},
		{"label/__name__/values", span("match[]", `{__name__=~".*requests.*"}`)},
		{"label/__name__/values", span("match[]", `{component="checkout",__name__!~".*_bucket"}`)},
		{"label/component/values", span("match[]", "callboard_requests_total", "match[]", "target_info")},
		{"label/U__service_2e_odd/values", span()},
	}
	for _, list := range lists {
		var answer struct {
			Status string            `json:"status"`
			Data   []json.RawMessage `json:"data"`
		}
		methods := []string{"GET", "POST"}
		if strings.HasPrefix(list.path, "label/") {
			methods = methods[:1] // as in Prometheus, and Grafana knows
		}
		var first []byte
		for _, method := range methods {
			text, err := good(question{method: method, path: api + list.path, form: list.form})
			if err != nil {
				return err
			}
			if err := json.Unmarshal(text, &answer); err != nil || answer.Status != "success" {
				return fmt.Errorf("%s: %v %.300s", list.path, err, text)
			}
			if len(answer.Data) == 0 && list.path != "label/U__service_2e_odd/values" {
				return fmt.Errorf("%s %v: nothing", list.path, list.form)
			}
			if first != nil && !bytes.Equal(first, text) {
				return fmt.Errorf("%s %v: GET and POST differ", list.path, list.form)
			}
			first = text
		}
	}
	return nil
}

func metadata() error {
	var answer struct {
		Data map[string][]struct{ Type, Help, Unit string }
	}
	text, err := good(question{method: "GET", path: api + "metadata", form: form("limit_per_metric", "1", "limit", "40000")})
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err == nil && (answer.Data["callboard_requests_total"] == nil || answer.Data["callboard_requests_total"][0].Type != "counter") {
		err = fmt.Errorf("%.300s", text)
	}
	return err
}

// Grafana takes a server with features for Mimir, and asks it for its ruler.
func kindOfServer() error {
	var answer struct {
		Data struct {
			Version  string
			Features map[string]string
		}
	}
	text, err := good(question{method: "GET", path: api + "status/buildinfo"})
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err == nil && (len(answer.Data.Features) > 0 || !strings.HasPrefix(answer.Data.Version, "2.")) {
		err = fmt.Errorf("%s", text)
	}
	if err != nil {
		return err
	}
	for _, path := range []string{"rules?type=alert", "alerts", "rules"} {
		if _, err := good(question{method: "GET", path: api + path}); err != nil {
			return err
		}
	}
	return nil
}

// What is wrong is told in Prometheus' envelope, and what is not there is 404.
func refusals() error {
	for _, one := range []struct {
		path, query, kind string
		status            int
	}{
		{"query_range", "sum(", "bad_data", 400}, {"query", "rate(callboard_requests_total)", "bad_data", 400},
		{"query_exemplars", "sum(", "bad_data", 400},
		{"query", `callboard_requests_total * on (component) callboard_requests_total`, "execution", 422},
		{"read", "", "not_found", 404}, {"notifications", "", "not_found", 404},
	} {
		values := form("query", one.query, "start", "1700000000", "end", "1700000060", "step", "15")
		if one.status == 422 {
			values = form("query", one.query)
		}
		status, text, err := ask(question{method: "POST", path: api + one.path, form: values})
		if err != nil {
			return err
		}
		r, err := readResult(text)
		if err != nil || status != one.status || r.status != "error" || r.errorType != one.kind || r.message == "" {
			return fmt.Errorf("%s %s: %d %.300s %v", one.path, one.query, status, text, err)
		}
	}
	return nil
}

func nanos(t time.Time) string {
	return strconv.FormatInt(t.UnixNano(), 10)
}

const traceID = "5b8efff798038103d269b633813fc60c"

// An exponential histogram, a classic one and a gauge, with exemplars and
// labels that need care.
func ownMetrics(now time.Time) string {
	var exponential, classic, gauge []string
	for i := 0; i < 10; i++ {
		at := now.Add(time.Duration(i-10) * time.Minute)
		times := fmt.Sprintf(`"startTimeUnixNano":"%s","timeUnixNano":"%s"`, nanos(now.Add(-time.Hour)), nanos(at))
		exemplar := fmt.Sprintf(`"exemplars":[{"timeUnixNano":"%s","asDouble":0.25,"traceId":"%s","spanId":"eee19b7ec3c1b173",
			"filteredAttributes":[{"key":"user \"x\"","value":{"stringValue":"é\n"}},{"key":"","value":{"stringValue":"no name"}}]}]`,
			nanos(at.Add(-time.Second)), traceID)
		attributes := `"attributes":[{"key":"text","value":{"stringValue":"a\"b\\c\n\u0001é"}},{"key":"service.odd","value":{"intValue":"7"}}]`
		n := 4 * (i + 1)
		exponential = append(exponential, fmt.Sprintf(`{%s,%s,%s,"count":"%d","sum":%d.5,"scale":3,"zeroCount":"%d","zeroThreshold":1e-6,
			"positive":{"offset":-8,"bucketCounts":["%d","0","%d"]},"negative":{"offset":2,"bucketCounts":["%d"]}}`,
			times, attributes, exemplar, n, n, n/4, n/4, n/4, n/4))
		classic = append(classic, fmt.Sprintf(`{%s,%s,%s,"count":"%d","sum":%d,"explicitBounds":[0.1,0.5,1],"bucketCounts":["%d","%d","%d","%d"]}`,
			times, attributes, exemplar, n, n, n/4, n/4, n/4, n/4))
		gauge = append(gauge, fmt.Sprintf(`{%s,%s,"asDouble":%s}`, times, attributes, []string{`"NaN"`, `"Infinity"`, "-1e-300", "1e300", "0"}[i%5]))
	}
	histogram := func(name, kind string, points []string) string {
		return fmt.Sprintf(`{"name":"%s","unit":"s","%s":{"aggregationTemporality":2,"dataPoints":[%s]}}`, name, kind, strings.Join(points, ","))
	}
	return fmt.Sprintf(`{"resourceMetrics":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"grafana-go"}}]},
		"scopeMetrics":[{"metrics":[%s,%s,{"name":"grafana.go.value","gauge":{"dataPoints":[%s]}}]}]}]}`,
		histogram("grafana.go.duration", "exponentialHistogram", exponential),
		histogram("grafana.go.classic", "histogram", classic), strings.Join(gauge, ","))
}

func exemplars(expr string, start, end time.Time) error {
	r, err := query("query_exemplars", form("query", expand(expr), "start", seconds(start), "end", seconds(end)))
	if err != nil {
		return err
	}
	for _, frame := range r.frames {
		if err := whole(frame); err != nil {
			return err
		}
		if field, _ := frame.FieldByName("trace_id"); field != nil && field.Len() > 0 && field.At(0) == traceID {
			if field, _ := frame.FieldByName(""); field != nil {
				return errors.New("a label without a name: Grafana stops reading there")
			}
			return nil
		}
	}
	return fmt.Errorf("%s: no trace id in %d series", expr, len(r.frames))
}

func checkPrometheus(now time.Time) {
	check(send("metrics", ownMetrics(now)), "metrics are taken")
	start, end := now.Add(-30*time.Minute).Truncate(time.Minute), now.Truncate(time.Minute)
	check(wait(func() error {
		_, err := answered("query", "grafana_go_value", form("query", "grafana_go_value", "time", seconds(now)))
		return err
	}), "metrics can be asked for")

	queries, err := dashboardQueries()
	if err == nil && len(queries) < 2 {
		err = fmt.Errorf("%d queries of dashboards", len(queries))
	}
	for _, q := range expressionsAnd(queries) {
		if err == nil {
			_, err = answered("query_range", q, rangeForm(q, start, end))
		}
		if err == nil {
			_, err = answered("query", q, form("query", expand(q), "time", seconds(now)))
		}
	}
	check(err, "ranges and instants of dashboards and of Grafana's editor become frames, by GET as by POST")

	r, err := answered("query_range", "heatmap", rangeForm("grafana_go_duration_seconds", start, end))
	if err == nil && (len(r.frames) != 1 || r.frames[0].Meta.Type != "heatmap-cells" || r.frames[0].Fields[0].Len() < 30) {
		err = fmt.Errorf("%d frames, %v", len(r.frames), r.frames)
	}
	check(err, "native histograms become cells of a heatmap")
	for _, expr := range []string{"grafana_go_duration_seconds", "histogram_quantile(0.9, sum by (le) (rate(grafana_go_classic_seconds_bucket[$__rate_interval])))"} {
		check(exemplars(expr, start, now), "exemplars with trace ids: "+expr)
	}
	check(increments(`sum by (component) (rate(callboard_requests_total[$__rate_interval]))`, start, end), "the end of a range alone has the same values")
	check(resources(start, now), "labels, values and series, by GET and POST")
	check(metadata(), "metadata")
	check(kindOfServer(), "the server is known as Prometheus, without rules")
	check(refusals(), "what is wrong, and what is not there, is told in Prometheus' words")
}

func expressionsAnd(queries []panelQuery) []string {
	all := append([]string{}, expressions...)
	for _, q := range queries {
		all = append(all, q.Expr)
	}
	return all
}
