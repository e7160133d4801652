package config

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// Hosts says where institutions' cores answer, and with which keys. Without any
// the program simulates one.
type Hosts struct {
	Host        []string `name:"host" help:"Where the core answers, such as https://core.example-bank.com/mandate; INSTITUTION=URL where each institution has its own. Without it a core is simulated." env:"MANDATE_HOST" placeholder:"URL"`
	HostKeyFile []string `name:"host-key-file" help:"File with the core's key, or INSTITUTION=FILE. Otherwise the key comes from MANDATE_HOST_KEY." env:"MANDATE_HOST_KEY_FILE" placeholder:"FILE"`
	HostKey     []string `name:"host-key" hidden:"" env:"MANDATE_HOST_KEY"`
}

// FineractScheme begins the address of a core that is an Apache Fineract.
const FineractScheme = "fineract+"

// A Host is where the core of an institution answers.
type Host struct {
	Institution bank.InstitutionID // empty: of all that have none of their own
	URL         string
	Key         string
}

// String never shows the key.
func (h Host) String() string { return h.URL }

// Fineract reports whether the core is an Apache Fineract. Its key is the text
// of its settings.
func (h Host) Fineract() bool { return strings.HasPrefix(h.URL, FineractScheme) }

// Remote reports whether cores are asked elsewhere.
func (h Hosts) Remote() bool { return len(h.Host) > 0 }

// Read reads the addresses with their keys. All that is wrong is said at once.
func (h Hosts) Read() (all []Host, err error) {
	var problems fault.Problems
	keys := h.keys(&problems)
	seen := map[bank.InstitutionID]bool{}
	for _, entry := range h.Host {
		institution, address := ofInstitution(entry)
		one := Host{Institution: institution, URL: address}
		if why := badHost(address); why != "" {
			problems.Add("host", why)
		}
		if seen[institution] {
			problems.Addf("host", "%q is named twice", name(institution))
		}
		seen[institution] = true
		var known bool
		if one.Key, known = keys[institution]; !known {
			one.Key, known = keys[""]
		}
		if !known {
			problems.Addf("host_key_file", "%s has no key: name a file with it, or set MANDATE_HOST_KEY", name(institution))
		}
		all = append(all, one)
	}
	return all, problems.Err("The configuration of the host is not usable.")
}

// maxKey is the largest key that is read, in bytes: settings are larger than
// keys.
const maxKey = 64 << 10

// keys reads all keys. A file wins over what the environment says.
func (h Hosts) keys(problems *fault.Problems) map[bank.InstitutionID]string {
	keys := map[bank.InstitutionID]string{}
	for _, entry := range h.HostKey {
		institution, key := ofInstitution(entry)
		keys[institution] = key
	}
	for _, entry := range h.HostKeyFile {
		institution, path := ofInstitution(entry)
		key, err := readKey(path)
		if err != nil {
			problems.Addf("host_key_file", "%v", err)
			continue
		}
		keys[institution] = key
	}
	for institution, key := range keys {
		if key == "" || len(key) > maxKey {
			problems.Addf("host_key_file", "the key of %s is empty or longer than %d bytes", name(institution), maxKey)
		}
	}
	return keys
}

func readKey(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKey+2))
	return strings.TrimSpace(string(text)), err
}

func name(institution bank.InstitutionID) string {
	if institution == "" {
		return "the host of all institutions"
	}
	return "the host of " + string(institution)
}

// ofInstitution splits INSTITUTION=VALUE. An institution is called by small
// letters, digits and hyphens, and a value begins otherwise or goes on otherwise:
// keys may end with equals signs.
func ofInstitution(entry string) (bank.InstitutionID, string) {
	before, after, cut := strings.Cut(entry, "=")
	if !cut || strings.Trim(before, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Trim(after, "=") == "" {
		return "", entry
	}
	return bank.InstitutionID(before), after
}

// badHost says what is wrong with an address. Only this machine is spoken to
// without encryption.
func badHost(address string) string {
	u, err := url.Parse(strings.TrimPrefix(address, FineractScheme))
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return "write an address like https://core.example-bank.com/mandate"
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return fmt.Sprintf("the address of %s has more than scheme, host, port and path; the key stands in a file or in MANDATE_HOST_KEY", u.Host)
	case u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1":
		return fmt.Sprintf("the address of %s must be https: only this machine is spoken to without", u.Host)
	}
	return ""
}
