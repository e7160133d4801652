package cli

import "mandate/internal/bench"

type benchCommand struct {
	Screens benchScreens `cmd:"" help:"Server time of the screens that grow with the data."`
}

type benchScreens struct {
	DB       string `name:"db" help:"Database to measure on: postgres://… . By default an embedded one, made for this and removed." placeholder:"URL"`
	Requests int    `help:"Requests for each screen." default:"100"`
}

func (c *benchScreens) Run(t *terminal) error {
	return bench.Screens(t.ctx, t.out, c.DB, c.Requests)
}
