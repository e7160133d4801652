package static

import (
	"fmt"
	"math"
	"strconv"
)

// A colour is sRGB, eight bits a channel.
type colour struct{ r, g, b uint8 }

func (c colour) String() string { return fmt.Sprintf("#%02x%02x%02x", c.r, c.g, c.b) }

func parseColour(hex string) colour {
	n, _ := strconv.ParseUint(hex, 16, 32) // the pattern let only hexadecimal digits through
	return colour{uint8(n >> 16), uint8(n >> 8), uint8(n)}
}

const steps = 200 // from black to white

// readable is c, or the nearest colour of its hue that can be read on surface,
// going lighter (+1) or darker (-1).
func (c colour) readable(surface colour, direction float64) colour {
	shade := c.oklab()
	for range steps {
		if contrast(c, surface) >= textContrast {
			break
		}
		shade.l = min(max(shade.l+direction/steps, 0), 1)
		c = shade.inGamut()
	}
	return c
}

// readableOn is the colour of text on a background: white or ink.
func readableOn(background colour) colour {
	if contrast(white, background) >= contrast(ink, background) {
		return white
	}
	return ink
}

// contrast is WCAG's contrast ratio.
func contrast(a, b colour) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func (c colour) luminance() float64 {
	return 0.2126*linear(c.r) + 0.7152*linear(c.g) + 0.0722*linear(c.b)
}

func linear(v uint8) float64 {
	s := float64(v) / 255
	if s <= 0.04045 {
		return s / 12.92
	}
	return math.Pow((s+0.055)/1.055, 2.4)
}

func gamma(v float64) float64 {
	if v <= 0.0031308 {
		return v * 12.92
	}
	return 1.055*math.Pow(v, 1/2.4) - 0.055
}

// An oklab is a colour by lightness and two axes of hue (Björn Ottosson's
// OKLab): the lightness can change while the hue stays.
type oklab struct{ l, a, b float64 }

func (c colour) oklab() oklab {
	r, g, b := linear(c.r), linear(c.g), linear(c.b)
	l := math.Cbrt(0.4122214708*r + 0.5363325363*g + 0.0514459929*b)
	m := math.Cbrt(0.2119034982*r + 0.6806995451*g + 0.1073969566*b)
	s := math.Cbrt(0.0883024619*r + 0.2817188376*g + 0.6299787005*b)
	return oklab{
		l: 0.2104542553*l + 0.7936177850*m - 0.0040720468*s,
		a: 1.9779984951*l - 2.4285922050*m + 0.4505937099*s,
		b: 0.0259040371*l + 0.7827717662*m - 0.8086757660*s,
	}
}

// inGamut is the colour of c that a screen can show: as strong as possible.
func (c oklab) inGamut() colour {
	for strength := 1.0; strength > 0; strength -= 0.02 {
		r, g, b := oklab{c.l, c.a * strength, c.b * strength}.rgb()
		if inside(r) && inside(g) && inside(b) {
			return colour{eight(r), eight(g), eight(b)}
		}
	}
	grey := eight(min(max(c.l*c.l*c.l, 0), 1))
	return colour{grey, grey, grey}
}

func (c oklab) rgb() (r, g, b float64) {
	l := cube(c.l + 0.3963377774*c.a + 0.2158037573*c.b)
	m := cube(c.l - 0.1055613458*c.a - 0.0638541728*c.b)
	s := cube(c.l - 0.0894841775*c.a - 1.2914855480*c.b)
	return 4.0767416621*l - 3.3077115913*m + 0.2309699292*s,
		-1.2684380046*l + 2.6097574011*m - 0.3413193965*s,
		-0.0041960863*l - 0.7034186147*m + 1.7076147010*s
}

func cube(v float64) float64     { return v * v * v }
func inside(v float64) bool      { return v >= -0.0005 && v <= 1.0005 }
func eight(linear float64) uint8 { return uint8(math.Round(255 * gamma(min(max(linear, 0), 1)))) }
