package usermgmt

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	_ "image/png" // read, never written

	"mandate/internal/fault"
)

// Bounds of a picture that somebody uploads, and of what is kept of it.
const (
	MaxPicture     = 8 << 20    // bytes
	maxPixels      = 40_000_000 // what is taken apart in memory
	pictureSide    = 256        // of the square that is kept
	pictureQuality = 85
)

var errPicture = fault.New(fault.Invalid, "This is not a picture that can be used. Choose a PNG or JPEG file.")

// redraw makes the square that is kept of an uploaded picture: decoded, cut to
// its middle, made smaller and drawn anew, so that nothing else of the file is
// left: no place, no camera, no second file behind the first.
func redraw(file []byte) ([]byte, error) {
	picture, err := decodePicture(file)
	if err != nil {
		return nil, err
	}
	turned := 1
	if bytes.HasPrefix(file, []byte{0xff, 0xd8}) { // a JPEG
		turned = orientation(file)
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, square(picture, turned), &jpeg.Options{Quality: pictureQuality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// decodePicture takes a file apart that a stranger sent: a PNG or a JPEG of a
// size that memory is given to.
func decodePicture(file []byte) (image.Image, error) {
	if len(file) > MaxPicture {
		return nil, fault.Newf(fault.Invalid, "The picture is larger than %d MB. Choose a smaller one.", MaxPicture>>20)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(file))
	if err != nil || format != "png" && format != "jpeg" {
		return nil, errPicture
	}
	if config.Width < 1 || config.Height < 1 || config.Width > maxPixels/config.Height {
		return nil, fault.New(fault.Invalid, "The picture has too many points. Choose one of at most 40 megapixels.")
	}
	picture, _, err := image.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, errPicture
	}
	return picture, nil
}

// square is the middle of a picture in the size that is kept, upright. Each
// point is the mean of the points that it stands for; what can be seen through
// lies on white.
func square(from image.Image, turned int) *image.RGBA {
	bounds := from.Bounds()
	side := min(bounds.Dx(), bounds.Dy())
	left, top := bounds.Min.X+(bounds.Dx()-side)/2, bounds.Min.Y+(bounds.Dy()-side)/2
	flat := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(flat, flat.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(flat, flat.Bounds(), from, image.Pt(left, top), draw.Over)
	small := image.NewRGBA(image.Rect(0, 0, pictureSide, pictureSide))
	for y := range pictureSide {
		for x := range pictureSide {
			sx, sy := upright(x, y, turned)
			small.SetRGBA(x, y, mean(flat, span(sx, side), span(sy, side)))
		}
	}
	return small
}

// span is where point i of the small picture lies in the large one.
func span(i, side int) [2]int {
	from := i * side / pictureSide
	return [2]int{from, max(from+1, (i+1)*side/pictureSide)}
}

func mean(flat *image.RGBA, xs, ys [2]int) color.RGBA {
	var r, g, b, n int
	for y := ys[0]; y < ys[1]; y++ {
		for x := xs[0]; x < xs[1]; x++ {
			at := flat.PixOffset(x, y)
			r, g, b, n = r+int(flat.Pix[at]), g+int(flat.Pix[at+1]), b+int(flat.Pix[at+2]), n+1
		}
	}
	return color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 255}
}

// upright is where a point of the upright picture lies in the picture as the
// camera held it (the eight orientations of Exif).
func upright(x, y, turned int) (int, int) {
	const last = pictureSide - 1
	switch turned {
	case 2:
		return last - x, y
	case 3:
		return last - x, last - y
	case 4:
		return x, last - y
	case 5:
		return y, x
	case 6:
		return y, last - x
	case 7:
		return last - y, last - x
	case 8:
		return last - y, x
	}
	return x, y
}

// orientation reads how a camera was held, 1 where the file does not say.
func orientation(file []byte) int {
	exif := exifOf(file)
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if string(exif[:2]) == "II" {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(exif[4:8]))
	if at < 8 || at+2 > len(exif) {
		return 1
	}
	const entry, tag = 12, 0x0112
	for i := range int(order.Uint16(exif[at:])) {
		from := at + 2 + i*entry
		if from+entry > len(exif) {
			return 1
		}
		if order.Uint16(exif[from:]) == tag {
			if held := int(order.Uint16(exif[from+8:])); held >= 1 && held <= 8 {
				return held
			}
			return 1
		}
	}
	return 1
}

// exifOf is the part of a JPEG file that a camera writes about the picture.
func exifOf(file []byte) []byte {
	for at := 2; at+4 <= len(file) && file[at] == 0xff && file[at+1] != 0xda; {
		size := int(binary.BigEndian.Uint16(file[at+2:]))
		if size < 2 || at+2+size > len(file) {
			return nil
		}
		if part := file[at+4 : at+2+size]; file[at+1] == 0xe1 && bytes.HasPrefix(part, []byte("Exif\x00\x00")) {
			return part[6:]
		}
		at += 2 + size
	}
	return nil
}
