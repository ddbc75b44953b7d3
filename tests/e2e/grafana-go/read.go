// Prometheus' answers as data frames, read with the iterator of Grafana's SDK:
// what has another type than Grafana's backend expects is an error.
package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/grafana/grafana-plugin-sdk-go/data"
	sdk "github.com/grafana/grafana-plugin-sdk-go/data/utils/jsoniter"
	jsoniter "github.com/json-iterator/go"
)

type result struct {
	status, kind, errorType, message string
	warnings, infos                  []string
	frames                           data.Frames
}

// each member of an object; the first error ends it.
func members(in *sdk.Iterator, read func(name string) error) error {
	for {
		name, err := in.ReadObject()
		if err != nil || name == "" {
			return err
		}
		if err := read(name); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
}

func elements(in *sdk.Iterator, read func() error) error {
	for {
		more, err := in.ReadArray()
		if err != nil || !more {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
}

// Arrays of a fixed length: each of read, and nothing behind them.
func tuple(in *sdk.Iterator, read ...func() error) error {
	at := 0
	err := elements(in, func() error {
		if at == len(read) {
			return errors.New("an array is too long")
		}
		at++
		return read[at-1]()
	})
	if err == nil && at < len(read) {
		err = fmt.Errorf("an array has %d of %d elements", at, len(read))
	}
	return err
}

func number(in *sdk.Iterator, to func(float64)) func() error {
	return func() error {
		value, err := in.ReadFloat64()
		if err == nil {
			to(value)
		}
		return err
	}
}

// A number in a text.
func quoted(in *sdk.Iterator, to func(float64)) func() error {
	return func() error {
		text, err := in.ReadString()
		if err != nil {
			return err
		}
		value, err := strconv.ParseFloat(text, 64)
		if err == nil {
			to(value)
		}
		return err
	}
}

func texts(in *sdk.Iterator, to *[]string) error {
	return elements(in, func() error {
		text, err := in.ReadString()
		*to = append(*to, text)
		return err
	})
}

func moment(seconds float64) time.Time {
	return time.UnixMilli(int64(seconds * 1000)).UTC()
}

func readResult(text []byte) (result, error) {
	var r result
	in, err := sdk.ParseBytes(jsoniter.ConfigDefault, text)
	if err != nil {
		return r, err
	}
	err = members(in, func(name string) (err error) {
		switch name {
		case "status":
			r.status, err = in.ReadString()
		case "errorType":
			r.errorType, err = in.ReadString()
		case "error":
			r.message, err = in.ReadString()
		case "warnings":
			err = texts(in, &r.warnings)
		case "infos":
			err = texts(in, &r.infos)
		case "data":
			err = r.readData(in)
		default:
			err = errors.New("an unknown member")
		}
		return err
	})
	return r, err
}

func (r *result) readData(in *sdk.Iterator) error {
	next, err := in.WhatIsNext()
	if err != nil {
		return err
	}
	if next == sdk.ArrayValue {
		r.kind = "exemplars"
		return elements(in, func() error { return r.readExemplars(in) })
	}
	return members(in, func(name string) (err error) {
		switch name {
		case "resultType":
			r.kind, err = in.ReadString()
		case "result":
			err = r.readSeries(in)
		case "stats":
			_, err = in.Read()
		default:
			err = errors.New("an unknown member")
		}
		return err
	})
}

func newSeries() (*data.Frame, *data.Field, *data.Field) {
	times := data.NewField(data.TimeSeriesTimeFieldName, nil, []time.Time{})
	values := data.NewField(data.TimeSeriesValueFieldName, data.Labels{}, []float64{})
	frame := data.NewFrame("", times, values)
	frame.Meta = &data.FrameMeta{Type: data.FrameTypeTimeSeriesMulti}
	return frame, times, values
}

func (r *result) readSeries(in *sdk.Iterator) error {
	switch r.kind {
	case "matrix", "vector":
		return elements(in, func() error { return r.readOne(in) })
	case "scalar":
		frame, times, values := newSeries()
		r.frames = append(r.frames, frame)
		return readPoint(in, times, values)
	case "string":
		_, err := in.Read()
		return err
	}
	return fmt.Errorf("the result comes before its type, or its type is unknown: %q", r.kind)
}

func readPoint(in *sdk.Iterator, times, values *data.Field) error {
	return tuple(in, number(in, func(at float64) { times.Append(moment(at)) }),
		quoted(in, func(value float64) { values.Append(value) }))
}

func (r *result) readOne(in *sdk.Iterator) error {
	frame, times, values := newSeries()
	cells := newCells()
	err := members(in, func(name string) error {
		switch name {
		case "metric":
			return in.ReadVal(&values.Labels)
		case "value":
			return readPoint(in, times, values)
		case "values":
			return elements(in, func() error { return readPoint(in, times, values) })
		case "histogram":
			return cells.read(in)
		case "histograms":
			return elements(in, func() error { return cells.read(in) })
		}
		return errors.New("an unknown member")
	})
	if cells.histograms > 0 {
		r.frames = append(r.frames, cells.frame(values.Labels))
	}
	if times.Len() > 0 || cells.histograms == 0 {
		r.frames = append(r.frames, frame)
	}
	return err
}

// Buckets of native histograms: a frame of type heatmap-cells.
type cells struct {
	time, from, to, count, layout *data.Field
	histograms                    int
}

func newCells() *cells {
	return &cells{
		time:   data.NewField("xMax", nil, []time.Time{}),
		from:   data.NewField("yMin", nil, []float64{}),
		to:     data.NewField("yMax", nil, []float64{}),
		count:  data.NewField("count", nil, []float64{}),
		layout: data.NewField("yLayout", nil, []int8{}),
	}
}

func (c *cells) frame(labels data.Labels) *data.Frame {
	c.from.Labels = labels
	frame := data.NewFrame("", c.time, c.from, c.to, c.count, c.layout)
	frame.Meta = &data.FrameMeta{Type: "heatmap-cells"}
	return frame
}

func (c *cells) read(in *sdk.Iterator) error {
	var at time.Time
	skip := func(float64) {}

	c.histograms++
	return tuple(in, number(in, func(seconds float64) { at = moment(seconds) }), func() error {
		return members(in, func(name string) error {
			switch name {
			case "count", "sum":
				return quoted(in, skip)()
			case "buckets":
				return elements(in, func() error { return c.bucket(in, at) })
			}
			return errors.New("an unknown member")
		})
	})
}

func (c *cells) bucket(in *sdk.Iterator, at time.Time) error {
	c.time.Append(at)
	return tuple(in, func() error {
		layout, err := in.ReadInt8()
		c.layout.Append(layout)
		if err == nil && (layout < 0 || layout > 3) {
			err = fmt.Errorf("boundaries %d", layout)
		}
		return err
	}, quoted(in, func(v float64) { c.from.Append(v) }), quoted(in, func(v float64) { c.to.Append(v) }),
		quoted(in, func(v float64) { c.count.Append(v) }))
}

func (r *result) readExemplars(in *sdk.Iterator) error {
	frame, _, values := newSeries()
	r.frames = append(r.frames, frame)
	labels := map[string]*data.Field{}
	return members(in, func(name string) error {
		switch name {
		case "seriesLabels":
			return in.ReadVal(&values.Labels)
		case "exemplars":
			return elements(in, func() error { return readExemplar(in, frame, labels) })
		}
		return errors.New("an unknown member")
	})
}

func readExemplar(in *sdk.Iterator, frame *data.Frame, fields map[string]*data.Field) error {
	row := frame.Fields[0].Len()
	labels := map[string]string{}
	err := members(in, func(name string) error {
		switch name {
		case "labels":
			return in.ReadVal(&labels)
		case "value":
			return quoted(in, func(v float64) { frame.Fields[1].Append(v) })()
		case "timestamp":
			return number(in, func(v float64) { frame.Fields[0].Append(moment(v)) })()
		}
		return errors.New("an unknown member")
	})
	for name := range labels {
		if fields[name] == nil {
			fields[name] = data.NewField(name, nil, make([]string, row))
			frame.Fields = append(frame.Fields, fields[name])
		}
	}
	for name, field := range fields {
		field.Append(labels[name])
	}
	return err
}
