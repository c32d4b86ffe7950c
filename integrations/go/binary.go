package faultdeck

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const fix = `
  Any of these helps:
    - install it: ` + "`cargo install --path .`" + ` in faultdeck's repository, or a package of it, if you have one
    - name it: FAULTDECK=/path/to/faultdeck go test ./...
    - put its folder on PATH`

// Find is the path of the program: what FAULTDECK names, else the one on PATH.
func Find() (string, error) {
	if named := os.Getenv("FAULTDECK"); named != "" {
		found, err := exec.LookPath(named)
		if err != nil {
			return "", fmt.Errorf("FAULTDECK names `%s`, which is no program that can be run.%s", named, fix)
		}
		return filepath.Abs(found)
	}
	found, err := exec.LookPath("faultdeck")
	if err != nil {
		return "", fmt.Errorf("the program `faultdeck` was not found: FAULTDECK is not set, and PATH has none.%s", fix)
	}
	return filepath.Abs(found)
}
