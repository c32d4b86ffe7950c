package faultdeck

import (
	"sort"
	"strings"
)

const (
	passedCode       = 0
	inconclusiveCode = 3
)

// Reason is one thing found out about a session.
type Reason struct {
	Exit int    `json:"exit"`
	Why  string `json:"why"`
}

// Report is the report for programs, as `faultdeck report --format json` makes it; what is not here stands in the ledger.
type Report struct {
	Exit       int            `json:"exit"`
	Because    string         `json:"because"`
	Reasons    []Reason       `json:"reasons"`
	Command    string         `json:"command"`
	Counts     map[string]int `json:"counts"`
	NeverFired []string       `json:"never_fired"`
}

// Verdict is what a session came to.
type Verdict struct {
	Report Report
	// Human is the report for a person.
	Human string
	// Passed is whether the test itself did.
	Passed bool
}

// Against is what speaks against the session, but for the test's own failure, weightiest first.
func (v Verdict) Against() []string {
	var bad []Reason
	for _, one := range v.Report.Reasons {
		if one.Exit != passedCode && (v.Passed || one.Why != v.Report.Command) {
			bad = append(bad, one)
		}
	}
	sort.SliceStable(bad, func(i, j int) bool { return bad[i].Exit != inconclusiveCode && bad[j].Exit == inconclusiveCode })
	words := strings.NewReplacer("does the command use FAULTDECK_URL?", "does the test ask under the console's URL?", "the command", "the test")
	var found []string
	for _, one := range bad {
		found = append(found, words.Replace(one.Why))
	}
	return found
}

// Text is all of it, for a person.
func (v Verdict) Text() string {
	human := strings.TrimRight(v.Human, "\n")
	if found := v.Against(); len(found) > 0 {
		return strings.Join(found, "; ") + "\n\n" + human
	}
	return human
}
