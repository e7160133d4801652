package importer

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/usermgmt"
)

// Format is the version of the files' format, as institution.json names it.
const Format = "import/1"

const maxInstitution = 1 << 20 // bytes of institution.json

var (
	institutionID = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	accentColour  = regexp.MustCompile(`^#[0-9a-f]{6}$`)
)

// institutionDocument is institution.json.
type institutionDocument struct {
	Format   string   `json:"format"`
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Edition  string   `json:"edition"`
	TimeZone string   `json:"time_zone"`
	Offers   []string `json:"offers"`
	Accent   string   `json:"accent"`
}

// readInstitution reads institution.json; nil where something is wrong with it,
// which is reported.
func readInstitution(dir string, r *report) (*institutionReading, error) {
	text, err := readSmall(filepath.Join(dir, fileNames[institutionFile]))
	if errors.Is(err, os.ErrNotExist) {
		r.problem(place{institutionFile, 0, 0}, "", "the file is missing", "a folder with institution.json, organizations, accounts, members and member_accounts")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", fileNames[institutionFile], err)
	}
	var document institutionDocument
	if wrong := decodeStrictly(text, &document); wrong != "" {
		r.problem(place{institutionFile, 1, 0}, "", wrong, `one JSON object like {"format": "import/1", "id": "first-example", "name": "First Example Bank", "edition": "bank", "time_zone": "America/Chicago", "offers": ["ach", "wires"]}`)
		return nil, nil
	}
	d := &institutionReading{text: text, report: r}
	d.result = d.institution(&document)
	if d.wrong > 0 {
		return nil, nil
	}
	return d, nil
}

func readSmall(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(f, maxInstitution))
	return bytes.TrimPrefix(text, []byte(byteOrderMark)), errors.Join(err, f.Close())
}

// decodeStrictly says what is wrong with the text in the words of a person.
func decodeStrictly(text []byte, into any) (wrong string) {
	if !utf8.Valid(text) {
		return "the file is not valid UTF-8"
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return "the file cannot be read: " + strings.TrimPrefix(err.Error(), "json: ")
	}
	if decoder.More() {
		return "something follows the object"
	}
	return ""
}

type institutionReading struct {
	text   []byte
	report *report
	wrong  int
	result usermgmt.Institution
}

// problem names the line on which the field stands.
func (d *institutionReading) problem(field, wrong, right string) {
	d.wrong++
	line := 1
	if at := bytes.Index(d.text, []byte(`"`+field+`"`)); at >= 0 {
		line += bytes.Count(d.text[:at], []byte("\n"))
	}
	d.report.problem(place{institutionFile, line, 0}, field, wrong, right)
}

func (d *institutionReading) institution(document *institutionDocument) (i usermgmt.Institution) {
	if document.Format != Format {
		d.problem("format", fmt.Sprintf("%q is not a format that this program reads", clip(document.Format)), Format)
	}
	if !institutionID.MatchString(document.ID) || len(document.ID) > 40 {
		d.problem("id", fmt.Sprintf("%q cannot be part of an address", clip(document.ID)), "at most 40 small letters, digits and single hyphens, such as first-example")
	}
	name := strings.TrimSpace(document.Name)
	if n := utf8.RuneCountInString(name); n == 0 || n > maxName {
		d.problem("name", fmt.Sprintf("it has %d characters", n), fmt.Sprintf("1 to %d characters", maxName))
	} else if wrong := clean([]byte(name)); wrong != "" {
		d.problem("name", wrong, "printable characters")
	}
	edition, err := bank.ParseEdition(document.Edition)
	if err != nil {
		d.problem("edition", fmt.Sprintf("%q is no edition", clip(document.Edition)), "bank or credit_union")
	}
	if _, err := time.LoadLocation(document.TimeZone); err != nil || document.TimeZone == "" || document.TimeZone == "Local" {
		d.problem("time_zone", fmt.Sprintf("%q is not a time zone", clip(document.TimeZone)), "a name such as America/Chicago")
	}
	if document.Accent != "" && !accentColour.MatchString(document.Accent) {
		d.problem("accent", fmt.Sprintf("%q is not a colour", clip(document.Accent)), "a colour such as #1d4ed8, or none")
	}
	return usermgmt.Institution{
		ID: bank.InstitutionID(document.ID), Name: name, Edition: edition, TimeZone: document.TimeZone,
		Offers: d.offers(document.Offers, edition), Accent: document.Accent,
	}
}

func (d *institutionReading) offers(ids []string, edition bank.Edition) (offers catalog.EntitlementSet) {
	for _, id := range ids {
		e, known := catalog.ParseEntitlement(id)
		switch {
		case !known:
			var all []string
			for _, e := range catalog.Entitlements() {
				all = append(all, e.ID())
			}
			d.problem("offers", fmt.Sprintf("%q is no entitlement", clip(id)), "some of "+strings.Join(all, ", "))
		case !e.In(edition):
			d.report.warning(place{institutionFile, 1, 0}, "offers", fmt.Sprintf("the edition has no %s; it is ignored", id), "an entitlement of the edition")
		default:
			offers = offers.With(e)
		}
	}
	return offers
}
