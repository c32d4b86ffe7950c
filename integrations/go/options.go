package faultdeck

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// story is the trouble of one test.
type story struct {
	flags           []string
	toml            string
	ledger, folder  string
	isTLS, isProxy  bool
	scenarios       []string
	answersAnything bool
}

// Option is a word of [Start].
type Option func(*story)

// Scenario is what goes wrong: a name, a .toml file, or builtin:NAME.
func Scenario(name string) Option {
	return func(s *story) { s.scenarios = append(s.scenarios, name); s.answersAnything = true }
}

// TOML is the text of a scenario, in place of its name.
func TOML(text string) Option {
	return func(s *story) { s.toml = text; s.answersAnything = true }
}

// Cassette is the recording: a name below cassettes/, a .json file, or builtin:NAME. It wins over the scenario's.
func Cassette(name string) Option {
	return func(s *story) { s.add("--cassette", name); s.answersAnything = true }
}

// Seed fixes every random draw; without it the seed is 1.
func Seed(seed uint64) Option { return flag("--seed", strconv.FormatUint(seed, 10)) }

// Fault is a fault in a line, as after --fault; it can be given several times.
func Fault(line string) Option { return flag("--fault", line) }

// Must is what the test must do: passes, fails, or any.
func Must(word string) Option { return flag("--command", word) }

// Profile is a file with more endpoints and task families; it can be given several times.
func Profile(file string) Option { return flag("--profile", file) }

// Name is a further variable of [Console.Env]: Name("QRADAR_URL", "{url}/api").
func Name(name, text string) Option { return flag("--env", name+"="+text) }

// TimeScale lets so many seconds of the scenario pass in one.
func TimeScale(times int) Option { return flag("--time-scale", strconv.Itoa(times)) }

// NoAuth answers requests without credentials, too.
func NoAuth() Option { return func(s *story) { s.flags = append(s.flags, "--no-auth") } }

// TLS lets the replay itself speak https; there is no proxy then.
func TLS() Option { return func(s *story) { s.isTLS, s.isProxy = true, false } }

// WithoutProxy lets the test ask under [Console.URL] alone.
func WithoutProxy() Option { return func(s *story) { s.isProxy = false } }

// Ledger keeps the ledger in this file.
func Ledger(file string) Option { return func(s *story) { s.ledger = file } }

// Folder is where names of scenarios and cassettes are looked up; without it that is the folder of the package under test.
func Folder(folder string) Option { return func(s *story) { s.folder = folder } }

func flag(name, value string) Option { return func(s *story) { s.add(name, value) } }

func (s *story) add(name, value string) { s.flags = append(s.flags, name, value) }

// check says what makes no test of it.
func (s *story) check() error {
	if !s.answersAnything {
		return errors.New(`nothing says what the console answers: give faultdeck.Scenario("slow-host"), or a Cassette`)
	}
	if len(s.scenarios) > 1 || (len(s.scenarios) == 1 && s.toml != "") {
		return errors.New("a test has one scenario: start a console for each, in a subtest of its own")
	}
	if len(s.scenarios) == 1 && strings.HasSuffix(s.scenarios[0], "/") {
		return fmt.Errorf("`%s` is a folder: name one scenario of it", s.scenarios[0])
	}
	return nil
}
