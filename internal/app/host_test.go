package app

import (
	"log/slog"
	"net/http/httptest"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/config"
	"mandate/internal/db/dbtest"
	"mandate/internal/host"
	"mandate/internal/host/hostsim"
	"mandate/internal/host/protocol"
)

// What the operator names is asked, over the network and by the institution's
// own key; nothing is simulated then.
func TestHostsThatTheOperatorNames(t *testing.T) {
	core := hostsim.New(dbtest.SQLiteWith(t, dbtest.Options{Migrations: hostsim.Migrations()}), hostsim.Options{})
	if err := core.PutOrganization(t.Context(), "cedar", hostsim.By{Channel: host.BackOffice}, "4471", "Northwind"); err != nil {
		t.Fatal(err)
	}
	good := func(institution bank.InstitutionID, key string) bool {
		return institution == "cedar" && key == "key-of-cedar"
	}
	server := httptest.NewServer(protocol.Handler(core.Server(), good, slog.New(slog.DiscardHandler)))
	defer server.Close()
	open := func(hosts config.Hosts) (*App, error) {
		return Open(t.Context(), config.Config{Store: config.Store{Data: t.TempDir()}, Hosts: hosts}, bank.SystemClock{}, slog.New(slog.DiscardHandler))
	}
	a, err := open(config.Hosts{Host: []string{"cedar=" + server.URL}, HostKey: []string{"cedar=key-of-cedar"}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}()
	if a.Bank != nil {
		t.Error("a core is simulated besides")
	}
	if got, err := a.Host.Organizations(t.Context(), "cedar", "", 10); err != nil || len(got) != 1 || got[0].Name != "Northwind" {
		t.Errorf("the host's organizations are %+v, %v", got, err)
	}
	if got, err := a.Host.Organizations(t.Context(), "elm", "", 10); err == nil {
		t.Errorf("an institution without a host has %+v", got)
	}
	for name, hosts := range map[string]config.Hosts{
		"without a key":                   {Host: []string{server.URL}},
		"a Fineract without its settings": {Host: []string{"fineract+https://core.example/api/v1"}, HostKey: []string{"a-key"}},
	} {
		if a, err := open(hosts); err == nil {
			t.Errorf("%s the program opens: %v", name, a.Close())
		}
	}
}
