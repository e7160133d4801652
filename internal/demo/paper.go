package demo

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
)

// Pictures of made-up checks, drawn from nothing: lines, and letters of five by
// seven points.

// letters are columns of seven points from the left, the lowest bit on top.
var letters = map[rune][5]byte{
	'0': {0x3e, 0x51, 0x49, 0x45, 0x3e}, '1': {0x00, 0x42, 0x7f, 0x40, 0x00}, '2': {0x42, 0x61, 0x51, 0x49, 0x46}, '3': {0x21, 0x41, 0x45, 0x4b, 0x31},
	'4': {0x18, 0x14, 0x12, 0x7f, 0x10}, '5': {0x27, 0x45, 0x45, 0x45, 0x39}, '6': {0x3c, 0x4a, 0x49, 0x49, 0x30}, '7': {0x01, 0x71, 0x09, 0x05, 0x03},
	'8': {0x36, 0x49, 0x49, 0x49, 0x36}, '9': {0x06, 0x49, 0x49, 0x29, 0x1e}, 'A': {0x7e, 0x11, 0x11, 0x11, 0x7e}, 'B': {0x7f, 0x49, 0x49, 0x49, 0x36},
	'C': {0x3e, 0x41, 0x41, 0x41, 0x22}, 'D': {0x7f, 0x41, 0x41, 0x22, 0x1c}, 'E': {0x7f, 0x49, 0x49, 0x49, 0x41}, 'F': {0x7f, 0x09, 0x09, 0x09, 0x01},
	'G': {0x3e, 0x41, 0x49, 0x49, 0x7a}, 'H': {0x7f, 0x08, 0x08, 0x08, 0x7f}, 'I': {0x00, 0x41, 0x7f, 0x41, 0x00}, 'J': {0x20, 0x40, 0x41, 0x3f, 0x01},
	'K': {0x7f, 0x08, 0x14, 0x22, 0x41}, 'L': {0x7f, 0x40, 0x40, 0x40, 0x40}, 'M': {0x7f, 0x02, 0x0c, 0x02, 0x7f}, 'N': {0x7f, 0x04, 0x08, 0x10, 0x7f},
	'O': {0x3e, 0x41, 0x41, 0x41, 0x3e}, 'P': {0x7f, 0x09, 0x09, 0x09, 0x06}, 'Q': {0x3e, 0x41, 0x51, 0x21, 0x5e}, 'R': {0x7f, 0x09, 0x19, 0x29, 0x46},
	'S': {0x46, 0x49, 0x49, 0x49, 0x31}, 'T': {0x01, 0x01, 0x7f, 0x01, 0x01}, 'U': {0x3f, 0x40, 0x40, 0x40, 0x3f}, 'V': {0x1f, 0x20, 0x40, 0x20, 0x1f},
	'W': {0x3f, 0x40, 0x38, 0x40, 0x3f}, 'X': {0x63, 0x14, 0x08, 0x14, 0x63}, 'Y': {0x07, 0x08, 0x70, 0x08, 0x07}, 'Z': {0x61, 0x51, 0x49, 0x45, 0x43},
	'$': {0x24, 0x2a, 0x7f, 0x2a, 0x12}, '&': {0x36, 0x49, 0x55, 0x22, 0x50}, '*': {0x14, 0x08, 0x3e, 0x08, 0x14}, ',': {0x00, 0x50, 0x30, 0x00, 0x00},
	'-': {0x08, 0x08, 0x08, 0x08, 0x08}, '.': {0x00, 0x60, 0x60, 0x00, 0x00}, '/': {0x20, 0x10, 0x08, 0x04, 0x02}, ':': {0x00, 0x36, 0x36, 0x00, 0x00},
	'\'': {0x00, 0x05, 0x03, 0x00, 0x00},
}

// A sheet is a picture in few colours.
type sheet struct{ *image.Paletted }

// Colours of a sheet.
const (
	ground = iota
	pattern
	ink
	pale
)

func newSheet(tint color.RGBA) sheet {
	darker := color.RGBA{tint.R - 14, tint.G - 12, tint.B - 10, 255}
	s := sheet{image.NewPaletted(image.Rect(0, 0, 1200, 540), color.Palette{tint, darker, color.RGBA{32, 36, 44, 255}, color.RGBA{120, 128, 138, 255}})}
	for y := range 540 { // waves, as on paper that is hard to copy
		for x := range 1200 {
			if int(float64(y)+9*math.Sin(float64(x)/38))%12 == 0 {
				s.SetColorIndex(x, y, pattern)
			}
		}
	}
	return s
}

// write writes a text; what has no letter is a blank.
func (s sheet) write(x, y, scale int, colour uint8, text string) {
	for _, r := range strings.ToUpper(text) {
		for column, bits := range letters[r] {
			for row := range 7 {
				if bits>>row&1 == 1 {
					s.box(x+column*scale, y+row*scale, scale, scale, colour)
				}
			}
		}
		x += 6 * scale
	}
}

func (s sheet) box(x, y, width, height int, colour uint8) {
	for dy := range height {
		for dx := range width {
			s.SetColorIndex(x+dx, y+dy, colour)
		}
	}
}

func (s sheet) frame(x, y, width, height int) {
	s.box(x, y, width, 2, pale)
	s.box(x, y+height-2, width, 2, pale)
	s.box(x, y, 2, height, pale)
	s.box(x+width-2, y, 2, height, pale)
}

// sign draws somebody's hand.
func (s sheet) sign(x, y int, seed float64) {
	for t := 0.0; t < 12*math.Pi; t += 0.006 {
		dx := int(8*t + 22*math.Cos(t*1.7+seed))
		dy := int(26 * math.Sin(t*1.1+seed) * math.Cos(t/3+seed))
		s.box(x+dx, y+dy, 3, 3, ink)
	}
}

func (s sheet) png() []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, s); err != nil {
		panic(err) // into memory
	}
	return out.Bytes()
}

// A check of the demo, as it was written.
type paperCheck struct {
	from, number, date, payee, amount, memo, account string
}

// pictures are both sides of a check.
func (c paperCheck) pictures() (front, back []byte) {
	s := newSheet(color.RGBA{226, 236, 232, 255})
	s.frame(18, 18, 1164, 504)
	s.write(52, 52, 4, ink, c.from)
	s.write(52, 92, 2, pale, "1840 Orchard Road, Marlowick, IL 60540")
	s.write(1010, 52, 5, ink, c.number)
	s.write(760, 128, 3, pale, "Date")
	s.write(850, 124, 4, ink, c.date)
	s.box(840, 158, 300, 2, pale)
	s.write(52, 196, 2, pale, "Pay to the")
	s.write(52, 218, 2, pale, "order of")
	s.write(190, 204, 5, ink, c.payee)
	s.box(180, 246, 690, 2, pale)
	s.frame(900, 190, 240, 60)
	s.write(914, 208, 4, ink, c.amount)
	s.write(52, 288, 3, ink, "** "+c.amount+" dollars **")
	s.box(52, 318, 1088, 2, pale)
	s.write(52, 388, 2, pale, "Memo")
	s.write(120, 384, 3, ink, c.memo)
	s.box(110, 412, 420, 2, pale)
	s.sign(790, 376, float64(len(c.payee)))
	s.box(740, 412, 400, 2, pale)
	s.write(120, 462, 5, ink, ":079999114: "+c.account+" "+c.number)
	r := newSheet(color.RGBA{236, 236, 230, 255})
	r.write(60, 60, 3, pale, "Endorse here")
	r.box(60, 96, 420, 2, pale)
	r.sign(90, 150, float64(len(c.memo)))
	r.write(60, 220, 3, ink, "For deposit only")
	r.write(60, 256, 3, ink, c.payee)
	r.box(60, 300, 420, 2, pale)
	return s.png(), r.png()
}
