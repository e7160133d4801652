package online_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
)

// drawn is a picture of a colour.
func drawn(width, height int, c color.Color) *image.RGBA {
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		picture.Set(i%width, i/width, c)
	}
	return picture
}

func pngOf(t *testing.T, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, drawn(width, height, color.RGBA{20, 120, 90, 255})); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// upload sends a file as the form of one's picture does.
func (v *visitor) upload(path string, file []byte) answer {
	v.t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("csrf", v.token())
	part, err := form.CreateFormFile("picture", "me.png")
	if err != nil {
		v.t.Fatal(err)
	}
	part.Write(file)
	form.Close()
	r, err := http.NewRequestWithContext(v.t.Context(), "POST", v.w.server.URL+path, &body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Origin", v.w.server.URL)
	return v.do(r)
}

// A picture is checked, drawn anew, shown to admins and viewers, and gone with
// its owner's wish or an admin's.
func TestPictureIsCheckedAndDrawnAnew(t *testing.T) {
	each(t, func(w *world) {
		dana, ana, uma := w.as("dana"), w.as("ana"), w.as("uma")
		const page, picture = "/cedar/profile/picture", "/cedar/settings/users/usr_dana/picture"
		dana.get(page).says(t, "Your picture", "PNG or JPEG")
		for name, file := range map[string][]byte{
			"nothing": nil, "text": []byte("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"),
			"half a picture": pngOf(t, 300, 300)[:200], "a bomb": bomb(),
		} {
			if got := dana.upload(page, file); got.status != http.StatusUnprocessableEntity {
				t.Errorf("%s: %d %s", name, got.status, got.text())
			}
		}
		dana.get(picture).is(t, 404)
		dana.upload(page, append(pngOf(t, 700, 400), []byte("<script>behind the picture</script>")...)).says(t, "Picture saved")
		for _, v := range []*visitor{dana, ana, w.as("vera")} {
			got := v.get(picture)
			got.is(t, 200)
			decoded, err := jpeg.Decode(strings.NewReader(got.body))
			if err != nil || decoded.Bounds().Dx() != 256 || decoded.Bounds().Dy() != 256 || strings.Contains(got.body, "script") {
				t.Errorf("the picture is %v, %v", decoded, err)
			}
		}
		uma.get(picture).is(t, 403)
		if got := ana.get("/cedar/settings/users"); !strings.Contains(got.body, picture+"?v=") {
			t.Error("the list does not show the picture")
		}
		ana.get("/cedar/settings/users/usr_dana/history?kind=profile").says(t, "Dana Diaz changed the profile of Dana Diaz", "Picture")
		ana.upload("/cedar/settings/users/usr_dana/picture/remove", nil).says(t, "Picture removed")
		dana.get(picture).is(t, 404)
	})
}

// bomb says that it is a picture of a hundred thousand by a hundred thousand
// points.
func bomb() []byte {
	var b bytes.Buffer
	png.Encode(&b, drawn(1, 1, color.White))
	file := b.Bytes()
	copy(file[16:24], []byte{0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0})
	return file
}

// A file for a spreadsheet holds the same events, and no formula.
func TestFeedIsExportedForSpreadsheets(t *testing.T) {
	eachOffice(t, func(o *office) {
		if err := o.users.Hold(t.Context(), o.ana(), who("dana"), "=HYPERLINK(\"http://evil\")"); err != nil {
			t.Fatal(err)
		}
		file := o.as("vera").get("/cedar/settings/history.csv?kind=standing")
		file.is(t, 200)
		lines := strings.Split(strings.TrimSpace(file.body), "\r\n")
		if len(lines) != 2 || !strings.HasPrefix(lines[0], "Time,Event,What,Person") {
			t.Fatalf("the file reads:\n%s", file.body)
		}
		for _, want := range []string{"2026-03-02T10:00:00-05:00,orguser.hold_placed,", "Dana Diaz,Ana Ruiz,online,Account access on hold,Off,On,", `"'=HYPERLINK(""http://evil"")"`} {
			if !strings.Contains(lines[1], want) {
				t.Errorf("%q is not in %s", want, lines[1])
			}
		}
		o.as("vera").get("/cedar/settings/history.csv?from=tomorrow").is(t, 422)
		o.as("uma").get("/cedar/settings/history.csv").is(t, 403)
	})
}
