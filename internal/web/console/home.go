package console

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"mandate/internal/catalog"
	"mandate/internal/staff"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

type homePage struct {
	Shell  ui.Shell
	Name   string
	Factor *ui.Message // a second factor is required soon
	Secure string
	Apps   []appLink
	Groups []staff.Group
	Rights []rightsOfArea
}

// An appLink leads to a part of the console for which somebody holds a right.
type appLink struct{ Href, Icon, Title, Text string }

// rightsOfArea are the rights of one area as they are listed.
type rightsOfArea struct {
	Area   catalog.StaffAreaInfo
	Labels []string
}

// GET /{institution}/home
func (a *app) home(w http.ResponseWriter, r *http.Request) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseOf(r)
	page := homePage{Name: me.User.FirstName, Groups: me.Groups, Rights: byArea(me.Shown(me.Rights)), Secure: b.security(), Factor: countdown(&me)}
	if page.Shell, err = a.shell(r, &me, "Home"); err != nil {
		return err
	}
	if me.May(catalog.PeopleViewAll) {
		page.Apps = append(page.Apps, appLink{b.people(), "building-2", "People", "Organizations and their members: who may do what, and help."})
	}
	if me.May(catalog.PlatformAuditSearch) {
		page.Apps = append(page.Apps, appLink{b.activity(), "activity", "Activity", "Who did what, at every organization and here."})
	}
	if me.May(catalog.StaffUsersView) {
		page.Apps = append(page.Apps, appLink{b.users(), "users", "Users", "Who works here, and what they may do."})
	}
	if me.May(catalog.StaffGroupsView) {
		page.Apps = append(page.Apps, appLink{b.groups(), "shield", "Groups", "What people have in common, and what it permits."})
	}
	if me.May(catalog.StaffExternalAppsManage) {
		page.Apps = append(page.Apps, appLink{b.applications(), "link", "External applications", "Products to which your staff sign in from here."})
	}
	return web.Render(w, r, http.StatusOK, homeView(page))
}

// countdown says how long somebody may still sign in without a second factor.
func countdown(me *staff.Standing) *ui.Message {
	if me.SecondFrom == "" || me.SecondFactor {
		return nil
	}
	place := me.House.Place
	days := int(me.SecondFrom.Time(place).Sub(me.Today.Time(place)).Round(24*time.Hour) / (24 * time.Hour))
	when := fmt.Sprintf("In %d days, on %s,", days, ui.Date(me.SecondFrom.Time(place), place))
	switch {
	case days <= 0:
		when = "From now on,"
	case days == 1:
		when = "Tomorrow,"
	}
	who := "one of your groups"
	if me.House.SecondFactorFrom == me.SecondFrom {
		who = me.House.Name
	}
	return &ui.Message{Tone: ui.Warn, Icon: "shield-check", Title: "Add a second factor", Text: when + " " + who + " asks for a second factor when you sign in. Add one now, so that you are not held up then."}
}

// byArea are rights as they are listed: by area, in catalogue order.
func byArea(rights catalog.StaffSet) (all []rightsOfArea) {
	for _, area := range catalog.StaffAreas() {
		of := rightsOfArea{Area: area.Info()}
		for p := range rights.All() {
			if p.Info().Area == area {
				of.Labels = append(of.Labels, p.Info().Label)
			}
		}
		if len(of.Labels) > 0 {
			all = append(all, of)
		}
	}
	return all
}

// groupNames are groups in one line.
func groupNames(groups []staff.Group) string {
	var names []string
	for _, g := range groups {
		names = append(names, g.Name)
	}
	return strings.Join(names, ", ")
}
