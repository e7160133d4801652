package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"mandate/internal/application"
	"mandate/internal/bank"
	"mandate/internal/catalog"
	"mandate/internal/client"
	"mandate/internal/staff"
	"mandate/internal/web/office"
)

// OfficeFile is where the data folder keeps how BackOffice and Classic reach the
// product.
const OfficeFile = "office.json"

// backOfficeGroup is the group of those who work in BackOffice.
const backOfficeGroup = "BackOffice"

// officeOf lets the simulator's screens in: BackOffice signs staff in as an
// external application, Classic asks the API as the institution's host.
func (b *builder) officeOf(ctx context.Context, operator bank.Caller) (bank.GroupID, error) {
	i, err := b.app.Users.Institution(ctx, operator.Institution)
	if err != nil {
		return "", err
	}
	c := b.app.Config
	at := c.OfficeOrigin + "/" + string(i.ID) + "/backoffice"
	made, secret, err := b.app.Applications.Create(ctx, operator, application.Draft{
		Name: "BackOffice", Partner: "The core", Method: application.SecretBasic, Enabled: true, Permissions: true,
		Grants: []application.Grant{application.GrantCode}, Redirects: []string{at + "/callback"}, BackChannelLogout: at + "/logout", Scopes: []string{"openid", "profile", "email"},
	})
	if err != nil {
		return "", fmt.Errorf("BackOffice: %w", err)
	}
	if err := b.app.Applications.Declare(ctx, operator, made.ID, office.Declaration); err != nil {
		return "", fmt.Errorf("what BackOffice declares: %w", err)
	}
	_, key, err := b.app.Clients.Create(ctx, operator, client.Draft{Name: "Host", Host: true})
	if err != nil {
		return "", err
	}
	b.office.Institutions = append(b.office.Institutions, office.InstitutionSettings{
		ID: i.ID, Name: i.Name, Accent: i.Accent, Edition: i.Edition.String(), TimeZone: i.TimeZone, Online: c.PublicOrigin, API: c.APIOrigin, APIKey: key.Reveal(),
		Issuer: c.ConsoleOrigin + "/" + string(i.ID), ClientID: string(made.ID), ClientSecret: string(secret),
	})
	return b.app.Staff.CreateGroup(ctx, operator, staff.Draft{Name: backOfficeGroup, Description: "Works in the core's BackOffice: users, permissions and defaults.",
		Product: made.ID, Held: catalog.ProductSetOf("backoffice.users.view", "backoffice.users.manage", "backoffice.defaults.manage")})
}

func (b *builder) saveOffice() error {
	text, err := json.MarshalIndent(b.office, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.app.Config.Data, OfficeFile), append(text, '\n'), 0o600)
}
