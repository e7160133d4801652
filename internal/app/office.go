package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"

	"mandate/internal/config"
	"mandate/internal/identity"
	"mandate/internal/mail"
	"mandate/internal/web"
	"mandate/internal/web/office"
)

// OfficeHandler is BackOffice and Classic of the host inside the program,
// without an address; nil where there are none.
func (a *App) OfficeHandler() (http.Handler, error) {
	if a.Bank == nil || a.Config.OfficeFile == "" {
		return nil, nil
	}
	site, err := a.site(a.Config.OfficeOrigin, "office")
	if err != nil {
		return nil, err
	}
	return officeOf(site, a.Bank, a.Config.Office, a.Config.Mail, a.Notice)
}

// officeOf is the screens of a simulator. A file says how they reach the product.
func officeOf(site web.Site, bank office.Bank, cfg config.Office, letter config.Mail, notice string) (http.Handler, error) {
	post := &mail.Post{Origin: cfg.OfficeOrigin, From: letter.MailFrom, Server: letter.SMTP, Secret: letter.SMTPPassword}
	text, err := os.ReadFile(cfg.OfficeFile)
	if err != nil {
		return nil, fmt.Errorf("open BackOffice and Classic: %w", err)
	}
	houses, err := office.ReadSettings(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", cfg.OfficeFile, err)
	}
	handler, err := office.New(site, office.Config{Bank: bank, Houses: houses, Mail: letters{post}, Notice: notice})
	if err != nil {
		return nil, fmt.Errorf("open BackOffice and Classic: %w", err)
	}
	return handler, nil
}

// letters are Classic's invitations as mail. They are sent at once: whoever
// invites is told when that fails.
type letters struct{ post *mail.Post }

func (l letters) Send(ctx context.Context, letter office.Letter) error {
	link := sha256.Sum256([]byte(letter.Path)) // each invitation has its own; the key shows nothing of it
	return l.post.Send(ctx, identity.Mail{
		Key: "classic " + hex.EncodeToString(link[:]), Kind: identity.KindMember, Institution: letter.Institution,
		To: letter.To, Name: letter.Name, From: letter.From, Subject: "Enroll in business banking at " + letter.From,
		Lines: []string{
			cmp.Or(letter.AskedBy, letter.From) + " invited you to business banking at " + letter.From + ".",
			"Choose Enroll to create your username and password. They serve Classic and Online. If a newer invitation arrives, use that.",
		},
		Button: "Enroll", Link: identity.Secret(letter.Path), Expires: letter.Expires,
	})
}
