// Command templates keeps the Go code of the screens in step with the .templ
// files it comes from. Run from the root of the repository, it names the files
// that are out of date and fails; with -w it writes them.
//
// It generates what "templ generate" does, with the generator of the very
// version that go.mod names, so nothing has to be installed.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/a-h/templ"
	"github.com/a-h/templ/generator"
	"github.com/a-h/templ/parser/v2"
)

const (
	sourceEnd    = ".templ"
	generatedEnd = "_templ.go"
)

func main() {
	write := flag.Bool("w", false, "write the files that are out of date")
	flag.Parse()
	stale, err := outOfDate(".", *write)
	if err != nil {
		fmt.Fprintln(os.Stderr, "templates:", err)
		os.Exit(2)
	}
	for _, file := range stale {
		fmt.Println(file)
	}
	if len(stale) > 0 && !*write {
		fmt.Fprintln(os.Stderr, "templates: out of date; run: go run ./internal/tools/templates -w")
		os.Exit(1)
	}
}

// outOfDate finds generated files that differ from what would be generated
// now, and those whose source is gone.
func outOfDate(root string, write bool) (stale []string, err error) {
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if name := entry.Name(); path != root && (name[0] == '.' || name == "node_modules" || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		case strings.HasSuffix(path, sourceEnd):
			changed, err := update(root, path, write)
			if changed {
				stale = append(stale, strings.TrimSuffix(path, sourceEnd)+generatedEnd)
			}
			return err
		case strings.HasSuffix(path, generatedEnd):
			orphan, err := removeOrphan(path, write)
			if orphan {
				stale = append(stale, path)
			}
			return err
		}
		return nil
	})
	return stale, err
}

// update says whether the code of one source has to change, and changes it if
// asked to.
func update(root, source string, write bool) (changed bool, err error) {
	code, err := generate(root, source)
	if err != nil {
		return false, fmt.Errorf("%s: %w", source, err)
	}
	target := strings.TrimSuffix(source, sourceEnd) + generatedEnd
	present, err := os.ReadFile(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err == nil && bytes.Equal(present, code) {
		return false, nil
	}
	if !write {
		return true, nil
	}
	return true, os.WriteFile(target, code, 0o644)
}

// generate puts the path within the repository into the code, because errors
// at run time name it. It is what "templ generate" writes at the root.
func generate(root, source string) ([]byte, error) {
	parsed, err := parser.Parse(source)
	if err != nil {
		return nil, err
	}
	name, err := filepath.Rel(root, source)
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	_, err = generator.Generate(parsed, &code, generator.WithVersion(templ.Version()), generator.WithFileName(filepath.ToSlash(name)))
	if err != nil {
		return nil, err
	}
	return format.Source(code.Bytes())
}

func removeOrphan(path string, write bool) (orphan bool, err error) {
	_, err = os.Stat(strings.TrimSuffix(path, generatedEnd) + sourceEnd)
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if write {
		return true, os.Remove(path)
	}
	return true, nil
}
