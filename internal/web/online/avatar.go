package online

import (
	"errors"
	"io"
	"net/http"
	"strconv"

	"mandate/internal/catalog"
	"mandate/internal/fault"
	"mandate/internal/usermgmt"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
	"mandate/internal/web/ui"
)

// maxUpload bounds a form with a picture: the picture and what is around it.
const maxUpload = usermgmt.MaxPicture + 1<<16

type picturePage struct {
	Shell    ui.Shell
	Name     string
	Picture  string
	Action   string
	Remove   string
	Cancel   string
	Problem  string
	Problems []fault.Problem
}

// picture is somebody's picture. A browser may keep it as long as it likes: the
// address changes with the picture.
//
// GET /{institution}/settings/users/{user}/picture
func (a *app) picture(w http.ResponseWriter, r *http.Request) error {
	avatar, err := a.users.Avatar(r.Context(), web.CallerOf(r.Context()), person(r))
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("ETag", strconv.Quote(avatar.ETag))
	h.Set("Cache-Control", "private, max-age=86400")
	if r.Header.Get("If-None-Match") == strconv.Quote(avatar.ETag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(avatar.JPEG)))
	_, err = w.Write(avatar.JPEG)
	return err
}

// GET /{institution}/profile/picture
func (a *app) ownPicture(w http.ResponseWriter, r *http.Request) error {
	return a.renderPicture(w, r, http.StatusOK, "")
}

func (a *app) renderPicture(w http.ResponseWriter, r *http.Request, status int, problem string) error {
	me, err := a.me(r)
	if err != nil {
		return err
	}
	b := baseFor(me.Institution.ID)
	page := picturePage{Shell: a.shell(r, me, "Your picture", ui.Link{Label: "Your profile", Href: b.profile()}), Name: me.Member.Name(),
		Picture: b.avatar(me.Member), Action: b.ownAvatar(), Remove: b.ownAvatar() + "/remove", Cancel: b.profile(), Problem: problem}
	if problem != "" {
		page.Problems = []fault.Problem{{Field: "picture", Sentence: problem}}
	}
	page.Shell.Narrow = true
	return web.Render(w, r, status, pictureView(page))
}

// POST /{institution}/profile/picture
func (a *app) setPicture(w http.ResponseWriter, r *http.Request) error {
	file, err := uploaded(r, "picture")
	if err == nil {
		err = a.users.SetAvatar(r.Context(), web.CallerOf(r.Context()), file)
	}
	if fault.KindOf(err) == fault.Invalid {
		return a.renderPicture(w, r, http.StatusUnprocessableEntity, web.SentenceOf(err))
	}
	return settled(w, r, err, "Picture saved", baseOf(r).profile())
}

// uploaded is a file of a form.
func uploaded(r *http.Request, name string) ([]byte, error) {
	file, _, err := r.FormFile(name)
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, fault.New(fault.Invalid, "Choose a picture first.")
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, maxUpload))
	if err == nil && len(content) == 0 {
		return nil, fault.New(fault.Invalid, "Choose a picture first.")
	}
	return content, err
}

// POST /{institution}/profile/picture/remove
func (a *app) removeOwnPicture(w http.ResponseWriter, r *http.Request) error {
	caller := web.CallerOf(r.Context())
	err := a.users.RemoveAvatar(r.Context(), caller, usermgmt.Person{Organization: caller.Organization, User: caller.Member()})
	return settled(w, r, err, "Picture removed", baseOf(r).profile())
}

// GET /{institution}/settings/users/{user}/picture/remove
func (a *app) askRemovePicture(w http.ResponseWriter, r *http.Request) error {
	me, profile, err := a.about(r, catalog.EditProfile)
	if err != nil {
		return err
	}
	m := profile.Member
	return a.question(w, r, http.StatusOK, me, m, ui.Confirmation{
		Title: "Remove picture", Text: "Initials take the place of the picture of " + m.Name() + ". They can upload another one.",
		Action: baseOf(r).user(m.ID) + "/picture/remove", Confirm: ui.Action{Label: "Remove picture", Variant: ui.Primary},
	}, nil)
}

// POST /{institution}/settings/users/{user}/picture/remove
func (a *app) removePicture(w http.ResponseWriter, r *http.Request) error {
	err := a.users.RemoveAvatar(r.Context(), web.CallerOf(r.Context()), person(r))
	return settled(w, r, err, "Picture removed", baseOf(r).user(person(r).User))
}

// pictureAt is the address of somebody's picture, for a page of this path.
func pictureAt(path string, m usermgmt.Member) string {
	return base(entrance.BaseOfPath(path)).avatar(m)
}
