package scim

import (
	"net/http"

	"mandate/internal/fault"
	"mandate/internal/gate"
)

// serviceProviderConfig says what we can (RFC 7643, section 5).
func (e *Edge) serviceProviderConfig(r request) (answer, error) {
	supported := map[string]any{"supported": true}
	return answer{status: http.StatusOK, body: map[string]any{
		"schemas":        []string{"urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"},
		"patch":          supported,
		"bulk":           map[string]any{"supported": true, "maxOperations": maxOperations, "maxPayloadSize": gate.MaxBody},
		"filter":         map[string]any{"supported": true, "maxResults": maxResults},
		"changePassword": map[string]any{"supported": false},
		"sort":           supported,
		"etag":           supported,
		"authenticationSchemes": []any{map[string]any{"type": "oauthbearertoken", "name": "Bearer token", "primary": true,
			"description": "The key that was shown when the directory was connected."}},
		"meta": map[string]any{"resourceType": "ServiceProviderConfig", "location": r.base + "/ServiceProviderConfig"},
	}}, nil
}

// described is a list of descriptions, or the one of an id.
func described(r request, all map[string]any, order ...string) (answer, error) {
	if r.query.filter != "" {
		return answer{}, fault.New(fault.Forbidden, "Descriptions cannot be filtered.")
	}
	if r.id != "" {
		one, ok := all[r.id]
		if !ok {
			return answer{}, fault.New(fault.NotFound, "There is no such description.")
		}
		return answer{status: http.StatusOK, body: one}, nil
	}
	page := listBody{Schemas: []string{urnList}, Total: len(order), Start: 1, PerPage: len(order)}
	for _, id := range order {
		page.Resources = append(page.Resources, all[id])
	}
	return answer{status: http.StatusOK, body: page}, nil
}

func (e *Edge) resourceTypes(r request) (answer, error) {
	all := map[string]any{}
	var order []string
	for _, k := range kinds {
		order = append(order, k.schema.name)
		all[k.schema.name] = map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:ResourceType"}, "id": k.schema.name, "name": k.schema.name,
			"endpoint": "/" + k.endpoint, "description": k.schema.description, "schema": k.schema.urn, "schemaExtensions": []any{},
			"meta": meta(r.base, "ResourceTypes", "ResourceType", k.schema.name),
		}
	}
	return described(r, all, order...)
}

func (e *Edge) schemas(r request) (answer, error) {
	all := map[string]any{}
	var order []string
	for _, k := range kinds {
		order = append(order, k.schema.urn)
		all[k.schema.urn] = map[string]any{
			"schemas": []string{"urn:ietf:params:scim:schemas:core:2.0:Schema"}, "id": k.schema.urn, "name": k.schema.name,
			"description": k.schema.description, "attributes": k.schema.attributes, "meta": meta(r.base, "Schemas", "Schema", k.schema.urn),
		}
	}
	return described(r, all, order...)
}
