package online

import "mandate/internal/web"

// Routes are the addresses of the app, for tests that ask all of them.
func Routes() []web.Route { return (&app{}).routes() }
