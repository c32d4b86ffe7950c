// Gets the task of a case creation from a QRadar console, or waits for it. Nothing but the standard library.
//
//	go build -o clients/qradar clients/qradar.go
//	QRADAR_URL=https://console.example QRADAR_TOKEN=... clients/qradar wait --id 42
//
// What came of it is one line of JSON on standard output, which is what `faultdeck judge` reads.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

const (
	tasks   = "/api/forensics/case_management/case_create_tasks/"
	retries = 3
)

var retried = map[int]bool{429: true, 500: true, 502: true, 503: true, 504: true}

// answer is a whole answer of the console, with how long it asks to be left alone; its body is nil if it is no JSON object.
type answer struct {
	status int
	pause  time.Duration
	raw    json.RawMessage
	body   map[string]json.RawMessage
}

// outcome is what `faultdeck judge` reads.
type outcome struct {
	Outcome  string          `json:"outcome"`
	Code     *int            `json:"code,omitempty"`
	Standing string          `json:"standing,omitempty"`
	Task     json.RawMessage `json:"task,omitempty"`
}

func shorter(one, other time.Duration) time.Duration {
	if one < other {
		return one
	}
	return other
}

func once(target string, until time.Time) (*answer, error) {
	request, err := http.NewRequest("GET", target, nil)
	if err != nil {
		return nil, err
	}
	request.Header.Set("SEC", os.Getenv("QRADAR_TOKEN"))
	request.Header.Set("Version", "26.0")
	request.Header.Set("Accept", "application/json")
	client := http.Client{
		Timeout: shorter(10*time.Second, time.Until(until)),
		// Follows no redirect: the token is for one console.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	found := &answer{status: response.StatusCode, raw: raw}
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil {
		found.pause = time.Duration(seconds) * time.Second
	}
	if err := json.Unmarshal(raw, &found.body); err != nil && response.StatusCode == 200 {
		return nil, err
	}
	return found, nil
}

// ask asks again while that may help; it gives nothing if nobody answered, or the time is up.
func ask(target string, until time.Time) *answer {
	var found *answer
	for attempt := 0; attempt <= retries && time.Now().Before(until); attempt++ {
		var err error
		found, err = once(target, until)
		if err != nil {
			fmt.Fprintln(os.Stderr, "no answer:", err)
		} else if !retried[found.status] {
			break
		}
		pause := 50 * time.Millisecond << attempt
		if found != nil && found.pause > pause {
			pause = found.pause
		}
		if attempt == retries || pause > time.Until(until) {
			break
		}
		time.Sleep(pause)
	}
	return found
}

func text(body map[string]json.RawMessage, name string) string {
	var value string
	_ = json.Unmarshal(body[name], &value)
	return value
}

func outcomeOf(found *answer) outcome {
	if found == nil {
		return outcome{Outcome: "gave_up"}
	}
	var code *int
	_ = json.Unmarshal(found.body["code"], &code)
	switch {
	case found.status == 404 && code != nil && *code == 1002:
		return outcome{Outcome: "not_found", Code: code}
	case found.status >= 500:
		return outcome{Outcome: "server_error", Code: code}
	case found.status == 429:
		return outcome{Outcome: "gave_up"}
	case found.status != 200 || found.body == nil:
		return outcome{Outcome: "rejected", Code: code}
	}
	state := text(found.body, "state")
	if state == "" {
		state = text(found.body, "status")
	}
	standing := map[string]string{"COMPLETE": "done", "PARTIALLY_COMPLETE": "usable"}[state]
	if standing == "" {
		standing = "pending"
	}
	return outcome{Outcome: "task", Standing: standing, Task: found.raw}
}

func main() {
	if len(os.Args) < 2 || (os.Args[1] != "get" && os.Args[1] != "wait") {
		fmt.Fprintln(os.Stderr, "usage: qradar get|wait --id ID [--fields LIST], with --base or QRADAR_URL")
		os.Exit(2)
	}
	job, flags := os.Args[1], flag.NewFlagSet("qradar", flag.ExitOnError)
	base := flags.String("base", os.Getenv("QRADAR_URL"), "the console, or QRADAR_URL")
	id := flags.String("id", "", "the task")
	fields := flags.String("fields", "", "what is asked for of it")
	pace := flags.Int("pace-ms", 1000, "how long to wait between polls")
	deadline := flags.Int("deadline-ms", 600000, "how long in all")
	_ = flags.Parse(os.Args[2:])
	until := time.Now().Add(time.Duration(*deadline) * time.Millisecond)
	target := strings.TrimRight(*base, "/") + tasks + url.PathEscape(*id)
	// Without its state there is nothing to wait by: then the whole task is asked for.
	names := "," + strings.ReplaceAll(*fields, " ", "") + ","
	if *fields != "" && (job == "get" || strings.Contains(names, ",state,") || strings.Contains(names, ",status,")) {
		target += "?fields=" + url.QueryEscape(*fields)
	}
	came := outcomeOf(ask(target, until))
	for job == "wait" && (came.Standing == "pending" || came.Standing == "usable") && time.Now().Before(until) {
		time.Sleep(time.Duration(*pace) * time.Millisecond)
		if time.Now().Before(until) {
			came = outcomeOf(ask(target, until))
		}
	}
	if job == "wait" && came.Standing == "pending" {
		came = outcome{Outcome: "gave_up"}
	}
	line, _ := json.Marshal(came)
	fmt.Println(string(line))
	if came.Standing != "done" {
		os.Exit(1)
	}
}
