package usermgmt

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"regexp"

	"mandate/internal/activity"
	"mandate/internal/bank"
	"mandate/internal/db"
	"mandate/internal/fault"
	"mandate/internal/guard"
)

const eventBrand = "institution.brand_changed"

// A Logo is an institution's, as the product drew it: a PNG.
type Logo struct {
	ETag string
	PNG  []byte
}

// ErrNoLogo says that an institution has no logo.
var ErrNoLogo = fault.New(fault.NotFound, "This institution has no logo.")

const logoSide = 256 // of the square that the logo fits in

var accentSyntax = regexp.MustCompile(`^#[0-9a-f]{6}$`)

// SetAccent changes the colour of the institution's screens; empty is the
// house's own. It is a wish: screens darken or lighten it until it can be read.
func (s *Service) SetAccent(ctx context.Context, caller bank.Caller, accent string) error {
	var problems fault.Problems
	if accent != "" && !accentSyntax.MatchString(accent) {
		problems.Add("accent", "Write a colour like #1f5f8b.")
	}
	if err := problems.Err("The colour cannot be saved."); err != nil {
		return err
	}
	return s.guard.Do(ctx, caller, setting(eventBrand, caller.Institution), func(c *guard.Change) error {
		was, err := db.One(c.Tx, db.Value[string], `select accent from institution where id = $1`, caller.Institution)
		if err != nil {
			return fmt.Errorf("read the colour: %w", err)
		}
		if was == accent {
			return nil
		}
		if err := touchOne(c.Tx.Exec(`update institution set accent = $1 where id = $2`, accent, caller.Institution)); err != nil {
			return fmt.Errorf("store the colour: %w", err)
		}
		c.Record(change("accent", was, accent))
		return nil
	})
}

// SetLogo takes a picture as the institution's logo.
func (s *Service) SetLogo(ctx context.Context, caller bank.Caller, file []byte) error {
	// Decided before a stranger's bytes cost anything, and again with the change.
	if err := s.guard.Look(ctx, caller, setting(eventBrand, caller.Institution), func(*guard.View) error { return nil }); err != nil {
		return err
	}
	logo, err := drawLogo(file)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(logo)
	etag := hex.EncodeToString(sum[:8])
	return s.guard.Do(ctx, caller, setting(eventBrand, caller.Institution), func(c *guard.Change) error {
		was, err := logoETag(c.Tx, caller.Institution)
		if err != nil || was == etag {
			return err
		}
		_, err = c.Tx.Exec(`
			insert into institution_logo (institution_id, etag, picture, set_micros) values ($1, $2, $3, $4)
			on conflict (institution_id) do update set etag = excluded.etag, picture = excluded.picture, set_micros = excluded.set_micros`,
			caller.Institution, etag, logo, c.Tx.Now.UnixMicro())
		if err != nil {
			return fmt.Errorf("store the logo: %w", err)
		}
		c.Record(change("logo", was, etag))
		return nil
	})
}

// RemoveLogo takes the logo away: the initial in the institution's colour stands
// in its place.
func (s *Service) RemoveLogo(ctx context.Context, caller bank.Caller) error {
	return s.guard.Do(ctx, caller, setting(eventBrand, caller.Institution), func(c *guard.Change) error {
		was, err := logoETag(c.Tx, caller.Institution)
		if err != nil || was == "" {
			return err
		}
		if _, err := c.Tx.Exec(`delete from institution_logo where institution_id = $1`, caller.Institution); err != nil {
			return fmt.Errorf("remove the logo: %w", err)
		}
		c.Record(change("logo", was, ""))
		return nil
	})
}

func logoETag(tx *db.Tx, institution bank.InstitutionID) (string, error) {
	etag, err := db.One(tx, db.Value[string], `select etag from institution_logo where institution_id = $1`, institution)
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return "", fmt.Errorf("look for the logo: %w", err)
	}
	return etag, nil
}

// Logo reads an institution's logo. Everybody may see it: the sign-in shows it.
func (s *Service) Logo(ctx context.Context, id bank.InstitutionID) (l Logo, err error) {
	action := guard.Action{Event: "institution.viewed", Target: activity.Target{Kind: activity.TargetInstitution, ID: string(id)}, Others: []bank.ActorKind{bank.ActorSystem}}
	err = s.guard.Look(ctx, bank.System(id), action, func(v *guard.View) error {
		err := v.Tx.QueryRow(`select etag, picture from institution_logo where institution_id = $1`, id).Scan(&l.ETag, &l.PNG)
		if errors.Is(err, db.ErrNoRows) {
			return ErrNoLogo
		}
		return err
	})
	if errors.Is(err, activity.ErrNoStream) {
		err = ErrNoInstitution
	}
	return l, err
}

// drawLogo draws an uploaded logo anew, as large as fits a square, so that
// nothing else of the file is left. What can be seen through stays so.
func drawLogo(file []byte) ([]byte, error) {
	picture, err := decodePicture(file)
	if err != nil {
		return nil, err
	}
	bounds := picture.Bounds()
	width, height := bounds.Dx(), bounds.Dy()
	longer := max(width, height)
	size := min(longer, logoSide)
	w, h := max(1, width*size/longer), max(1, height*size/longer)
	whole := image.NewNRGBA(image.Rect(0, 0, width, height))
	draw.Draw(whole, whole.Bounds(), picture, bounds.Min, draw.Src)
	small := image.NewNRGBA(image.Rect(0, 0, size, size))
	left, top := (size-w)/2, (size-h)/2
	for y := range h {
		for x := range w {
			meanInto(small, left+x, top+y, whole, [2]int{x * width / w, max(x*width/w+1, (x+1)*width/w)}, [2]int{y * height / h, max(y*height/h+1, (y+1)*height/h)})
		}
	}
	var out bytes.Buffer
	if err := png.Encode(&out, small); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// meanInto sets a point to the mean of the points that it stands for, each as
// much as it can be seen.
func meanInto(small *image.NRGBA, x, y int, whole *image.NRGBA, xs, ys [2]int) {
	var r, g, b, seen, n int
	for fy := ys[0]; fy < ys[1]; fy++ {
		for fx := xs[0]; fx < xs[1]; fx++ {
			at := whole.PixOffset(fx, fy)
			alpha := int(whole.Pix[at+3])
			r, g, b = r+alpha*int(whole.Pix[at]), g+alpha*int(whole.Pix[at+1]), b+alpha*int(whole.Pix[at+2])
			seen, n = seen+alpha, n+1
		}
	}
	if seen == 0 {
		return
	}
	at := small.PixOffset(x, y)
	small.Pix[at], small.Pix[at+1], small.Pix[at+2], small.Pix[at+3] = uint8(r/seen), uint8(g/seen), uint8(b/seen), uint8(seen/n)
}
