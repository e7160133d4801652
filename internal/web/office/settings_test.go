package office_test

import (
	"encoding/json"
	"testing"

	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/web/office"
)

func TestReadSettings(t *testing.T) {
	good := office.InstitutionSettings{ID: "cedar", Name: "Cedar Bank", Edition: "bank", TimeZone: "America/New_York", Online: "https://online.example", API: "https://api.example", APIKey: "mk_1",
		Issuer: "https://console.example/cedar", ClientID: "app_1", ClientSecret: "secret"}
	read := func(all ...office.InstitutionSettings) ([]office.House, error) {
		text, err := json.Marshal(office.Settings{Institutions: all})
		if err != nil {
			t.Fatal(err)
		}
		return office.ReadSettings(text)
	}
	houses, err := read(good)
	if err != nil || len(houses) != 1 || houses[0].Edition != bank.EditionBank || houses[0].Place.String() != "America/New_York" {
		t.Errorf("read %+v, %v", houses, err)
	}
	bad := good
	bad.Edition, bad.TimeZone, bad.APIKey = "shop", "Nowhere/Else", ""
	if _, err := read(good, bad); len(fault.ProblemsOf(err)) != 3 || fault.ProblemsOf(err)[0].Field != "institutions[1].api_key" {
		t.Errorf("problems of %v", err)
	}
	for name, text := range map[string]string{"nobody": `{}`, "unknown": `{"shop": 1}`, "no JSON": `x`} {
		if _, err := office.ReadSettings([]byte(text)); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
