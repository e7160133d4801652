package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"

	"mandate/internal/fault"
	"mandate/internal/ijson"
)

// settings is the file that --config names: one JSON object, its names those of
// the flags, with underscores. It yields to the environment, and that to the
// command line. Only what the environment can say is a setting: a file never
// tells a command what to do.
type settings struct {
	file     string
	values   map[string]any
	problems fault.Problems
}

// Limits of a settings file.
const maxSettings = 64 << 10 // bytes

var settingsLimits = ijson.Limits{Depth: 2, Values: 1000}

// readSettings reads a settings file, for kong.
func readSettings(r io.Reader) (kong.Resolver, error) {
	s := &settings{file: "the settings file"}
	if file, ok := r.(*os.File); ok {
		s.file = file.Name()
	}
	text, err := io.ReadAll(io.LimitReader(r, maxSettings))
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	value, err := ijson.Parse(text, settingsLimits)
	if err != nil {
		return nil, fmt.Errorf("%s is not JSON: %w", s.file, err)
	}
	values, ok := value.(map[string]any)
	if !ok {
		return nil, fmt.Errorf(`%s must hold one JSON object such as {"log_level": "info"}`, s.file)
	}
	s.values = values
	return s, nil
}

// Resolve gives a flag its value of the file. What cannot be read is collected
// for Validate, so that all of it is said at once.
func (s *settings) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	name := settingName(flag)
	value, ok := s.values[name]
	if !ok || !isSetting(flag) || slices.ContainsFunc(flag.Envs, inEnvironment) {
		return nil, nil
	}
	said, err := say(value)
	if err == nil {
		trial := reflect.New(flag.Target.Type()).Elem()
		err = flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: kong.Scan().PushTyped(said, kong.FlagValueToken)}, trial)
	}
	if err != nil {
		s.problems.Addf(name, "%v; %s", err, flag.Help)
		return nil, nil
	}
	return said, nil
}

// Validate refuses a file that says what nobody listens to, or says it wrongly.
func (s *settings) Validate(app *kong.Application) error {
	known := map[string]bool{}
	err := kong.Visit(app, func(node kong.Visitable, next kong.Next) error {
		if flag, ok := node.(*kong.Flag); ok && isSetting(flag) {
			known[settingName(flag)] = true
		}
		return next(nil)
	})
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if !known[name] {
			s.problems.Add(name, "there is no such setting; \"mandate serve --help\" lists them")
		}
	}
	return s.problems.Err("The settings in " + s.file + " are not usable.")
}

func settingName(flag *kong.Flag) string { return strings.ReplaceAll(flag.Name, "-", "_") }

// isSetting reports whether a flag can be set without a command line.
func isSetting(flag *kong.Flag) bool { return len(flag.Envs) > 0 && flag.Name != "config" }

func inEnvironment(name string) bool { return os.Getenv(name) != "" }

// say turns a value of the file into what a command line would say.
func say(value any) (any, error) {
	switch v := value.(type) {
	case string:
		return v, nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case []any:
		if !slices.ContainsFunc(v, func(one any) bool { _, text := one.(string); return !text }) {
			return v, nil
		}
	}
	return nil, errors.New("expected text, a number or a list of texts")
}
