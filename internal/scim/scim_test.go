package scim_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/db"
	"mandate/internal/scim"
	"mandate/internal/staff"
	"mandate/internal/usermgmt"
)

// names lists the userNames or displayNames of a list answer.
func names(a reply) (all []string) {
	list, _ := a.body["Resources"].([]any)
	for _, one := range list {
		object := one.(map[string]any)
		name, _ := object["userName"].(string)
		if name == "" {
			name, _ = object["displayName"].(string)
		}
		all = append(all, strings.TrimSuffix(name, "@cedar.example"))
	}
	return all
}

func TestFilters(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ana, ben := w.user("ana"), w.user("ben")
		w.user("cleo")
		w.want(200, "PATCH", "/Users/"+ben, op(`{"op":"replace","value":{"active":false,"timezone":"America/Chicago"}}`))
		w.want(200, "PATCH", "/Groups/"+string(w.groups["Help desk"]), op(`{"op":"add","path":"members","value":[{"value":"`+ana+`"}]}`))
		for filter, want := range map[string]string{
			`userName eq "ANA@cedar.example"`:             "ana",
			`userName sw "b" or name.givenName eq "cleo"`: "ben cleo",
			`not (active eq true)`:                        "ben",
			`active eq false`:                             "ben",
			`active ne true`:                              "ben",
			`active eq "False"`:                           "ben",
			`name.familyName co "xamp" and userName ne "root@cedar.example"`: "ana ben cleo",
			`name pr`:                       "ana ben cleo",
			`not (name pr)`:                 "root",
			`timezone pr`:                   "ben",
			`groups.display eq "help desk"`: "ana",
			`groups[display eq "Help desk" and type eq "direct"]`:             "ana",
			`groups eq "` + string(w.groups["Help desk"]) + `"`:               "ana",
			`emails[type eq "work" and value ew "EDAR.example"]`:              "root ana ben cleo",
			`emails.value eq "ana@cedar.example"`:                             "ana",
			`externalId eq "ext-ana"`:                                         "ana",
			`externalId eq "EXT-ana"`:                                         "",
			`externalId gt "ext-ana" and externalId le "ext-cleo"`:            "ben cleo",
			`id eq "` + ana + `"`:                                             "ana",
			`id eq "stf_nobody"`:                                              "",
			`urn:ietf:params:scim:schemas:core:2.0:User:userName sw "cl"`:     "cleo",
			`meta.created gt "2000-01-01T00:00:00Z" and userName sw "a"`:      "ana",
			`userName eq "ana@cedar.example" and (active eq false or id pr)`:  "ana",
			`displayName eq "Ana Example"`:                                    "ana",
			`meta.resourceType eq "User" and not (userName co "cedar") `:      "",
			`userName eq "x" or (userName sw "a" and not (timezone pr))`:      "ana",
			`phoneNumbers pr or userName eq "ana@cedar.example"`:              "ana",
			`phoneNumbers[type eq "work"].value eq "1" or userName sw "none"`: "error",
			`nickName eq "a"`:                  "error",
			`userName eq`:                      "error",
			`active gt true`:                   "error",
			`name.nick pr`:                     "error",
			`groups[nick eq "a"]`:              "error",
			`urn:example:User:userName eq "a"`: "error",
			strings.Repeat("(", 500):           "error",
		} {
			path := "/Users?filter=" + url.QueryEscape(filter)
			if want == "error" {
				w.refused(400, "invalidFilter", "GET", path, "")
				continue
			}
			got := names(w.want(200, "GET", path, ""))
			wanted := strings.Fields(want)
			slices.Sort(got)
			slices.Sort(wanted)
			if !slices.Equal(got, wanted) {
				t.Errorf("%s: %v, want %v", filter, got, wanted)
			}
		}
	})
}

// op is a PATCH of these operations.
func op(operations ...string) string {
	return `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[` + strings.Join(operations, ",") + `]}`
}

func TestPagesSortingAndProjection(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"dora", "ana", "cleo", "ben"} {
			w.user(name)
		}
		for path, want := range map[string]string{
			"/Users": "root dora ana cleo ben",
			"/Users?sortBy=userName&sortOrder=descending": "root dora cleo ben ana",
			"/Users?sortBy=name.givenName":                "ana ben cleo dora root",
			"/Users?sortBy=emails&count=2":                "ana ben",
			"/Users?startIndex=2&count=2":                 "dora ana",
			"/Users?startIndex=0&count=1":                 "root",
			"/Users?startIndex=9":                         "",
			"/Users?count=0":                              "",
			"/Users?count=-3":                             "",
			"/Users?sortBy=userName&startIndex=5&count=9": "root",
			"/Groups?sortBy=displayName&filter=" + url.QueryEscape(`displayName sw "H"`):    "Help desk",
			"/Groups?filter=" + url.QueryEscape(`members.display eq "Dora Example"`):        "No Permissions",
			"/Users?filter=" + url.QueryEscape(`userName ne "x"`) + "&startIndex=4&count=2": "cleo ben",
		} {
			if got := strings.Join(names(w.want(200, "GET", path, "")), " "); got != want {
				t.Errorf("%s: %s, want %s", path, got, want)
			}
		}
		a := w.want(200, "GET", "/Users?count=0", "")
		if a.body["totalResults"] != 5.0 || a.body["itemsPerPage"] != 0.0 {
			t.Errorf("a count alone is %v", a.body)
		}
		search := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],"filter":"userName sw \"d\"","attributes":["userName","name.givenName"]}`
		one := w.want(200, "POST", "/Users/.search", search).body["Resources"].([]any)[0]
		text, _ := json.Marshal(one)
		var keys []string
		for name := range one.(map[string]any) {
			keys = append(keys, name)
		}
		slices.Sort(keys)
		if strings.Join(keys, " ") != "id name schemas userName" || !strings.Contains(string(text), `"name":{"givenName":"Dora"}`) {
			t.Errorf("asked for two attributes, got %s", text)
		}
		both := w.want(200, "POST", "/.search", `{"filter":"displayName co \"e\"","count":3,"excludedAttributes":"members,emails"}`)
		if both.body["totalResults"] != 9.0 || len(names(both)) != 3 {
			t.Errorf("a search over all kinds found %v", both.body["totalResults"])
		}
		w.refused(400, "invalidValue", "GET", "/Users?count=ten", "")
		w.refused(400, "invalidValue", "GET", "/Users?count=1&count=2", "")
		w.refused(400, "invalidValue", "POST", "/Users/.search", `{"count":"ten"}`)
	})
}

func TestVersionsAreKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.user("ana")
		a := w.want(200, "GET", "/Users/"+id, "")
		first := a.header.Get("ETag")
		if meta := a.body["meta"].(map[string]any); meta["version"] != first || first == "" || meta["location"] != "https://api.cedar.example/scim/cedar/v2/Users/"+id {
			t.Fatalf("version %q, meta %v", first, meta)
		}
		if again := w.want(304, "GET", "/Users/"+id, "", "If-None-Match", first); again.body != nil || again.header.Get("ETag") != first {
			t.Errorf("not modified came with %v", again)
		}
		change := op(`{"op":"replace","path":"name.givenName","value":"Anna"}`)
		second := w.want(200, "PATCH", "/Users/"+id, change, "If-Match", first).header.Get("ETag")
		if second == first {
			t.Error("a change kept the version")
		}
		w.refused(412, "", "PATCH", "/Users/"+id, op(`{"op":"replace","path":"active","value":false}`), "If-Match", first)
		w.refused(412, "", "DELETE", "/Users/"+id, "", "If-Match", first)
		w.want(200, "GET", "/Users/"+id, "", "If-None-Match", first)
		w.want(200, "PATCH", "/Groups/"+string(w.groups["Help desk"]), op(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`))
		if w.want(200, "GET", "/Users/"+id, "").header.Get("ETag") == second {
			t.Error("other groups kept the version")
		}
		w.want(204, "DELETE", "/Users/"+id, "", "If-Match", "*")
	})
}

func TestBulk(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		// The group comes first and names users that come later.
		a := w.want(200, "POST", "/Bulk", `{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],"failOnErrors":2,"Operations":[
			{"method":"POST","path":"/Groups","bulkId":"g","data":{"displayName":"Tellers","members":[{"value":"bulkId:a"},{"value":"bulkId:b"}]}},
			{"method":"POST","path":"/Users","bulkId":"a","data":{"userName":"ana@cedar.example"}},
			{"method":"POST","path":"/Users","bulkId":"b","data":{"userName":"ben@cedar.example"}},
			{"method":"PATCH","path":"/Users/bulkId:a","data":{"Operations":[{"op":"replace","path":"active","value":false}]}},
			{"method":"POST","path":"/Users","bulkId":"c","data":{"userName":"not an address"}},
			{"method":"GET","path":"/Users","bulkId":"d"},
			{"method":"DELETE","path":"/Users/bulkId:b"}]}`)
		var statuses []string
		for _, one := range a.body["Operations"].([]any) {
			object := one.(map[string]any)
			statuses = append(statuses, fmt.Sprint(object["method"], " ", object["status"]))
		}
		want := "[POST 201 POST 201 POST 201 PATCH 200 POST 400 GET 400]" // the seventh comes after two errors
		if fmt.Sprint(statuses) != want {
			t.Fatalf("bulk: %v, want %s: %v", statuses, want, a.body)
		}
		if got := names(w.want(200, "GET", "/Users?filter="+url.QueryEscape(`groups.display eq "Tellers"`), "")); !slices.Equal(slices.Sorted(slices.Values(got)), []string{"ana", "ben"}) {
			t.Errorf("Tellers are %v", got)
		}
		stuck := w.want(200, "POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Groups","bulkId":"x","data":{"displayName":"X","members":[{"value":"bulkId:nobody"}]}}]}`)
		if got := stuck.body["Operations"].([]any)[0].(map[string]any)["status"]; got != "409" {
			t.Errorf("a bulkId that nobody made: %v", got)
		}
		w.refused(400, "invalidValue", "POST", "/Bulk", `{"Operations":[{"method":"POST","path":"/Users","data":{}}]}`)
		w.refused(400, "tooMany", "POST", "/Bulk", `{"Operations":[`+strings.Repeat(`{},`, 1000)+`{}]}`)
	})
}

func TestPatchIsAllOrNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.user("ana")
		before := w.want(200, "GET", "/Users/"+id, "").header.Get("ETag")
		for kind, operations := range map[string]string{
			"mutability":    op(`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"replace","path":"id","value":"stf_other"}`),
			"invalidPath":   op(`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"replace","path":"name.nick","value":"Y"}`),
			"invalidValue":  op(`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"replace","path":"active","value":"maybe"}`),
			"noTarget":      op(`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"remove"}`),
			"invalidSyntax": op(`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"move","path":"active"}`),
			"invalidFilter": op(`{"op":"replace","path":"name.givenName","value":"X"}`, `{"op":"replace","path":"emails[nick eq \"x\"].value","value":"y"}`),
		} {
			w.refused(400, kind, "PATCH", "/Users/"+id, operations)
		}
		for _, body := range []string{`{}`, `{"Operations":[]}`, `[]`, `{"Operations":[{}]}`, `{"Operations":[{"op":"add","path":7}]}`, `nonsense`} {
			if a := w.ask("PATCH", "/Users/"+id, body); a.status != 400 {
				t.Errorf("%s: %d", body, a.status)
			}
		}
		if w.want(200, "GET", "/Users/"+id, "").header.Get("ETag") != before {
			t.Error("a refused PATCH changed something")
		}
		w.refused(400, "mutability", "PATCH", "/Users/"+id, op(`{"op":"remove","path":"userName"}`))
		a := w.want(200, "PATCH", "/Users/"+id, op(`{"op":"add","path":"phoneNumbers","value":[{"value":"1","type":"home"},{"value":"2","type":"work"}]}`,
			`{"op":"remove","path":"phoneNumbers[type eq \"work\"]"}`, `{"op":"remove","path":"externalId"}`))
		if why := holds("", a.body, map[string]any{"phoneNumbers": []any{map[string]any{"value": "1"}}, "externalId": nil}); why != "" {
			t.Error(why)
		}
	})
}

// Vectors of what a directory must not reach.
func TestProtectedPrincipals(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id, root := w.user("ana"), string(w.root)
		off := op(`{"op":"replace","path":"active","value":false}`)
		inviters, desk, home := "/Groups/"+string(w.groups["Inviters"]), "/Groups/"+string(w.groups["Help desk"]), "/Groups/"+string(w.groups["No Permissions"])
		everything := w.want(200, "GET", "/Groups?filter="+url.QueryEscape(`members eq "`+root+`"`), "").body["Resources"].([]any)[0].(map[string]any)["id"].(string)
		member := func(verb, who string) string {
			return op(`{"op":"` + verb + `","path":"members","value":[{"value":"` + who + `"}]}`)
		}
		for _, one := range [][3]string{
			{"PATCH", "/Users/" + root, off},
			{"PUT", "/Users/" + root, `{"userName":"root@cedar.example","name":{"givenName":"Eve","familyName":"Example"}}`},
			{"DELETE", "/Users/" + root, ""},
			{"PATCH", "/Groups/" + everything, member("add", id)},
			{"PATCH", "/Groups/" + everything, member("remove", root)},
			{"PATCH", "/Groups/" + everything, op(`{"op":"replace","path":"displayName","value":"Nobody"}`)},
			{"DELETE", "/Groups/" + everything, ""},
			{"PATCH", inviters, member("add", id)},
			{"DELETE", inviters, ""},
			{"PATCH", desk, member("add", root)},
		} {
			if detail := w.refused(403, "", one[0], one[1], one[2]); !strings.Contains(detail, "beyond the directory’s reach") {
				t.Errorf("%s %s: %s", one[0], one[1], detail)
			}
		}
		// The last group cannot be taken, nor the group where people begin.
		w.want(409, "PATCH", home, member("remove", id))
		w.want(409, "DELETE", home, "")
		w.want(200, "PATCH", desk, member("add", id))
		w.want(200, "PATCH", home, member("remove", id))
		w.want(204, "DELETE", desk, "")
		a := w.want(200, "GET", "/Users/"+id+"?attributes=groups", "")
		if why := holds("", a.body, map[string]any{"groups": []any{map[string]any{"display": "No Permissions"}}}); why != "" {
			t.Errorf("whose group was deleted: %s", why)
		}
		w.refused(400, "invalidValue", "PATCH", home, member("add", "stf_nobody"))
		w.refused(409, "uniqueness", "POST", "/Groups", `{"displayName":"inviters"}`)
		w.refused(400, "invalidValue", "POST", "/Groups", `{"displayName":" "}`)
		w.refused(400, "invalidValue", "POST", "/Users", `{"userName":"a b","active":"perhaps","name":{"givenName":7},"timezone":"Mars/Olympus"}`)
		w.want(404, "PATCH", "/Users/stf_nobody", off)
		w.want(404, "GET", "/Groups/grp_nobody", "")
	})
}

func TestOnlyDirectoriesOfTheInstitution(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		directory := w.key
		w.must(w.d.Write(t.Context(), func(tx *db.Tx) error {
			return usermgmt.CreateInstitution(tx, usermgmt.Institution{ID: "other", Name: "Other", TimeZone: "America/Chicago"})
		}))
		elsewhere := operator
		elsewhere.Institution = "other"
		_, foreign, err := w.clients.Create(t.Context(), elsewhere, client.Draft{Name: "Elsewhere"})
		w.must(err)
		_, plain, err := w.clients.Create(t.Context(), operator, client.Draft{Name: "A program that asks"})
		w.must(err)
		for key, want := range map[string]int{"": 401, "mk_nonsense": 401, foreign.Reveal(): 403, plain.Reveal(): 403} {
			w.key = key
			for _, path := range []string{"/Users", "/Groups", "/Users/" + string(w.root)} {
				if a := w.ask("GET", path, ""); a.status != want {
					t.Errorf("GET %s: %d, want %d", path, a.status, want)
				}
			}
			if a := w.ask("POST", "/Users", `{"userName":"eve@cedar.example"}`); a.status != want || a.body["schemas"] == nil {
				t.Errorf("POST: %d %v, want %d", a.status, a.body, want)
			}
		}
		w.key = directory
		all, err := w.rooms.Directories(t.Context(), operator)
		w.must(err)
		w.must(w.rooms.Disconnect(t.Context(), operator, all[0].Client))
		w.want(401, "GET", "/Users", "")
		if all, err = w.rooms.Directories(t.Context(), operator); err != nil || len(all) != 0 {
			t.Errorf("directories are %v, %v", all, err)
		}
	})
}

// Whoever connects a directory gives it no more than they hold.
func TestReachIsTheCallersOwn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.group("Programs", catalog.StaffExternalAppsManage)
		id := bank.StaffID(w.user("ana"))
		user, err := w.staff.User(t.Context(), operator, id)
		w.must(err)
		w.must(w.staff.SetGroups(t.Context(), operator, id, user.Version, []bank.GroupID{w.groups["Programs"]}))
		w.must(w.d.Write(t.Context(), func(tx *db.Tx) error {
			_, err := tx.Exec(`update staff_user set status = $1 where id = $2`, bank.StatusActive, id)
			return err
		}))
		ana := bank.Caller{Kind: bank.ActorStaff, ID: string(id), Name: "Ana", Institution: cedar, Channel: bank.ChannelPeople}
		if _, _, err := w.rooms.Connect(t.Context(), ana, staff.DirectoryDraft{Name: "Mine", Home: w.groups["Help desk"]}); err == nil || !strings.Contains(err.Error(), "View everything") {
			t.Errorf("connected a directory that gives more than its maker has: %v", err)
		}
		if _, _, err := w.rooms.Connect(t.Context(), ana, staff.DirectoryDraft{Home: "grp_none"}); err == nil || !strings.Contains(err.Error(), "name") || !strings.Contains(err.Error(), "home") {
			t.Errorf("not all problems at once: %v", err)
		}
	})
}

func TestWhoIsSwitchedOffCanDoNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		id := w.user("ana")
		invited := len(w.mails)
		w.want(200, "PATCH", "/Users/"+id, op(`{"op":"replace","path":"active","value":false}`))
		user, err := w.staff.User(t.Context(), operator, bank.StaffID(id))
		w.must(err)
		if user.Status != bank.StatusDisabled {
			t.Errorf("the status is %s", user.Status)
		}
		w.want(200, "PATCH", "/Users/"+id, op(`{"op":"replace","path":"active","value":true}`))
		if user, err = w.staff.User(t.Context(), operator, bank.StaffID(id)); err != nil || user.Status != bank.StatusPending || len(w.mails) != invited+1 {
			t.Errorf("back on: %v, %s, %d mails", err, user.Status, len(w.mails)-invited)
		}
		var events []string
		w.must(w.d.Read(t.Context(), func(tx *db.Tx) error {
			feed, err := activity.Feed(tx, activity.Filter{Institution: cedar})
			for _, e := range feed {
				if e.Target.ID == id {
					events = append(events, e.Name+" by "+e.Actor.Name+" "+string(e.Channel))
				}
			}
			return err
		}))
		want := []string{"staff.reactivated by Cedar directory scim", "staff.deactivated by Cedar directory scim", "staff.invited by Cedar directory scim"}
		if !slices.Equal(events, want) {
			t.Errorf("history: %q, want %q", events, want)
		}
	})
}

func TestConcurrentMembershipsAreAllKept(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 12 {
			ids = append(ids, w.user(fmt.Sprintf("u%d", i)))
		}
		desk := "/Groups/" + string(w.groups["Help desk"])
		var wait sync.WaitGroup
		for _, id := range ids {
			wait.Go(func() {
				if a := w.ask("PATCH", desk, op(`{"op":"add","path":"members","value":[{"value":"`+id+`"}]}`)); a.status != 200 {
					t.Errorf("add %s: %d %v", id, a.status, a.body)
				}
			})
		}
		wait.Wait()
		if members, _ := w.want(200, "GET", desk, "").body["members"].([]any); len(members) != len(ids) {
			t.Errorf("%d of %d are members", len(members), len(ids))
		}
	})
}

func TestDescriptions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		config := w.want(200, "GET", "/ServiceProviderConfig", "").body
		for _, feature := range []string{"patch", "bulk", "filter", "sort", "etag"} {
			if config[feature].(map[string]any)["supported"] != true {
				t.Errorf("%s is not told", feature)
			}
		}
		for _, path := range []string{"/ResourceTypes", "/Schemas"} {
			all := w.want(200, "GET", path, "").body["Resources"].([]any)
			for _, one := range all {
				id := one.(map[string]any)["id"].(string)
				if got := w.want(200, "GET", path+"/"+id, "").body["id"]; got != id {
					t.Errorf("%s/%s is %v", path, id, got)
				}
			}
			if len(all) != 2 {
				t.Errorf("%s has %d", path, len(all))
			}
			w.want(404, "GET", path+"/Nothing", "")
			w.want(403, "GET", path+"?filter="+url.QueryEscape(`id pr`), "")
		}
	})
}

func TestLargeDirectoriesArePagedThrough(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const many = 250
		steps := make([]string, many)
		for i := range steps {
			steps[i] = fmt.Sprintf(`{"method":"POST","path":"/Users","bulkId":"u%d","data":{"userName":"u%03d@cedar.example","active":false}}`, i, i)
		}
		w.want(200, "POST", "/Bulk", `{"Operations":[`+strings.Join(steps, ",")+`]}`)
		seen := map[string]bool{}
		for start := 1; start <= many+1; start += 100 {
			for _, name := range names(w.want(200, "GET", fmt.Sprintf("/Users?startIndex=%d&count=100", start), "")) {
				seen[name] = true
			}
		}
		if len(seen) != many+1 {
			t.Errorf("paging saw %d of %d", len(seen), many+1)
		}
	})
}

func FuzzPatch(f *testing.F) {
	f.Add(`{"Operations":[{"op":"replace","path":"emails[type eq \"work\"].value","value":"a@b.example"}]}`)
	f.Add(`{"Operations":[{"op":"add","value":{"name.givenName":"x","members":[1,null,{"value":{}}],"phoneNumbers":"3"}}]}`)
	f.Add(`{"Operations":[{"op":"remove","path":"phoneNumbers[not (type eq true)]","value":[[]]},{"op":"add","path":"name","value":7}]}`)
	f.Add(`{"Operations":[{"op":"replace","path":"phoneNumbers[value eq 1 and TYPE eq null].primary","value":"TRUE"}]}`)
	f.Fuzz(func(t *testing.T, body string) { scim.TryPatch(t, body) })
}

// The deepest filters and paths that are read at all are read in no time: a
// parser that tries each nesting twice would never come back from them.
func TestDeepFiltersAreReadInNoTime(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		began := time.Now()
		for _, filter := range []string{
			strings.Repeat("(", 1990) + "id pr" + strings.Repeat(")", 1990),
			strings.Repeat("(", 3990) + "id pr",
			strings.Repeat("not (", 660) + "id pr" + strings.Repeat(")", 660),
			strings.Repeat("id pr and (", 300) + "id pr" + strings.Repeat(")", 300),
			strings.Repeat("emails[", 500) + "value pr" + strings.Repeat("]", 500),
		} {
			if got := w.ask("GET", "/Users?filter="+url.QueryEscape(filter), ""); got.status != 200 && got.status != 400 {
				t.Errorf("%.20s: %d", filter, got.status)
			}
		}
		long := `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[{"op":"remove","path":"members[value eq \"` + strings.Repeat("(", 100_000) + `\"]"}]}`
		w.want(400, "PATCH", "/Groups/"+string(w.groups["Help desk"]), long)
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %s", took)
		}
	})
}

func FuzzFilter(f *testing.F) {
	f.Add(`userName eq "a" and not (emails[type sw "w" or primary eq false] or meta.created gt 7)`)
	f.Add(`groups.value pr or active ne "x"`)
	f.Fuzz(func(t *testing.T, filter string) { scim.TryFilter(t, filter) })
}
