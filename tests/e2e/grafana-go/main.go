// Callboard's answers read as Grafana's backend reads them, with its SDK for
// plugins, OpenTelemetry's pdata and protobuf's own mapping to JSON. It prints
// TAP. tests/e2e/grafana/demo.mjs starts the servers.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

var count, failed int

func check(err error, name string) {
	count++
	if err == nil {
		fmt.Printf("ok %d - %s\n", count, name)
		return
	}
	failed++
	fmt.Printf("not ok %d - %s\n# %s\n", count, name, strings.ReplaceAll(err.Error(), "\n", "\n# "))
}

// What ask() asks for. A form is sent as such, or in the URL of a GET.
type question struct {
	method, path string
	form         url.Values
	accept       string
	body         string // JSON
}

func ask(q question) (int, []byte, error) {
	address, body, kind := os.Getenv("CALLBOARD_URL")+q.path, "", ""

	switch {
	case q.body != "":
		body, kind = q.body, "application/json"
	case q.method == "POST":
		body, kind = q.form.Encode(), "application/x-www-form-urlencoded"
	case len(q.form) > 0:
		address += "?" + q.form.Encode()
	}
	request, err := http.NewRequest(q.method, address, strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	if q.accept != "" {
		request.Header.Set("Accept", q.accept)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, text, err
}

// The text of an answer that must be 200.
func good(q question) ([]byte, error) {
	status, text, err := ask(q)
	if err == nil && status != 200 {
		err = fmt.Errorf("%s %s %v: %d %s", q.method, q.path, q.form, status, text)
	}
	return text, err
}

// Sends OTLP of our own: what the shop does not send.
func send(signal, text string) error {
	response, err := http.Post(os.Getenv("CALLBOARD_OTLP")+"/v1/"+signal, "application/json", bytes.NewReader([]byte(text)))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != 200 || strings.Contains(string(answer), "rejected")) {
		err = fmt.Errorf("%s: %d %s", signal, response.StatusCode, answer)
	}
	return err
}

// Tries until what was sent is there.
func wait(try func() error) error {
	var err error

	for until := time.Now().Add(15 * time.Second); time.Now().Before(until); time.Sleep(200 * time.Millisecond) {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

func main() {
	now := time.Now()
	checkPrometheus(now)
	checkTempo(now)
	checkFrames(now)
	fmt.Printf("1..%d\n", count)
	if failed > 0 {
		os.Exit(1)
	}
}
