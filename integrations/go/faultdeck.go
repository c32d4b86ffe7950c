// Package faultdeck gives a test a console of its own: a recorded QRadar console, with the trouble that a scenario asks for.
//
// A console is a `faultdeck run` whose command stands by, in the place of the test, until it is told how that ended. What the run
// hands its command in variables is what the test gets. The command ends when its input does, and the run with it: so nothing is
// left when the process of the tests is killed.
package faultdeck

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	standBy = `env -0 && printf '\0' && IFS= read -r code && exit "$code"; exit 1`
	// How long the program has to begin, and to end and judge.
	startLimit = 30 * time.Second
	endLimit   = 60 * time.Second
	// How long a test may take, at most, in seconds: a debugger may be open in it.
	runLimit = "86400"
	// How long a tick may take.
	stepLimit = 5 * time.Second
)

// ofShell are variables that are no business of the test's: the shell's own, and the mark by which faultdeck finds its children.
var ofShell = map[string]bool{
	"_": true, "PWD": true, "OLDPWD": true, "SHLVL": true, "FAULTDECK_STAND_BY": true, "FAULTDECK_CHILD": true,
}

// ofCI make a run tell a CI system of itself: the suite tells it.
var ofCI = map[string]bool{"GITHUB_ACTIONS": true, "GITHUB_STEP_SUMMARY": true}

// Console answers until its test has ended.
type Console struct {
	// URL is the scheme, host and port of the replay.
	URL string
	// SEC is a token to send; any would do.
	SEC string
	// CAFile is whom to trust, behind the proxy or with [TLS]; else it is empty.
	CAFile string

	t       testing.TB
	story   story
	folder  string
	ledger  string
	process *exec.Cmd
	input   io.WriteCloser
	ended   chan error
	// Variables that are others than before; nil for one that is taken away.
	changes map[string]*string
	once    sync.Once
}

// Start starts a console for a test. When the test has ended, the console stops, and a bad verdict fails the test.
//
// Tests may run in parallel: each has its own.
func Start(t testing.TB, options ...Option) *Console {
	t.Helper()
	story := story{isProxy: true}
	for _, option := range options {
		option(&story)
	}
	if err := story.check(); err != nil {
		t.Fatalf("faultdeck: %v", err)
	}
	folder, err := os.MkdirTemp("", "faultdeck-test-")
	if err != nil {
		t.Fatalf("faultdeck: %v", err)
	}
	console := &Console{t: t, story: story, folder: folder, ledger: story.ledger}
	if console.ledger == "" {
		console.ledger = filepath.Join(folder, "ledger.jsonl")
	}
	if err := console.start(); err != nil {
		os.RemoveAll(folder)
		t.Fatalf("faultdeck: %v", err)
	}
	t.Cleanup(console.judge)
	return console
}

func (c *Console) start() error {
	program, err := Find()
	if err != nil {
		return err
	}
	notes, err := os.Create(c.file("notes"))
	if err != nil {
		return err
	}
	defer notes.Close()
	argv, err := c.argv()
	if err != nil {
		return err
	}
	given := map[string]string{}
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); !ofCI[name] {
			given[name] = value
		}
	}
	c.process = exec.Command(program, argv...)
	c.process.Dir, c.process.Stderr = c.story.folder, notes
	c.process.Env = append(entries(given), "FAULTDECK_STAND_BY="+standBy)
	// Ctrl-C at the terminal is for the tests; this ends when they do.
	c.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if c.input, err = c.process.StdinPipe(); err != nil {
		return err
	}
	// A pipe of ours: that of the package is closed by whoever waits.
	output, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer output.Close()
	c.process.Stdout = theirs
	err = c.process.Start()
	theirs.Close()
	if err != nil {
		return err
	}
	c.ended = make(chan error, 1)
	go func() { c.ended <- c.process.Wait() }()
	told, err := c.told(output)
	if err != nil {
		return err
	}
	c.URL, c.SEC, c.CAFile = told["FAULTDECK_URL"], told["FAULTDECK_SEC"], told["FAULTDECK_CA_FILE"]
	c.changes = changes(given, told)
	return nil
}

func (c *Console) argv() ([]string, error) {
	argv := append([]string{"run"}, c.story.flags...)
	for _, scenario := range c.story.scenarios {
		argv = append(argv, "--scenario", scenario)
	}
	if c.story.toml != "" {
		if err := os.WriteFile(c.file("scenario.toml"), []byte(c.story.toml), 0o600); err != nil {
			return nil, err
		}
		argv = append(argv, "--scenario", c.file("scenario.toml"))
	}
	if c.story.isTLS {
		argv = append(argv, "--tls")
	}
	if c.story.isProxy {
		argv = append(argv, "--proxy")
	}
	argv = append(argv, "--timeout", runLimit, "--ledger", c.ledger)
	argv = append(argv, "--report", "json="+c.file("report.json"), "--report", "human="+c.file("report.txt"))
	for _, word := range c.repeat() {
		argv = append(argv, "--stands-for", word)
	}
	return append(argv, "--", "sh", "-c", `eval "$FAULTDECK_STAND_BY"`), nil
}

// told reads the variables of the command that stands by.
func (c *Console) told(output *os.File) (map[string]string, error) {
	alarm := time.AfterFunc(startLimit, func() { c.process.Process.Kill() })
	defer alarm.Stop()
	var told []byte
	piece := make([]byte, 64*1024)
	for !bytes.HasSuffix(told, []byte{0, 0}) {
		count, err := output.Read(piece)
		told = append(told, piece[:count]...)
		if err != nil {
			ended := <-c.ended
			if notes := strings.TrimSpace(c.Notes()); notes != "" {
				return nil, errors.New(notes)
			}
			return nil, fmt.Errorf("it ended before it began: %v", ended)
		}
	}
	found := map[string]string{}
	for _, entry := range strings.Split(string(told), "\x00") {
		if name, value, is := strings.Cut(entry, "="); is {
			found[name] = value
		}
	}
	return found, nil
}

func (c *Console) file(name string) string { return filepath.Join(c.folder, name) }

// Notes are what the program wrote to its standard error.
func (c *Console) Notes() string {
	text, _ := os.ReadFile(c.file("notes"))
	return string(text)
}

// Env are the variables for a program that the test starts.
func (c *Console) Env() []string {
	found := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		found[name] = value
	}
	for name, value := range c.changes {
		if value == nil {
			delete(found, name)
		} else {
			found[name] = *value
		}
	}
	return entries(found)
}

// Client is a client that comes to the replay whatever host it asks for, over http or https: for code that has its host and https
// in it and takes a client. Each call makes one.
//
// The transport of package http reads the variables of a proxy once for the whole process, so they cannot lead one test here.
func (c *Console) Client() *http.Client {
	c.t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: false}
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			c.t.Fatalf("faultdeck: %v", err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	if c.story.isProxy {
		proxy, err := url.Parse(c.URL)
		if err != nil {
			c.t.Fatalf("faultdeck: %v", err)
		}
		transport.Proxy = func(request *http.Request) (*url.URL, error) {
			if request.URL.Host == proxy.Host {
				return nil, nil // The replay itself.
			}
			return proxy, nil
		}
	}
	return &http.Client{Transport: transport}
}

// Advance steps the clock of a scenario with `clock = { by = "hand" }`.
func (c *Console) Advance(ticks int) {
	c.t.Helper()
	if !strings.Contains(c.Notes(), "the clock is stepped by hand") {
		c.t.Fatal("faultdeck: the clock of this scenario is not stepped by hand; write `clock = { by = \"hand\" }` in it")
	}
	for tick := 0; tick < ticks; tick++ {
		before := c.steps()
		// A signal says no number: each is waited for.
		if err := c.process.Process.Signal(syscall.SIGUSR1); err != nil {
			c.t.Fatalf("faultdeck: %v", err)
		}
		for deadline := time.Now().Add(stepLimit); c.steps() == before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				c.t.Fatalf("faultdeck: the clock was not stepped within %s", stepLimit)
			}
		}
	}
}

func (c *Console) steps() int { return strings.Count("\n"+c.Notes(), "\ntick ") }

// judge ends the console with its test.
func (c *Console) judge() {
	c.t.Helper()
	if c.t.Skipped() {
		c.abandon()
		return
	}
	passed := !c.t.Failed()
	verdict, err := c.stop(passed)
	switch {
	case err != nil:
		c.t.Errorf("faultdeck: %v", err)
	case verdict == nil:
		// It was stopped already, and its verdict is the test's.
	case passed && len(verdict.Against()) > 0:
		c.t.Errorf("%s", verdict.Text())
	case !passed:
		c.t.Logf("%s", verdict.Text())
	}
}

// Stop stops it before the test has ended: then the verdict is the caller's.
func (c *Console) Stop() Verdict {
	c.t.Helper()
	verdict, err := c.stop(!c.t.Failed())
	if err != nil {
		c.t.Fatalf("faultdeck: %v", err)
	}
	if verdict == nil {
		c.t.Fatal("faultdeck: the console was stopped already")
	}
	return *verdict
}

// stop says how the test ended, and hands back what the session came to: nothing, if it was stopped already.
func (c *Console) stop(passed bool) (verdict *Verdict, err error) {
	c.once.Do(func() {
		defer os.RemoveAll(c.folder)
		code := "1\n"
		if passed {
			code = "0\n"
		}
		// If it has ended already, its notes say why.
		io.WriteString(c.input, code)
		c.input.Close()
		ended := c.wait()
		report, human := []byte(nil), []byte(nil)
		if report, err = os.ReadFile(c.file("report.json")); err == nil {
			human, err = os.ReadFile(c.file("report.txt"))
		}
		found := Verdict{Human: string(human), Passed: passed}
		if err == nil {
			err = json.Unmarshal(report, &found.Report)
		}
		if err != nil {
			err = fmt.Errorf("no report (%v): %s", ended, strings.TrimSpace(c.Notes()))
			return
		}
		verdict = &found
	})
	return verdict, err
}

// abandon ends it without a verdict.
func (c *Console) abandon() {
	c.once.Do(func() {
		c.input.Close()
		c.wait()
		os.RemoveAll(c.folder)
	})
}

func (c *Console) wait() error {
	select {
	case ended := <-c.ended:
		return ended
	case <-time.After(endLimit):
		c.process.Process.Kill()
		return <-c.ended
	}
}

// repeat are the words of the line that runs the test again.
func (c *Console) repeat() []string {
	parts := strings.Split(c.t.Name(), "/")
	for i, part := range parts {
		parts[i] = "^" + regexp.QuoteMeta(part) + "$"
	}
	return []string{"go", "test", "-count", "1", "-run", strings.Join(parts, "/")}
}

// changes are the variables that are others than before.
func changes(given, told map[string]string) map[string]*string {
	found := map[string]*string{}
	for name, value := range told {
		if before, was := given[name]; !ofShell[name] && (!was || before != value) {
			value := value
			found[name] = &value
		}
	}
	for name := range given {
		if _, is := told[name]; !is && !ofShell[name] {
			found[name] = nil
		}
	}
	return found
}

func entries(variables map[string]string) []string {
	found := make([]string, 0, len(variables))
	for name, value := range variables {
		found = append(found, name+"="+value)
	}
	sort.Strings(found)
	return found
}
