package config

import (
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"mandate/internal/fault"
)

// Copy is what a copy of the decision service can be told. Only Follow is
// needed.
type Copy struct {
	TLS
	Follow        string        `name:"follow" help:"Database to follow: postgres://… . Name all servers of a cluster, with commas between them; the one that takes changes is followed." env:"MANDATE_FOLLOW" placeholder:"URL"`
	CopyName      string        `name:"copy-name" help:"What the copy is called in the list of copies. By default the machine's name." env:"MANDATE_COPY_NAME" placeholder:"NAME"`
	APIOrigin     string        `name:"api-origin" help:"Where programs find the API." env:"MANDATE_API_ORIGIN" placeholder:"URL"`
	ConsoleOrigin string        `name:"console-origin" help:"Where the server's Identity is found, whose access tokens are taken. Unless it is given, none are." env:"MANDATE_CONSOLE_ORIGIN" placeholder:"URL"`
	ListenAPI     string        `name:"listen-api" help:"Address of the API." env:"MANDATE_LISTEN_API" placeholder:"HOST:PORT"`
	ListenMetrics string        `name:"listen-metrics" help:"Address of health and metrics, for operators only." env:"MANDATE_LISTEN_METRICS" placeholder:"HOST:PORT"`
	Drain         time.Duration `name:"drain" help:"How long a copy that is asked to end goes on answering, not ready any more, so that nobody is sent to it." env:"MANDATE_DRAIN" placeholder:"DURATION"`
	LogLevel      string        `name:"log-level" help:"debug, info, warn or error." env:"MANDATE_LOG_LEVEL" placeholder:"LEVEL"`
	LogFormat     string        `name:"log-format" help:"text or json." env:"MANDATE_LOG_FORMAT" placeholder:"FORMAT"`
}

// WithDefaults fills what was left out and checks all of it.
func (c Copy) WithDefaults() (Copy, error) {
	if c.CopyName == "" {
		c.CopyName, _ = os.Hostname() // where it has none, the list has the copy's id
	}
	fill(&c.ListenAPI, defaultAPI)
	fill(&c.ListenMetrics, defaultMetrics)
	fill(&c.APIOrigin, localOrigin(c.ListenAPI))
	fill(&c.LogLevel, "info")
	fill(&c.LogFormat, "text")
	var problems fault.Problems
	if !strings.HasPrefix(c.Follow, "postgres://") && !strings.HasPrefix(c.Follow, "postgresql://") {
		problems.Add("follow", "write postgres://user@host/database; an embedded database has one process, which answers from memory by itself")
	}
	if len([]rune(c.CopyName)) > maxCopyName {
		problems.Addf("copy_name", "at most %d characters", maxCopyName)
	}
	if reason := badOrigin(c.APIOrigin); reason != "" {
		problems.Add("api_origin", reason)
	}
	if reason := badOrigin(c.ConsoleOrigin); c.ConsoleOrigin != "" && reason != "" {
		problems.Add("console_origin", reason)
	}
	for _, listen := range []struct{ field, value string }{{"listen_api", c.ListenAPI}, {"listen_metrics", c.ListenMetrics}} {
		if _, port, err := net.SplitHostPort(listen.value); err != nil || port == "" {
			problems.Addf(listen.field, "%q is not an address like localhost:8084", listen.value)
		}
	}
	if c.Drain < 0 || c.Drain > time.Minute {
		problems.Add("drain", "a duration such as 5s, at most a minute")
	}
	c.TLS.check(&problems)
	checkLog(&problems, c.LogLevel, c.LogFormat)
	return c, problems.Err("The configuration is not usable.")
}

const maxCopyName = 80

// Logger makes the log that the configuration asks for.
func (c Copy) Logger() *slog.Logger {
	return Config{LogLevel: c.LogLevel, LogFormat: c.LogFormat}.Logger()
}

// String never shows a secret.
func (c Copy) String() string { return "configuration of the copy " + c.CopyName }
