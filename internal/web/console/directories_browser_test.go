package console_test

import (
	"strings"
	"testing"

	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
)

// A directory is connected, its key is shown once, and it is disconnected.
func TestDirectoriesInABrowser(t *testing.T) {
	eachBrowser(t, func(t *testing.T, w *world, p colleague) {
		w.group("No Permissions")
		w.group("Inviters", catalog.StaffUsersInvite)
		p.signIn("root")
		p.Click("Directories")
		p.See("No directory is connected")
		p.look("directories-none")
		p.Click("Connect a directory")
		p.Fill("Name", "Entra ID")
		p.Choose("People begin in", "Inviters")
		p.Click("Connect")
		p.See("Inviters gives rights that a directory may not give: Invite users")
		p.look("directory-refused")
		if got := p.Value("Name"); got != "Entra ID" {
			t.Errorf("the name reads %q", got)
		}
		p.Choose("People begin in", "No Permissions")
		p.Click("Connect")
		p.confirm()
		p.See("Entra ID is connected")
		p.See("https://api.cedar.example/scim/cedar/v2")
		if key := p.Text(); !strings.Contains(key, "mk_") {
			t.Error("the key is not shown")
		}
		p.look("directory-key")
		p.Click("I have copied it")
		p.See("Never")
		if strings.Contains(p.Text(), "mk_") {
			t.Error("the key is shown again")
		}
		p.look("directories")
		if err := w.d.Write(t.Context(), func(tx *db.Tx) error { return client.HoldRestored(tx, cedar) }); err != nil {
			t.Fatal(err)
		}
		p.Click("Directories")
		p.See("Kept out since a restore")
		p.Click("New key for Entra ID")
		p.confirm()
		p.See("The directory has a new key")
		p.Click("I have copied it")
		p.Click("Disconnect Entra ID")
		p.See("People and groups stay as they are")
		p.confirm()
		p.See("The directory was disconnected")
		p.See("No directory is connected")
	})
}
