package authzen

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// metadataBody says where the endpoints are. What is not offered is absent.
type metadataBody struct {
	DecisionPoint  string `json:"policy_decision_point"`
	Evaluation     string `json:"access_evaluation_endpoint"`
	Evaluations    string `json:"access_evaluations_endpoint"`
	SearchSubject  string `json:"search_subject_endpoint,omitempty"`
	SearchResource string `json:"search_resource_endpoint,omitempty"`
	SearchAction   string `json:"search_action_endpoint,omitempty"`
	AccessRequest  string `json:"access_request_endpoint,omitempty"`

	Capabilities []string `json:"capabilities,omitempty"`
	Obligations  []string `json:"supported_obligations,omitempty"`
}

// GET /.well-known/authzen-configuration
func (e *Edge) metadata(w http.ResponseWriter, _ *http.Request) error {
	return e.writeMetadata(w, e.Origin)
}

// GET /.well-known/authzen-configuration/{institution}
//
// The decision point of an institution has its own address, because that is
// under which it was found. The endpoints are the same for all: the caller's
// key says which institution it is about.
func (e *Edge) institutionMetadata(w http.ResponseWriter, r *http.Request) error {
	institution := bank.InstitutionID(r.PathValue("institution"))
	known := false
	if strings.IndexByte(string(institution), 0) < 0 && utf8.ValidString(string(institution)) {
		var err error
		if known, err = e.HasInstitution(r.Context(), institution); err != nil {
			return err
		}
	}
	if !known {
		return fault.New(fault.NotFound, "There is no such institution here.")
	}
	return e.writeMetadata(w, e.Origin+"/"+url.PathEscape(string(institution)))
}

func (e *Edge) writeMetadata(w http.ResponseWriter, decisionPoint string) error {
	body := metadataBody{
		DecisionPoint: decisionPoint,
		Evaluation:    e.Origin + evaluationPath,
		Evaluations:   e.Origin + evaluationsPath,
	}
	if _, ok := e.Decider.(Searcher); ok {
		body.SearchSubject = e.Origin + searchPath(Subjects)
		body.SearchResource = e.Origin + searchPath(Resources)
		body.SearchAction = e.Origin + searchPath(Actions)
	}
	if _, ok := e.requester(); ok {
		body.AccessRequest = e.Origin + RequestPath
		body.Capabilities = []string{CapabilityAccessRequest}
	}
	if o, ok := e.Decider.(Obliger); ok && o.Obliges() {
		body.Obligations = []string{ObligationStepUp}
	}
	return writeJSON(w, body)
}
