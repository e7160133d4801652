package office

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"mandate/internal/bank"
	"mandate/internal/fault"
)

// Settings say of which institutions there are screens, and how those reach the
// product. They hold secrets.
type Settings struct {
	Institutions []InstitutionSettings `json:"institutions"`
}

// InstitutionSettings are those of one institution.
type InstitutionSettings struct {
	ID           bank.InstitutionID `json:"id"`
	Name         string             `json:"name"`
	Accent       string             `json:"accent,omitempty"` // a colour such as #1f5f5b
	Edition      string             `json:"edition"`          // bank or credit_union
	TimeZone     string             `json:"time_zone"`        // such as America/New_York
	Online       string             `json:"online"`           // where browsers find Online
	API          string             `json:"api"`              // where the product's API is
	APIKey       string             `json:"api_key"`          // of a client made with --host
	Issuer       string             `json:"issuer"`           // who signs the staff in
	ClientID     string             `json:"client_id"`        // of BackOffice there
	ClientSecret string             `json:"client_secret"`
}

// ReadSettings reads settings from JSON, and names everything that is wrong.
func ReadSettings(text []byte) ([]House, error) {
	var s Settings
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("read the settings of BackOffice and Classic: %w", err)
	}
	var problems fault.Problems
	var houses []House
	for i, one := range s.Institutions {
		houses = append(houses, one.house(&problems, fmt.Sprintf("institutions[%d].", i)))
	}
	if len(houses) == 0 {
		problems.Add("institutions", "Name at least one institution.")
	}
	return houses, problems.Err("The settings of BackOffice and Classic are not usable.")
}

func (s InstitutionSettings) house(problems *fault.Problems, at string) House {
	for _, needed := range [][2]string{{"id", string(s.ID)}, {"name", s.Name}, {"online", s.Online}, {"api", s.API}, {"api_key", s.APIKey}, {"issuer", s.Issuer}, {"client_id", s.ClientID}, {"client_secret", s.ClientSecret}} {
		if needed[1] == "" {
			problems.Add(at+needed[0], "This is needed.")
		}
	}
	edition, err := bank.ParseEdition(s.Edition)
	if err != nil {
		problems.Add(at+"edition", "Write bank or credit_union.")
	}
	place, err := time.LoadLocation(s.TimeZone)
	if err != nil || s.TimeZone == "" {
		problems.Add(at+"time_zone", "Write a time zone such as America/New_York.")
		place = time.UTC
	}
	return House{ID: s.ID, Name: s.Name, Accent: s.Accent, Edition: edition, Place: place, Online: s.Online,
		Staff: Provider{Issuer: s.Issuer, ClientID: s.ClientID, Secret: s.ClientSecret}, Product: API{Origin: s.API, Key: s.APIKey}}
}
