package console_test

import (
	"net/url"
	"strings"
	"testing"

	"mandate/internal/catalog"
)

// The institution sets up who originates an organization's ACH batches and which
// of its accounts are under Positive Pay. Letting more leave needs a proof;
// letting less leave does not.
func TestAnOrganizationsPaymentsAreSetUp(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.customer().keepsSettings()
		w.group("Settings", catalog.InstitutionSettingsManage)
		w.group("Support", catalog.PeopleManageAll)
		w.add("kim", "Settings")
		w.add("sam", "Support")
		kim := w.as("kim")
		kim.get("/cedar/settings/organizations?q=north").says(t, "1 organization", "Northwind Paper", "100042")
		kim.get("/cedar/settings/organizations?q=reyes").says(t, "No organization fits")
		at := "/cedar/settings/organizations/org_northwind"
		kim.get(at).says(t, "No company is set up", "Files that are uploaded may name the companies above, and no other.", "Operating ••0440", "Not enrolled")

		kim.post(at+"/company", url.Values{"ident": {""}, "name": {strings.Repeat("N", 17)}, "classes": {"ppd XX"}, "exposure": {"lots"}}).
			says(t, "Write an amount like $25,000.00", "Write the company name in at most 16 plain characters.", "\"XX\" is no standard entry class.")
		company := func(name, classes, exposure string) url.Values {
			return url.Values{"ident": {"1363055500"}, "name": {name}, "classes": {classes}, "exposure": {exposure}}
		}
		kim.proven(at+"/company", company("NORTHWIND", "ppd, ccd", "$100,000")).says(t, "The company was saved", "NORTHWIND 1363055500 PPD, CCD $100,000.00")
		kim.proven(at+"/company", company("NORTHWIND", "PPD CCD", "$100,000.01")).says(t, "The company was saved", "$100,000.01")
		kim.proven(at+"/company", company("NORTHWIND", "PPD CCD WEB", "$100,000.01")).says(t, "PPD, CCD, WEB")
		kim.proven(at+"/company", company("NORTHWIND", "PPD CCD WEB", "")).says(t, "No limit")
		kim.proven(at+"/company", company("NORTHWIND", "", "")).says(t, "Any No limit")
		kim.post(at+"/company", company("NORTHWIND CO", "PPD", "$5.00")).says(t, "The company was saved", "NORTHWIND CO 1363055500 PPD $5.00")
		edit := kim.get(at + "?company=1363055500")
		edit.says(t, "Change the company 1363055500")
		if !strings.Contains(edit.body, `value="NORTHWIND CO"`) || !strings.Contains(edit.body, `value="5.00"`) || strings.Contains(edit.body, `name="ident"`) {
			t.Error("the form does not show the company, or lets its identification be changed")
		}
		if e := w.tells("ach.company_changed", false, "Kim Cedar"); len(e.Changes) != 1 || e.Changes[0].Old != "NORTHWIND, , 0.00 a day" || e.Changes[0].New != "NORTHWIND CO, PPD, 5.00 a day" {
			t.Errorf("the history: %+v", e.Changes)
		}

		kim.proven(at+"/any-company", url.Values{"any": {"on"}}).says(t, "Files may name any company", "Allow the companies above only")
		kim.post(at+"/any-company", url.Values{"any": {"off"}}).says(t, "Files may name the companies above, and no other")

		kim.post(at+"/positive-pay", url.Values{"account": {"acc_payroll"}, "enrol": {"on"}}).says(t, "The account is under Positive Pay", "Payroll ••0441 checking Enrolled")
		kim.post(at+"/positive-pay", url.Values{"account": {"acc_payroll"}, "enrol": {"off"}}).says(t, "The account is no longer under Positive Pay", "Payroll ••0441 checking Not enrolled")
		if got := kim.post(at+"/positive-pay", url.Values{"account": {"acc_nowhere"}, "enrol": {"on"}}); got.status != 404 {
			t.Errorf("an account that is not there is enrolled: %d", got.status)
		}

		// Whoever helps customers does not set up what leaves for them.
		sam := w.as("sam")
		for path, form := range map[string]url.Values{"/company": company("MINE", "", ""), "/any-company": {"any": {"on"}}, "/positive-pay": {"account": {"acc_payroll"}, "enrol": {"on"}}} {
			if got := sam.post(at+path, form); got.status != 403 {
				t.Errorf("%s by somebody who helps customers: %d", path, got.status)
			}
		}
		w.tells("ach.company_changed", true, "Sam Cedar")
		if got := kim.get("/cedar/settings/organizations/org_nowhere"); got.status != 404 {
			t.Errorf("an organization that is not there: %d", got.status)
		}
	})
}
