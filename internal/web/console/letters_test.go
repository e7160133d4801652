package console_test

import (
	"regexp"
	"strings"
	"testing"

	"mandate/internal/catalog"
)

var letterLink = regexp.MustCompile(`href="([^"]+/notifications/let_[^"]+)"`)

// What was mailed to somebody is readable, and no link of it works: it is not
// there.
func TestNotificationsAreReadableWithoutTheirLinks(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Editors", catalog.CMSPagesEdit)
		eve := w.invite("eve", "Editors")
		root, at := w.as("root"), "/cedar/users/"+string(eve)
		list := root.get(at + "/notifications")
		list.says(t, "Notifications", "Waits to be sent")
		found := letterLink.FindStringSubmatch(list.body)
		if found == nil {
			t.Fatalf("no letter: %s", list.text())
		}
		letter := root.get(found[1])
		letter.says(t, "Operator invited you", "A link stood here.")
		secret := w.link("eve")
		if secret = secret[strings.LastIndex(secret, "/")+1:]; strings.Contains(letter.body, secret) || strings.Contains(list.body, secret) {
			t.Error("the link can be read by a colleague")
		}
		w.group("No Permissions")
		w.add("tom", "No Permissions")
		if got := w.as("tom").get(found[1]); got.status != 403 {
			t.Errorf("somebody who may not see users reads a letter: %d", got.status)
		}
		if got := root.get("/cedar/users/" + string(w.users["tom"]) + "/notifications/" + found[1][strings.LastIndex(found[1], "/")+1:]); got.status != 404 {
			t.Errorf("a letter under somebody else: %d", got.status)
		}
		stored := w.letters()
		if strings.Contains(stored, secret) {
			t.Error("the link is stored")
		}
	})
}
