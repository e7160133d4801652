package scim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"mandate/internal/fault"
)

// A step is one operation of a bulk request (RFC 7644, section 3.7).
type step struct {
	method, path, bulkID, version string
	data                          map[string]any
}

type stepBody struct {
	Method   string `json:"method"`
	BulkID   string `json:"bulkId,omitempty"`
	Version  string `json:"version,omitempty"`
	Location string `json:"location,omitempty"`
	Status   string `json:"status"`
	Response any    `json:"response,omitempty"`
}

const bulkPrefix = "bulkId:"

// bulk does the operations of a request one by one, each all or nothing. One that
// names another by its bulkId waits until that one is done.
func (e *Edge) bulk(r request) (answer, error) {
	steps, failOn, err := readBulk(r.body)
	if err != nil {
		return answer{}, err
	}
	b := bulker{e, r, failOn, map[string]string{}, make([]*stepBody, len(steps)), 0}
	var waiting []*numbered
	for _, s := range steps {
		if waiting = b.try(append(waiting, s)); b.stopped() {
			break
		}
	}
	for _, s := range waiting { // for one that failed, or for each other
		if !b.stopped() {
			b.fail(s, fault.New(fault.Conflict, "The operation names a bulkId that was not made.").With(invalidValue))
		}
	}
	done := []*stepBody{}
	for _, one := range b.done {
		if one != nil {
			done = append(done, one)
		}
	}
	return answer{status: http.StatusOK, body: map[string]any{"schemas": []string{urnBulked}, "Operations": done}}, nil
}

type numbered struct {
	step
	at int
}

func readBulk(body map[string]any) (steps []*numbered, failOn int, err error) {
	in := reader{from: body}
	failOn = in.whole("failOnErrors", 0)
	list, ok := member(body, "Operations").([]any)
	if !ok {
		in.problems.Add("Operations", "It must be a list.")
	}
	if len(list) > maxOperations {
		return nil, 0, fault.Newf(fault.Invalid, "There are %d operations. The most is %d.", len(list), maxOperations).With(tooMany)
	}
	for i, one := range list {
		object, _ := one.(map[string]any)
		o := reader{from: object, within: "Operations[" + strconv.Itoa(i) + "]"}
		s := step{method: strings.ToUpper(o.text("method")), path: o.text("path"), bulkID: o.text("bulkId"), version: o.text("version")}
		s.data, _ = object["data"].(map[string]any)
		if s.method == http.MethodPost && s.bulkID == "" {
			o.problems.Add(o.path("bulkId"), "A POST must have one.")
		}
		in.problems = append(in.problems, o.problems...)
		steps = append(steps, &numbered{s, i})
	}
	return steps, failOn, in.problems.Err("Nothing was done.")
}

type bulker struct {
	edge   *Edge
	r      request
	failOn int
	made   map[string]string // ids by bulkId
	done   []*stepBody
	failed int
}

func (b *bulker) stopped() bool { return b.failOn > 0 && b.failed >= b.failOn }

// try does what can be done, until nothing more can, and returns the rest.
func (b *bulker) try(steps []*numbered) []*numbered {
	for i := 0; i < len(steps) && !b.stopped(); i++ {
		if b.ready(steps[i]) {
			b.do(steps[i])
			steps = slices.Delete(steps, i, i+1)
			i = -1 // one before may have waited for it
		}
	}
	return steps
}

// ready puts the ids of what was made in place of bulkIds, if all were made.
func (b *bulker) ready(s *numbered) bool {
	whole := true
	s.path, s.data = b.resolve(s.path, &whole).(string), b.resolve(s.data, &whole).(map[string]any)
	return whole
}

func (b *bulker) resolve(value any, whole *bool) any {
	switch value := value.(type) {
	case string:
		at := strings.Index(value, bulkPrefix)
		if at < 0 {
			return value
		}
		id, ok := b.made[value[at+len(bulkPrefix):]]
		if !ok {
			*whole = false
			return value
		}
		return value[:at] + id
	case map[string]any:
		for name, v := range value {
			value[name] = b.resolve(v, whole)
		}
	case []any:
		for i, v := range value {
			value[i] = b.resolve(v, whole)
		}
	}
	return value
}

func (b *bulker) do(s *numbered) {
	one := b.r
	one.method, one.ifMatch, one.body, one.query = s.method, s.version, s.data, query{}.bounded()
	path := strings.Trim(s.path, "/")
	one.kind = kindOf(path)
	_, one.id, _ = strings.Cut(path, "/")
	if one.kind == nil || one.method == http.MethodGet || strings.Contains(one.id, "/") {
		b.fail(s, fault.New(fault.Invalid, "An operation is a POST, PUT, PATCH or DELETE of a user or a group.").With(invalidPath))
		return
	}
	a, err := b.edge.resource(one)
	if err != nil {
		b.fail(s, err)
		return
	}
	if s.method == http.MethodPost {
		_, id, _ := strings.Cut(strings.TrimPrefix(a.location, b.r.base+"/"), "/")
		b.made[s.bulkID] = id
	}
	location := a.location
	if location == "" {
		location = b.r.base + "/" + path
	}
	b.done[s.at] = &stepBody{Method: s.method, BulkID: s.bulkID, Version: a.version, Location: location, Status: strconv.Itoa(a.status)}
}

func (b *bulker) fail(s *numbered, err error) {
	b.failed++
	status, _, f := b.edge.Gate.Judge(b.r.ctx, err)
	body := errorOf(status, f)
	b.done[s.at] = &stepBody{Method: s.method, BulkID: s.bulkID, Status: body.Status, Response: body}
	if s.method != http.MethodPost {
		b.done[s.at].Location = b.r.base + "/" + strings.Trim(s.path, "/")
	}
}
