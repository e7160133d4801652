package reference

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

const (
	bank        = "bank"
	creditUnion = "credit_union"

	levelRequest      = "request"
	levelInstitution  = "institution"
	levelOrganization = "organization"
	levelOrgAccount   = "organization_account"
	levelUser         = "organization_user"
	levelUserAccount  = "organization_user_account"
)

// A permission is one line of the catalogue.
type permission struct {
	ID          string        `json:"id"`
	Entitlement string        `json:"entitlement"`
	Type        string        `json:"type"`
	Levels      []string      `json:"levels"`
	Requires    []requirement `json:"requires"`
	Editions    []string      `json:"editions"`
	Choices     []string      `json:"choices"` // the highest first
	Restricts   bool          `json:"restricts"`
}

// A requirement says that a permission must be on, or a limit positive.
type requirement struct {
	Permission string `json:"permission"`
	Is         string `json:"is"`
}

// An operation is something that can be asked about.
type operation struct {
	ID            string            `json:"id"`
	Permissions   []string          `json:"permissions"`
	InCreditUnion []string          `json:"permissions_credit_union"`
	Account       string            `json:"account"`
	Limits        []string          `json:"limits"`
	Context       map[string]string `json:"context"`
}

var (
	//go:embed data/catalogue.json
	catalogueJSON []byte
	//go:embed data/operations.json
	operationsJSON []byte

	// As in the files, in their order.
	cataloguePermissions, entitlementEditions, rolePowers = readCatalogue()
	operationList                                         = readOperations()

	permissions = byID(cataloguePermissions, func(p permission) string { return p.ID })
	operations  = byID(operationList, func(op operation) string { return op.ID })
)

func readCatalogue() (list []permission, editions, powers map[string][]string) {
	var file struct {
		Entitlements []struct {
			ID       string   `json:"id"`
			Editions []string `json:"editions"`
		} `json:"entitlements"`
		Permissions []permission        `json:"permissions"`
		RolePowers  map[string][]string `json:"role_powers"`
	}
	mustRead(catalogueJSON, &file)
	editions = map[string][]string{}
	for _, e := range file.Entitlements {
		editions[e.ID] = e.Editions
	}
	return file.Permissions, editions, file.RolePowers
}

func readOperations() []operation {
	var file struct {
		Operations []operation `json:"operations"`
	}
	mustRead(operationsJSON, &file)
	return file.Operations
}

func byID[T any](list []T, id func(T) string) map[string]T {
	out := map[string]T{}
	for _, one := range list {
		out[id(one)] = one
	}
	return out
}

// mustRead panics on data that was embedded broken: only a programmer can cause that.
func mustRead(data []byte, into any) {
	if err := json.Unmarshal(data, into); err != nil {
		panic(fmt.Sprintf("reference: embedded data: %v", err))
	}
}

func (p permission) isLimit() bool  { return p.Type == "money" || p.Type == "whole_dollar" }
func (p permission) isSwitch() bool { return p.Type == "switch" }
func (p permission) isChoice() bool { return p.Type == "choice" }

// inEdition says whether the permission exists in the institution's edition (§1).
func (r *Runner) inEdition(id string) bool {
	return slices.Contains(permissions[id].Editions, r.world.Institution.Edition)
}

// exists says whether the permission exists at the level in the edition (§1).
func (r *Runner) exists(id, level string) bool {
	return r.inEdition(id) && existsAt(id, level)
}

func existsAt(id, level string) bool {
	return slices.Contains(permissions[id].Levels, level)
}

// entitlementInEdition says whether the edition has the entitlement (§2, INSTITUTION_OFF).
func (r *Runner) entitlementInEdition(entitlement string) bool {
	return slices.Contains(entitlementEditions[entitlement], r.world.Institution.Edition)
}

// replaced gives a requirement as the edition has it: what the edition lacks
// is replaced by what that requires itself (§1).
func (r *Runner) replaced(need requirement) []requirement {
	if r.inEdition(need.Permission) {
		return []requirement{need}
	}
	var out []requirement
	if !r.holds("1: what the edition lacks is replaced by what it requires") {
		return out
	}
	for _, next := range permissions[need.Permission].Requires {
		out = append(out, r.replaced(next)...)
	}
	return out
}

// requires gives what a permission needs directly, as the edition has it.
func (r *Runner) requires(id string) []requirement {
	var out []requirement
	for _, need := range permissions[id].Requires {
		for _, have := range r.replaced(need) {
			if !slices.Contains(out, have) {
				out = append(out, have)
			}
		}
	}
	return out
}

// permissionsOf gives the permissions an operation names in the edition, each
// as "id" or, for a choice, "id=choice" (§2).
func (r *Runner) permissionsOf(op operation) []string {
	if r.world.Institution.Edition == creditUnion && op.InCreditUnion != nil && r.holds("2: permissions_credit_union replaces") {
		return op.InCreditUnion
	}
	return op.Permissions
}

// entitlementOf gives the entitlement an operation belongs to, or "" for none.
func entitlementOf(op operation) string {
	id, _, _ := strings.Cut(op.Permissions[0], "=")
	return permissions[id].Entitlement
}
