package usermgmt

import (
	"bytes"
	"image"
	"image/jpeg"
	"image/png"
	"testing"

	"mandate/internal/fault"
)

// FuzzPicture: whatever somebody uploads of themself, it is a square that we drew
// or a refusal.
func FuzzPicture(f *testing.F) {
	small := image.NewGray(image.Rect(0, 0, 9, 5))
	var asPNG, asJPEG bytes.Buffer
	if err := png.Encode(&asPNG, small); err != nil {
		f.Fatal(err)
	}
	if err := jpeg.Encode(&asJPEG, small, nil); err != nil {
		f.Fatal(err)
	}
	held := "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
	f.Add(asPNG.Bytes())
	f.Add(asJPEG.Bytes())
	f.Add(append([]byte("\xff\xd8"+held), asJPEG.Bytes()[2:]...))
	f.Fuzz(func(t *testing.T, file []byte) {
		if config, _, err := image.DecodeConfig(bytes.NewReader(file)); err == nil && config.Width*config.Height > 1<<16 {
			return // large ones take long, and no other way
		}
		out, err := redraw(file)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		if config, err := jpeg.DecodeConfig(bytes.NewReader(out)); err != nil || config.Width != pictureSide || config.Height != pictureSide {
			t.Fatalf("drawn was %+v, %v", config, err)
		}
	})
}
