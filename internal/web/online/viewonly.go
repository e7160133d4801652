package online

import (
	"net/http"

	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
)

// viewOnly shows what is left of somebody's permissions when all that moves
// money or changes something is taken away: one action, with its preview.
//
// GET /{institution}/settings/users/{user}/view-only
func (a *app) viewOnly(w http.ResponseWriter, r *http.Request) error {
	_, profile, err := a.about(r, catalog.EditPermissions)
	if err != nil {
		return err
	}
	edit := usermgmt.Edit{Person: person(r), Version: profile.Member.Version, Cascade: true, Changes: usermgmt.ViewOnly(&profile)}
	return a.renderReviewAs(w, r, http.StatusOK, edit, "Make view-only",
		profile.Member.Name()+" keeps seeing what they see and can do nothing more with it. Limits keep their values, for later.")
}
