package online

import (
	"mandate/internal/identity"
	"mandate/internal/web"
	"mandate/internal/web/entrance"
)

// Routes are the addresses of the app, for tests that ask all of them.
func Routes() []web.Route {
	return (&app{door: entrance.New(entrance.Config{Kind: identity.KindMember})}).routes()
}
