package online

import (
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"strings"
	"time"

	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/moneymovement/ach"
	"mandate/internal/web"
	"mandate/internal/web/ui"
)

// readSoon is how long somebody waits for a file before they are shown how far
// it is: most are read by then.
const readSoon = 2 * time.Second

type uploadPage struct {
	Shell      ui.Shell
	Save       string
	Cancel     string
	Form       *web.Form
	File       ui.Field
	Name       ui.Field
	Category   *ui.Field
	Categories []ui.Option
	Restricted *ui.Field
	Blocked    []blocker
	Why        string
}

// GET /{institution}/ach/upload
func (a *app) uploadForm(w http.ResponseWriter, r *http.Request) error {
	return a.renderUpload(w, r, web.NewForm(nil))
}

func (a *app) renderUpload(w http.ResponseWriter, r *http.Request, f *web.Form) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	choices, err := a.money.ACH.Choices(r.Context(), web.CallerOf(r.Context()))
	if err != nil {
		return err
	}
	page := uploadPage{Shell: a.shell(r, v.me, "Upload NACHA file", v.achCrumbs()...), Save: v.base.achUpload(), Cancel: v.base.ach(), Form: f,
		File: f.Field("file", "File"), Name: f.Field("name", "Batch name")}
	page.Shell.Narrow = true
	if !choices.Upload.Allowed {
		page.Blocked, page.Why = v.blockers(choices.Upload), v.whyBatch(catalog.ACHFileUpload)
		return web.Render(w, r, http.StatusForbidden, uploadView(page))
	}
	page.File.Help = fmt.Sprintf("In NACHA format, .ach or .txt, at most %d MiB. Its companies must be yours.", ach.MaxFile>>20)
	page.Name.Optional, page.Name.Max, page.Name.Help = true, ach.MaxBatchName, "Leave it empty to take the company and the description from the file."
	form := batchFormPage{Form: f}
	form.headFields(&choices)
	page.Category, page.Categories, page.Restricted = form.Category, form.Categories, form.Restricted
	return web.Render(w, r, f.Status(), uploadView(page))
}

// chosenFile is the file of a form, with a name that may be one.
func chosenFile(r *http.Request, f *web.Form, endings ...string) (multipart.File, bool, error) {
	file, head, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) || err == nil && head.Size == 0 {
		f.Wrong("file", "Choose a file first.")
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, ending := range endings {
		if strings.HasSuffix(strings.ToLower(head.Filename), ending) {
			return file, true, nil
		}
	}
	f.Wrong("file", "Choose a file that ends in "+strings.Join(endings, " or ")+".")
	return nil, false, file.Close()
}

// POST /{institution}/ach/upload
func (a *app) uploadFile(w http.ResponseWriter, r *http.Request) error {
	f := web.ReadForm(r)
	u := ach.Upload{Name: f.Text("name", ach.MaxBatchName), Category: ach.CategoryID(f.Raw("category")), Restricted: f.Checked("restricted")}
	file, ok, err := chosenFile(r, f, ".ach", ".txt")
	if err != nil {
		return err
	}
	if !ok || !f.OK() {
		return a.renderUpload(w, r, f)
	}
	defer file.Close()
	u.File = file
	id, done, err := a.money.ACH.BringFile(r.Context(), web.CallerOf(r.Context()), u)
	if err := f.Take(err); err != nil {
		return err
	}
	if !f.OK() {
		return a.renderUpload(w, r, f)
	}
	return a.toFile(w, r, id, done)
}

// toFile shows what became of a file, or how far its reading is.
func (a *app) toFile(w http.ResponseWriter, r *http.Request, id ach.FileID, done <-chan struct{}) error {
	select {
	case <-done:
	case <-r.Context().Done():
	case <-time.After(readSoon):
	}
	http.Redirect(w, r, baseOf(r).achFile(id), http.StatusSeeOther)
	return nil
}

// POST /{institution}/ach/files/{file}/again
func (a *app) uploadAgain(w http.ResponseWriter, r *http.Request) error {
	id := ach.FileID(r.PathValue("file"))
	done, err := a.money.ACH.ReadAgain(r.Context(), web.CallerOf(r.Context()), id)
	if err != nil {
		return err
	}
	return a.toFile(w, r, id, done)
}

type filePage struct {
	Shell    ui.Shell
	Title    string
	Here     string
	Reading  bool
	Read     int // percent
	Note     string
	Refused  *ui.Message
	Again    string
	New      string
	Problems []fileProblem
	Columns  []ui.Column
	More     bool
	Batches  []batchRow
}

type fileProblem struct{ Line, Record, Field, Sentence string }

// GET /{institution}/ach/files/{file}
func (a *app) fileStatus(w http.ResponseWriter, r *http.Request) error {
	v, err := a.moneyView(r)
	if err != nil {
		return err
	}
	in, err := a.money.ACH.File(r.Context(), web.CallerOf(r.Context()), ach.FileID(r.PathValue("file")))
	if err != nil {
		return err
	}
	page := filePage{Shell: a.shell(r, v.me, "Uploaded file", v.achCrumbs()...), Here: v.base.achFile(in.ID), New: v.base.achUpload(), More: in.More,
		Columns: []ui.Column{{Label: "Line"}, {Label: "Record"}, {Label: "Field"}, {Label: "What is wrong"}}}
	switch in.State {
	case ach.FileReading:
		page.Title, page.Reading = "Reading the file", true
		page.Read, page.Note = progressOf(&in)
	case ach.FileRefused:
		page.Title, page.Refused = "The file was not taken", &ui.Message{Tone: ui.Bad, Title: in.Sentence, Text: "Nothing of it was kept."}
		if in.Code == ach.DuplicateFile {
			page.Again = page.Here + "/again"
		}
	default:
		page.Title = "The file was taken"
	}
	for _, p := range in.Problems {
		page.Problems = append(page.Problems, fileProblem{lineNumber(p.Line), p.Record, p.Field, p.Sentence})
	}
	for _, id := range in.Batches {
		d, err := a.money.ACH.Get(r.Context(), web.CallerOf(r.Context()), id)
		if fault.KindOf(err) == fault.NotFound {
			continue // deleted meanwhile
		}
		if err != nil {
			return err
		}
		page.Batches = append(page.Batches, v.batchRow(&d.Batch))
	}
	return web.Render(w, r, http.StatusOK, fileView(page))
}

// progressOf is how far a file is, in percent and in words: half of it is
// reading, and half is storing what was read.
func progressOf(in *ach.Incoming) (percent int, note string) {
	entries := ui.Count(int(in.Entries), "entry", "entries")
	switch {
	case in.Read < in.Size:
		percent = int(50 * in.Read / max(in.Size, 1))
		note = entries + " read so far"
	case in.Stored == 0:
		percent, note = 50, entries+" read; now they are checked"
	default:
		stored := min(in.Stored, in.Entries) // storing may have begun anew
		percent = 50 + int(50*stored/max(in.Entries, 1))
		note = strings.TrimSpace(ui.Count(int(stored), "", "")) + " of " + entries + " are stored"
	}
	return percent, fmt.Sprintf("%s, %d%%", note, percent)
}

func lineNumber(n int) string {
	if n == 0 {
		return "The file"
	}
	return fmt.Sprint(n)
}
