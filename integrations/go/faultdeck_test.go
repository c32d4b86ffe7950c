package faultdeck_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"faultdeck"
)

const task = "/api/forensics/case_management/case_create_tasks/956"

func state(t *testing.T, client *http.Client, url string) string {
	t.Helper()
	request, err := http.NewRequest("GET", url+task, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("SEC", "any")
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var seen struct{ State string }
	if err := json.NewDecoder(answer.Body).Decode(&seen); err != nil {
		t.Fatal(err)
	}
	return seen.State
}

func TestEachOfSeveralTestsAtOneTimeHasItsOwnTicksAndVerdict(t *testing.T) {
	for _, scenario := range []string{"slow-host", "slow-host", "takes-its-time", "all-is-well"} {
		scenario := scenario
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			console := faultdeck.Start(t, faultdeck.Scenario(scenario), faultdeck.Seed(1))
			polls := 1
			for ; state(t, http.DefaultClient, console.URL) != "COMPLETE"; polls++ {
			}
			seen := console.Requests()
			if len(seen) != polls {
				t.Fatalf("%d requests, %d polls", len(seen), polls)
			}
			for tick, it := range seen {
				if it.Tick != tick || it.Nth != tick+1 || it.Status != 200 || it.Missed {
					t.Errorf("%+v", it)
				}
				if (scenario == "slow-host") != (strings.Join(it.Faults, "") == "latency") {
					t.Errorf("%+v", it)
				}
			}
		})
	}
}

func TestABadVerdictFailsTheTestWithTheCounterExample(t *testing.T) {
	t.Parallel()
	said, passed := suite(t, `
func TestCreatedTwice(t *testing.T) {
	create(http.DefaultClient, faultdeck.Start(t, faultdeck.Scenario("lost-answer")).URL, 2)
}
func TestMiss(t *testing.T) {
	console := faultdeck.Start(t, faultdeck.Scenario("all-is-well"))
	ask(http.DefaultClient, "GET", console.URL+"/api/siem/offenses", "")
}
func TestSilent(t *testing.T) {
	wait(t, http.DefaultClient, faultdeck.Start(t, faultdeck.Scenario("lost-answer")).URL)
}
func TestIdle(t *testing.T) { faultdeck.Start(t, faultdeck.Scenario("slow-host")) }
func TestMustFail(t *testing.T) {
	wait(t, http.DefaultClient, faultdeck.Start(t, faultdeck.Scenario("all-is-well"), faultdeck.Must("fails")).URL)
}
func TestFailsByItself(t *testing.T) {
	wait(t, http.DefaultClient, faultdeck.Start(t, faultdeck.Scenario("all-is-well")).URL)
	t.Error("mine")
}
func TestSkipped(t *testing.T) {
	faultdeck.Start(t, faultdeck.Scenario("slow-host"))
	t.Skip("not today")
}
func TestFolder(t *testing.T)  { faultdeck.Start(t, faultdeck.Scenario("task/")) }
func TestUnknown(t *testing.T) { faultdeck.Start(t, faultdeck.Scenario("slow-hos")) }
func TestNothing(t *testing.T) { faultdeck.Start(t) }
`)
	if passed {
		t.Error("it passed")
	}
	says(t, said,
		"creates-once is violated: the case `A` is created again after its answer was lost",
		`sent: +POST /api/forensics/case_management/cases `,
		regexp.QuoteMeta(`repeat it: go test -count 1 -run '^TestCreatedTwice$'`),
		"--- FAIL: TestCreatedTwice",
		"1 request was answered by no recording", "GET /api/siem/offenses: not recorded", "--- FAIL: TestMiss",
		"never fired: lost-answer: lost-answer", "--- FAIL: TestSilent",
		"nothing was asked of the console", "--- FAIL: TestIdle",
		"the test passed, but it must fail", "--- FAIL: TestMustFail",
		"mine", "4 requests served", "--- FAIL: TestFailsByItself",
		"--- SKIP: TestSkipped",
		"`task/` is a folder", "--- FAIL: TestFolder",
		"did you mean `slow-host`", "--- FAIL: TestUnknown",
		"nothing says what the console answers", "--- FAIL: TestNothing")
	if strings.Contains(said, "STAND_BY") {
		t.Error(said)
	}
}

func TestTheSuiteOfThePagePasses(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/integrations.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(page)
	if example == nil {
		t.Fatal("no example")
	}
	// What is not in the page is the user's own: a client.
	text := strings.ReplaceAll(string(example[1]), "cases.Wait(", "caseWait(")
	said, passed := suite(t, text+`
func caseWait(client *http.Client, task int) (map[string]any, error) {
	for {
		seen, err := ask(client, "GET", fmt.Sprintf("https://qradar.corp.example%s/case_create_tasks/%d", cases, task), "")
		if err != nil || seen["state"] == "COMPLETE" {
			return seen, err
		}
	}
}
`)
	if !passed {
		t.Error(said)
	}
	says(t, said, "--- PASS: TestASlowConsoleIsWaitedFor")
}

func TestWithoutTheProgramTheErrorNamesTheFix(t *testing.T) {
	text := "func TestIt(t *testing.T) { faultdeck.Start(t, faultdeck.Scenario(\"slow-host\")) }\n"
	said, passed := suite(t, text, "FAULTDECK=/no/such/faultdeck")
	says(t, said, "FAULTDECK names `/no/such/faultdeck`", regexp.QuoteMeta("cargo install --path ."))
	if passed {
		t.Error("it passed")
	}
}

func TestAClientWithItsHostInTheCodeComesToTheReplayByEveryWay(t *testing.T) {
	console := faultdeck.Start(t, faultdeck.Scenario("all-is-well"), faultdeck.Name("QRADAR_URL", "{url}/api"))
	for _, url := range []string{"https://qradar.example", "http://qradar.example", console.URL} {
		state(t, console.Client(), url)
	}
	env := strings.Join(console.Env(), "\n") + "\n"
	for _, entry := range []string{"HTTPS_PROXY=" + console.URL, "SSL_CERT_FILE=", "QRADAR_URL=" + console.URL + "/api", "PATH="} {
		if !strings.Contains("\n"+env, "\n"+entry) {
			t.Errorf("%s is not in\n%s", entry, env)
		}
	}
	if strings.Contains(env, "FAULTDECK_STAND_BY") {
		t.Error(env)
	}
	direct := faultdeck.Start(t, faultdeck.Cassette("forensics/create-case"), faultdeck.TLS(), faultdeck.Fault("latency:1"))
	if !strings.HasPrefix(direct.URL, "https://") {
		t.Error(direct.URL)
	}
	state(t, direct.Client(), direct.URL)
	plain := faultdeck.Start(t, faultdeck.Scenario("all-is-well"), faultdeck.WithoutProxy())
	if plain.CAFile != "" {
		t.Error(plain.CAFile)
	}
	state(t, plain.Client(), plain.URL)
}

func TestAClockCanBeSteppedByHand(t *testing.T) {
	console := faultdeck.Start(t, faultdeck.TOML(`
summary         = "The clock is stepped by hand."
cassette        = "forensics/create-case"
clock           = { by = "hand" }
polls_per_phase = 1
`))
	var seen []string
	for _, ticks := range []int{0, 0, 1, 2} {
		if ticks > 0 {
			console.Advance(ticks)
		}
		seen = append(seen, state(t, http.DefaultClient, console.URL))
	}
	if strings.Join(seen, " ") != "WAITING WAITING PROCESSING COMPLETE" {
		t.Error(seen)
	}
	if requests := console.WaitFor(4, time.Second); len(requests) != 4 {
		t.Error(requests)
	}
}

func TestAVerdictCanBeTakenAndALedgerKept(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "run.jsonl")
	console := faultdeck.Start(t, faultdeck.Scenario("lost-answer"), faultdeck.Ledger(ledger))
	state(t, http.DefaultClient, console.URL)
	verdict := console.Stop()
	if found := strings.Join(verdict.Against(), "; "); found != "never fired: lost-answer: lost-answer" {
		t.Error(found)
	}
	if verdict.Report.Counts["served"] != 1 {
		t.Error(verdict.Report)
	}
	if text, err := os.ReadFile(ledger); err != nil || !strings.Contains(string(text), `"end":`) {
		t.Error(err)
	}
}

func TestNothingIsLeftWhenTheProcessOfTheTestsIsKilled(t *testing.T) {
	if os.Getenv("FAULTDECK_OF_A_TEST") != "" {
		faultdeck.Start(t, faultdeck.Scenario("slow-host"), faultdeck.Name("MARK", os.Getenv("FAULTDECK_OF_A_TEST")))
		os.Stdout.WriteString("here\n")
		time.Sleep(time.Hour)
	}
	mark := "of-this-test-" + filepath.Base(t.TempDir()) + time.Now().Format("150405.000000000")
	child := exec.Command(os.Args[0], "-test.run", "^"+t.Name()+"$")
	child.Env = append(os.Environ(), "FAULTDECK_OF_A_TEST="+mark, "TMPDIR="+t.TempDir())
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := output.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if len(running(mark)) == 0 {
		t.Error("nothing runs")
	}
	child.Process.Signal(syscall.SIGKILL)
	child.Wait()
	for deadline := time.Now().Add(30 * time.Second); len(running(mark)) > 0; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("left: ", running(mark))
		}
	}
}

// running are the processes whose arguments hold the mark.
func running(mark string) []string {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	var found []string
	for _, file := range files {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), mark) {
			found = append(found, file)
		}
	}
	return found
}
