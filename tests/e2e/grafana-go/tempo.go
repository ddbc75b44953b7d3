package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/bufbuild/protocompile"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/dynamicpb"
)

//go:embed tempo.proto
var schema string

var messages protoreflect.MessageDescriptors

func readSchema() error {
	compiler := protocompile.Compiler{Resolver: protocompile.CompositeResolver{
		&protocompile.SourceResolver{Accessor: protocompile.SourceAccessorFromMap(map[string]string{"tempo.proto": schema})},
		protocompile.ResolverFunc(func(path string) (protocompile.SearchResult, error) {
			file, err := protoregistry.GlobalFiles.FindFileByPath(path)
			return protocompile.SearchResult{Desc: file}, err
		}),
	}}
	files, err := compiler.Compile(context.Background(), "tempo.proto")
	if err == nil {
		messages = files[0].Messages()
	}
	return err
}

func newMessage(name string) *dynamicpb.Message {
	return dynamicpb.NewMessage(messages.ByName(protoreflect.Name(name)))
}

// A message from its JSON; members that it has not are errors.
func fromJSON(name string, text []byte) (*dynamicpb.Message, error) {
	message := newMessage(name)
	err := protojson.Unmarshal(text, message)
	if err != nil {
		err = fmt.Errorf("%s: %w: %.300s", name, err, text)
	}
	return message, err
}

// Fields that tempo.proto has not, at any depth.
func unknown(message protoreflect.Message) bool {
	found := len(message.GetUnknown()) > 0
	message.Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		switch {
		case field.IsMap() || field.Message() == nil:
		case field.IsList():
			for i := 0; i < value.List().Len(); i++ {
				found = found || unknown(value.List().Get(i).Message())
			}
		default:
			found = found || unknown(value.Message())
		}
		return !found
	})
	return found
}

func length(message *dynamicpb.Message, list string) int {
	return message.Get(message.Descriptor().Fields().ByName(protoreflect.Name(list))).List().Len()
}

// All that a span can have.
func ownSpans(now time.Time) string {
	start, end := nanos(now.Add(-time.Second)), nanos(now)
	attributes := `[{"key":"text","value":{"stringValue":"a\"b\\c\né"}},{"key":"int","value":{"intValue":"-9007199254740993"}},
		{"key":"double","value":{"doubleValue":1e-300}},{"key":"nan","value":{"doubleValue":"NaN"}},{"key":"bool","value":{"boolValue":false}},
		{"key":"bytes","value":{"bytesValue":"AP+A"}},{"key":"list","value":{"arrayValue":{"values":[{"stringValue":"x"},{"intValue":"1"},{}]}}},
		{"key":"map","value":{"kvlistValue":{"values":[{"key":"in","value":{"stringValue":"y"}}]}}},
		{"key":"empty list","value":{"arrayValue":{"values":[]}}},{"key":"empty text","value":{"stringValue":""}},{"key":"nothing"}]`
	return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"grafana-go-traces"}}],"droppedAttributesCount":3},
		"schemaUrl":"https://example.com/resource","scopeSpans":[{"schemaUrl":"https://example.com/scope",
		"scope":{"name":"scope","version":"1","attributes":%[3]s,"droppedAttributesCount":4},
		"spans":[{"traceId":"%[4]s","spanId":"eee19b7ec3c1b173","name":"GET /ü","kind":2,"startTimeUnixNano":"%[1]s","endTimeUnixNano":"%[2]s",
		"traceState":"a=b,c=d","flags":257,"attributes":%[3]s,"droppedAttributesCount":5,"droppedEventsCount":6,"droppedLinksCount":7,
		"events":[{"timeUnixNano":"%[1]s","name":"exception","attributes":%[3]s,"droppedAttributesCount":8}],
		"links":[{"traceId":"%[4]s","spanId":"eee19b7ec3c1b174","traceState":"e=f","flags":1,"attributes":%[3]s,"droppedAttributesCount":9}],
		"status":{"code":2,"message":"it failed"}},
		{"traceId":"%[4]s","spanId":"eee19b7ec3c1b175","parentSpanId":"eee19b7ec3c1b173","name":"","startTimeUnixNano":"%[1]s","endTimeUnixNano":"%[1]s"}]}]}]}`,
		start, end, attributes, traceID)
}

// The same trace by both versions, as protobuf and as JSON, is one trace.
func sameTrace(id string) error {
	want := newMessage("Trace")
	for i, form := range []struct{ path, accept, message string }{
		{"/tempo/api/traces/", "application/protobuf", "Trace"}, {"/tempo/api/v2/traces/", "application/protobuf", "TraceByIDResponse"},
		{"/tempo/api/traces/", "application/json", "Batches"}, {"/tempo/api/v2/traces/", "application/json", "TraceByIDResponse"},
		{"/tempo/api/traces/", "", "Batches"},
	} {
		text, err := good(question{method: "GET", path: form.path + id, accept: form.accept})
		if err != nil {
			return err
		}
		message := newMessage(form.message)
		if i < 2 {
			err = proto.Unmarshal(text, message)
			if err == nil && unknown(message) {
				err = errors.New("unknown fields")
			}
		} else {
			message, err = fromJSON(form.message, text)
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", form.path, form.accept, err)
		}
		seen, err := batchesOf(message)
		if err != nil {
			return err
		}
		if i == 0 {
			want = seen
		} else if !proto.Equal(seen, want) {
			return fmt.Errorf("%s %s: another trace: %.2000s\n%.2000s", form.path, form.accept, protojson.Format(seen), protojson.Format(want))
		}
	}
	if length(want, "resourceSpans") == 0 {
		return errors.New("no spans")
	}
	return nil
}

// As Trace, whatever the form was: their binary forms are the same.
func batchesOf(message *dynamicpb.Message) (*dynamicpb.Message, error) {
	var inner proto.Message = message

	if field := message.Descriptor().Fields().ByName("trace"); field != nil {
		inner = message.Get(field).Message().Interface()
	}
	trace := newMessage("Trace")
	bytes, err := proto.MarshalOptions{Deterministic: true}.Marshal(inner)
	if err == nil {
		err = proto.Unmarshal(bytes, trace)
	}
	return trace, err
}

// What was sent comes back, by pdata, as Grafana's trace view reads it.
func asSent(sent string) error {
	text, err := good(question{method: "GET", path: "/tempo/api/traces/" + traceID, accept: "application/protobuf"})
	if err != nil {
		return err
	}
	seen, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(text)
	if err != nil {
		return err
	}
	want, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces([]byte(sent))
	if err != nil {
		return err
	}
	marshaler := ptrace.JSONMarshaler{}
	a, err := marshaler.MarshalTraces(seen)
	if err != nil {
		return err
	}
	b, err := marshaler.MarshalTraces(want)
	if err == nil && !bytes.Equal(a, b) {
		err = fmt.Errorf("%s\n%s", a, b)
	}
	var spans tracepb.TracesData
	if err == nil {
		err = proto.Unmarshal(text, &spans)
	}
	if err == nil && seen.ResourceSpans().At(0).ScopeSpans().At(0).Spans().At(0).TraceID() == (pcommon.TraceID{}) {
		err = errors.New("no trace id")
	}
	return err
}

// The answer of a search as Grafana's backend declares it: texts for 64 bits.
type found struct {
	Traces []struct {
		TraceID, RootServiceName, RootTraceName, StartTimeUnixNano string
		DurationMs                                                 uint32
		SpanSets                                                   []struct {
			Matched uint32
			Spans   []struct {
				SpanID, Name, StartTimeUnixNano, DurationNanos string
				Attributes                                     []json.RawMessage
			}
		}
	}
}

// What the search builder writes, and what people write.
var searches = []string{
	"{}", "{ }", `{resource.service.name="checkout"}`, `{resource.service.name="checkout" && name="POST /orders"} | select(status)`,
	`{resource.service.name=~"checkout|cart" && duration>1ms}`, `{span.http.response.status_code>=200 && kind=server}`, "{status=error}",
	"{nestedSetParent<0 && true}", `{rootServiceName="web"}`, `{traceDuration>1ms && .http.request.method="GET"}`,
	`{status=error || duration>100ms} | select(span.http.route, resource.service.name, status, kind, duration, nestedSetParent)`,
	`{trace:id="` + traceID + `"}`, `{ .list = "x" }`, `{event.text != nil} | select(event.int, link.double, instrumentation.bool)`,
	`{span:kind=server} >> {status=error}`, `{ span.int = -9007199254740993 } | select(span.text, span.nan, span.bytes, span.map, span.list)`,
	`{} | by(resource.service.name) | count() > 1`, `{ resource.service.name = "grafana-go-traces" } | avg(duration) > 0s`,
}

func search(q string, now time.Time) error {
	values := form("limit", "20", "spss", "3", "start", strconv.FormatInt(now.Unix()-3600, 10), "end", strconv.FormatInt(now.Unix()+60, 10))
	if q != "" {
		values.Set("q", q)
	}
	text, err := good(question{method: "GET", path: "/tempo/api/search", form: values, accept: "application/json"})
	if err != nil {
		return err
	}
	message, err := fromJSON("SearchResponse", text)
	if err != nil {
		return err
	}
	var answer found
	if err := json.Unmarshal(text, &answer); err != nil {
		return err
	}
	if len(answer.Traces) == 0 || length(message, "traces") != len(answer.Traces) {
		return fmt.Errorf("%s: %d traces", q, len(answer.Traces))
	}
	for _, trace := range answer.Traces {
		if len(trace.TraceID) == 0 || len(trace.SpanSets) == 0 || trace.SpanSets[0].Matched == 0 || len(trace.SpanSets[0].Spans) == 0 {
			return fmt.Errorf("%s: %v", q, trace)
		}
		if _, err := strconv.ParseUint(trace.SpanSets[0].Spans[0].StartTimeUnixNano, 10, 64); err != nil {
			return err
		}
	}
	return nil
}

func tags(now time.Time) error {
	span := form("start", strconv.FormatInt(now.Unix()-3600, 10), "end", strconv.FormatInt(now.Unix()+60, 10), "limit", "5000")
	narrowed := form("q", `{resource.service.name="checkout"}`)
	for _, list := range []struct {
		path, message, members string
		more                   bool
	}{
		{"search/tags", "SearchTagsResponse", "tagNames", false}, {"search/tags?scope=span", "SearchTagsResponse", "tagNames", false},
		{"v2/search/tags", "SearchTagsV2Response", "scopes", true}, {"v2/search/tags?scope=intrinsic", "SearchTagsV2Response", "scopes", false},
		{"v2/search/tags?scope=event", "SearchTagsV2Response", "scopes", false},
		{"search/tag/service.name/values", "SearchTagValuesResponse", "tagValues", true},
		{"v2/search/tag/resource.service.name/values", "SearchTagValuesV2Response", "tagValues", true},
		{"v2/search/tag/span.int/values", "SearchTagValuesV2Response", "tagValues", false},
		{"v2/search/tag/.http.request.method/values", "SearchTagValuesV2Response", "tagValues", true},
		{"v2/search/tag/status/values", "SearchTagValuesV2Response", "tagValues", true},
		{"v2/search/tag/name/values", "SearchTagValuesV2Response", "tagValues", true},
		{"v2/search/tag/span:kind/values", "SearchTagValuesV2Response", "tagValues", false},
		{"v2/search/tag/rootServiceName/values", "SearchTagValuesV2Response", "tagValues", true},
		{"v2/search/tag/event.int/values", "SearchTagValuesV2Response", "tagValues", false},
	} {
		questions := []question{{method: "GET", path: "/tempo/api/" + list.path}}
		if list.more {
			questions = append(questions, question{method: "GET", path: "/tempo/api/" + list.path, form: span},
				question{method: "GET", path: "/tempo/api/" + list.path, form: narrowed})
		}
		for _, q := range questions {
			text, err := good(q)
			if err != nil {
				return err
			}
			message, err := fromJSON(list.message, text)
			if err == nil && length(message, list.members) == 0 {
				err = fmt.Errorf("%s %v: nothing", q.path, q.form)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func checkTempo(now time.Time) {
	sent := ownSpans(now)
	check(readSchema(), "Tempo's messages")
	check(send("traces", sent), "a trace is taken")
	check(wait(func() error { return search(`{resource.service.name="grafana-go-traces"}`, now) }), "it is found")
	check(asSent(sent), "it comes back as it was sent")
	check(sameTrace(traceID), "by both versions, as protobuf and as JSON")
	var err error
	for _, q := range append(searches, "") {
		if err == nil {
			err = search(q, now)
		}
	}
	check(err, "answers of searches are Tempo's messages")
	check(tags(now), "tags and their values are Tempo's messages")
	status, text, err := ask(question{method: "GET", path: "/tempo/api/v2/traces/0123", accept: "application/protobuf"})
	if err == nil && status != 404 {
		err = fmt.Errorf("%d %s", status, text)
	}
	check(err, "an unknown trace is 404")
}
