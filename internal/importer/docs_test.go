package importer_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// The page for the bank's engineer names every permission and where it stands.
func TestDocumentNamesEveryPermission(t *testing.T) {
	text, err := os.ReadFile("../../docs/import-format.md")
	if err != nil {
		t.Fatal(err)
	}
	yes := map[bool]string{true: "yes"}
	values := map[catalog.Type]string{catalog.Switch: "`true`, `false`", catalog.Choice: "`none`, `partial`, `full`", catalog.Money: "amount", catalog.WholeDollar: "whole dollars"}
	for p := range catalog.PermissionCount {
		only := ""
		switch {
		case !p.In(bank.EditionBank):
			only = " (credit unions only)"
		case !p.In(bank.EditionCreditUnion):
			only = " (banks only)"
		}
		line := fmt.Sprintf("| `%s`%s | %s | %s | %s |\n", p.ID(), only, yes[p.At(catalog.AtUser)], yes[p.At(catalog.AtAccount)], values[p.Info().Type])
		if !strings.Contains(string(text), line) {
			t.Errorf("docs/import-format.md lacks the line %s", line)
		}
	}
}
