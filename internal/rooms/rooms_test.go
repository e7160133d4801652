// Package rooms tests the walls: who may import whom. Its table is the map of
// the program; a change of the map is a change of the architecture and belongs
// into docs/architecture.md as well.
package rooms

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "mandate/internal/"

// A floor is a group of packages that may import the floors below it.
type floor struct {
	name     string
	packages []string // an ending of /... stands for all below
	also     []string // packages of the same floor that may be imported
	outside  []string // prefixes of modules beyond the standard library; "*": any
}

// From the ground up. A package may import every package of a floor further
// down in this list, and of its own floor only what "also" names.
var floors = []floor{
	{name: "nouns", packages: []string{"bank", "fault", "catalog"}, also: []string{"bank", "fault", "catalog"}},
	{name: "judgement", packages: []string{"entitlement", "entitlement/reference"}, also: []string{}},
	{name: "ids of questions", packages: []string{"entitlement/ident"}, outside: []string{"golang.org/x/sys/cpu"}},
	{name: "judgement in memory", packages: []string{"entitlement/compact"}},
	{name: "decisions as text", packages: []string{"entitlement/decisions"}},
	{name: "tools of the ground", packages: []string{"ijson", "authzen/scan", "seal", "config"}},
	{name: "database", packages: []string{"db", "db/dbtest"}, also: []string{"db"}, outside: []string{"*"}},
	{name: "ground", packages: []string{"activity", "outbox", "usage", "idempotency", "approval", "guard", "calendar", "lease", "headroom"},
		also: []string{"activity", "outbox", "usage", "idempotency", "guard"}, outside: []string{"golang.org/x/"}},
	{name: "following", packages: []string{"follow"}, outside: []string{"github.com/prometheus/"}},
	{name: "decisions in memory", packages: []string{"pdp/memory"}},
	{name: "decision service", packages: []string{"pdp"}},
	{name: "files of the trade", packages: []string{"moneymovement/ach/nacha", "moneymovement/ach/recipients", "moneymovement/wire/message", "moneymovement/layout"},
		also: []string{"moneymovement/ach/nacha", "moneymovement/layout"}, outside: []string{"github.com/moov-io/", "golang.org/x/text/"}},
	{name: "rooms", packages: []string{"identity", "usermgmt", "staff", "support", "application", "grant", "client", "alert", "webhook", "authorization", "host/...", "moneymovement/..."},
		also: []string{"identity", "authorization", "host"}, outside: []string{"*"}},
	{name: "both sides", packages: []string{"hostsync"}, outside: []string{"golang.org/x/"}},
	{name: "checks and data", packages: []string{"conformance", "generate", "importer", "backup", "pdp/pdptest", "pdp/obstacle", "approval/approvaltest"}, also: []string{"generate"}, outside: []string{"*"}},
	{name: "look", packages: []string{"web/ui", "web/static", "web/gallery"}, also: []string{"web/static", "web/ui"}, outside: []string{"*"}},
	{name: "plumbing", packages: []string{"route", "web", "web/browsertest", "mail", "mail/mailbox", "gate", "outward"}, also: []string{"route", "web", "mail"}, outside: []string{"*"}},
	{name: "entrance", packages: []string{"web/entrance", "web/history", "web/phrase", "web/whomay", "web/why"}, also: []string{"web/history", "web/phrase"}, outside: []string{"*"}},
	{name: "edges", packages: []string{"authzen", "api", "scim", "oidc", "federation", "web/online", "web/console", "web/identity", "web/office", "web/mailbox", "authzen/product"},
		also: []string{"authzen"}, outside: []string{"*"}},
	{name: "assembly", packages: []string{"app", "demo", "cli", "tools/...", "rooms", "bench"}, also: []string{"app", "demo", "bench"}, outside: []string{"*"}},
}

// exceptions are imports that the table does not allow and that have a reason.
var exceptions = map[string]string{
	"moneymovement/moneytest -> host/hostsim/hostsimtest": "the worlds of tests have a host",
	"usermgmt -> identity":                                "a hold, a lock and a deletion end sign-ins in the same transaction",
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestWalls(t *testing.T) {
	for _, p := range packages(t) {
		name, ok := strings.CutPrefix(p.ImportPath, module)
		if !ok {
			continue
		}
		own := floorOf(name)
		if own < 0 {
			t.Errorf("%s stands on no floor: give it a place in the table", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			if why := refuse(own, name, imported); why != "" {
				t.Errorf("%s must not import %s: %s", p.ImportPath, imported, why)
			}
		}
	}
}

// The Go client goes into other people's programs: it is made of the standard
// library, and nothing of ours goes with it. Nothing in here stands on it.
func TestTheClientStandsAlone(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{if not .Standard}}{{.ImportPath}}{{end}}", "mandate/client").Output()
	if got := strings.Fields(string(out)); err != nil || !slices.Equal(got, []string{"mandate/client"}) {
		t.Errorf("mandate/client is made of %q: %v", got, err)
	}
	for _, p := range packages(t) {
		if slices.Contains(p.Imports, "mandate/client") {
			t.Errorf("%s imports the client, which is for others", p.ImportPath)
		}
	}
}

// refuse says why a package may not import another; empty: it may.
func refuse(own int, name, imported string) string {
	other, inside := strings.CutPrefix(imported, module)
	if !inside {
		return refuseOutside(floors[own], imported)
	}
	if exceptions[name+" -> "+other] != "" {
		return ""
	}
	place := floorOf(other)
	switch {
	case place < own:
		return ""
	case place > own:
		return "imports point down, and " + floors[place].name + " stands above " + floors[own].name
	case matches(floors[own].also, other) || floors[own].name == "rooms" && roomOf(name) == roomOf(other):
		return ""
	}
	return "rooms of one floor do not know each other"
}

// roomOf is the room that a package is part of: a large one has several.
func roomOf(name string) string {
	parts := strings.Split(name, "/")
	if parts[0] == "moneymovement" {
		return strings.Join(parts[:min(len(parts), 2)], "/")
	}
	return parts[0]
}

func refuseOutside(f floor, imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	if !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for _, prefix := range f.outside {
		if prefix == "*" || strings.HasPrefix(imported, prefix) {
			return ""
		}
	}
	return f.name + " stands on the standard library alone"
}

func floorOf(name string) int {
	return slices.IndexFunc(floors, func(f floor) bool { return matches(f.packages, name) })
}

func matches(patterns []string, name string) bool {
	for _, pattern := range patterns {
		if folder, all := strings.CutSuffix(pattern, "/..."); all && (name == folder || strings.HasPrefix(name, folder+"/")) || pattern == name {
			return true
		}
	}
	return false
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", module[:len(module)-1]+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages; the test looks at nothing", len(all))
	}
	return all
}
