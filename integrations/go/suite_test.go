package faultdeck_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// head is what a user's suite begins with: a client that takes an address, or a client of package http with its host in the code.
const head = `package mine

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"faultdeck"
)

const cases = "/api/forensics/case_management"

func ask(client *http.Client, method, url, body string) (map[string]any, error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("SEC", "any")
	request.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return nil, fmt.Errorf("status %d", answer.StatusCode)
	}
	var seen map[string]any
	return seen, json.NewDecoder(answer.Body).Decode(&seen)
}

func wait(t *testing.T, client *http.Client, base string) map[string]any {
	for poll := 0; poll < 20; poll++ {
		seen, err := ask(client, "GET", base+cases+"/case_create_tasks/956", "")
		if err != nil {
			t.Fatal(err)
		}
		if seen["state"] == "COMPLETE" {
			return seen
		}
	}
	t.Fatal("never complete")
	return nil
}

func create(client *http.Client, base string, tries int) {
	for i := 0; i < tries; i++ {
		if _, err := ask(client, "POST", base+cases+"/cases", ` + "`" + `{"name":"A","assigned_to":["bob"]}` + "`" + `); err == nil {
			return
		}
	}
}

var _ = faultdeck.Start
`

// suite runs a suite of a user's, in a module of its own, and hands back what it wrote and whether it passed.
func suite(t *testing.T, text string, variables ...string) (string, bool) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	module := "module mine\n\ngo 1.19\n\nrequire faultdeck v0.0.0\n\nreplace faultdeck => " + here + "\n"
	for name, text := range map[string]string{"go.mod": module, "mine_test.go": head + text} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "test", "-v", "-count", "1", ".")
	command.Dir, command.Env = folder, append(os.Environ(), variables...)
	said, err := command.CombinedOutput()
	return string(said), err == nil
}

// says asserts that a text matches all of these, each after the one before.
func says(t *testing.T, said string, patterns ...string) {
	t.Helper()
	if !regexp.MustCompile("(?s)" + strings.Join(patterns, ".*")).MatchString(said) {
		t.Errorf("not in this order: %q\n%s", patterns, said)
	}
}
