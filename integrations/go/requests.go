package faultdeck

import (
	"bytes"
	"encoding/json"
	"os"
	"time"
)

const (
	// What was asked just now is told within settle; a ledger that did not grow for quiet has all of it.
	settle = 2 * time.Second
	quiet  = 200 * time.Millisecond
)

// Request is one request, and what it was answered.
type Request struct {
	Method string
	// Path is the target: path and query, as it was sent.
	Path string
	// Body is what was sent with it, if that was text, and not to the byte what was recorded.
	Body   string
	Status int
	// Endpoint is the endpoint of the API: method and template.
	Endpoint string
	// Nth is which request for this resource it was, from 1.
	Nth int
	// Tick is the tick of its task, -1 if it has none, and State the state.
	Tick  int
	State string
	// Faults are the kinds of faults that it met.
	Faults []string
	// Missed is whether no recording answers it.
	Missed bool
}

// line is what of a ledger's line is read.
type line struct {
	Exchange *struct {
		Key struct {
			Endpoint string `json:"endpoint"`
			Nth      int    `json:"nth"`
		} `json:"key"`
		Tick   *int    `json:"tick"`
		State  *string `json:"state"`
		Method string  `json:"method"`
		Target string  `json:"target"`
		// An object, or a word if there was none.
		Body   json.RawMessage `json:"request_body"`
		Status int             `json:"status"`
		Faults []struct {
			Kind string `json:"kind"`
		} `json:"faults"`
		Origin json.RawMessage `json:"origin"`
	} `json:"exchange"`
}

// Requests are all requests so far, in order.
func (c *Console) Requests() []Request {
	c.t.Helper()
	requests, err := c.requests()
	if err != nil {
		c.t.Fatalf("faultdeck: %v", err)
	}
	return requests
}

// WaitFor waits until so many requests were made, for a client that works in the background.
func (c *Console) WaitFor(count int, within time.Duration) []Request {
	c.t.Helper()
	for deadline := time.Now().Add(within); ; {
		seen := c.Requests()
		if len(seen) >= count {
			return seen
		}
		if time.Now().After(deadline) {
			c.t.Fatalf("faultdeck: %d of %d requests came within %s", len(seen), count, within)
		}
	}
}

func (c *Console) requests() ([]Request, error) {
	text, err := c.settled()
	if err != nil {
		return nil, err
	}
	var found []Request
	lines := bytes.Split(text, []byte("\n"))
	// The last piece is empty, or a line that is not written whole yet.
	for _, text := range lines[:len(lines)-1] {
		var line line
		if err := json.Unmarshal(text, &line); err != nil {
			return nil, err
		}
		if line.Exchange != nil {
			found = append(found, line.request())
		}
	}
	return found, nil
}

// settled is the ledger once it has all that was asked.
func (c *Console) settled() ([]byte, error) {
	deadline := time.Now().Add(settle)
	var text []byte
	since := time.Now()
	for {
		now, err := os.ReadFile(c.ledger)
		if err != nil {
			return nil, err
		}
		if len(now) != len(text) {
			text, since = now, time.Now()
		}
		if time.Since(since) >= quiet || time.Now().After(deadline) {
			return text, nil
		}
		time.Sleep(quiet / 20)
	}
}

func (l line) request() Request {
	it := l.Exchange
	request := Request{
		Method: it.Method, Path: it.Target, Status: it.Status,
		Endpoint: it.Key.Endpoint, Nth: it.Key.Nth, Tick: -1,
		Missed: bytes.HasPrefix(it.Origin, []byte(`{"miss"`)),
	}
	var body struct {
		Text string `json:"text"`
	}
	if json.Unmarshal(it.Body, &body) == nil {
		request.Body = body.Text
	}
	if it.Tick != nil {
		request.Tick = *it.Tick
	}
	if it.State != nil {
		request.State = *it.State
	}
	for _, fault := range it.Faults {
		request.Faults = append(request.Faults, fault.Kind)
	}
	return request
}
