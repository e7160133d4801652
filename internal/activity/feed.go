package activity

import (
	"fmt"
	"strings"

	"mandate/internal/bank"
	"mandate/internal/db"
)

// MaxPage is the most events that one page of a feed holds.
const MaxPage = 200

// A Filter narrows a feed. The zero value of a field asks for everything.
type Filter struct {
	Institution   bank.InstitutionID // required
	Organization  bank.OrganizationID
	Target        string   // the id of what was changed
	Actor         string   // the id of who did it
	Names         []string // event names, any of them
	Prefix        string   // what event names begin with, such as "ach."
	Without       []string // event names that are left out
	From, Until   int64    // microseconds; from inclusive, until exclusive
	WithRefused   bool     // attempts that changed nothing, too
	Before        int64    // page on: events with a smaller sequence
	After         int64    // events with a greater sequence: what is new since
	AfterRevision int64    // events of later revisions: what changed since somebody looked
	Limit         int      // at most MaxPage; 0 means MaxPage
}

// Feed reads an organization's history, newest first. It reads the chain of
// one organization, or the institution's own where Organization is empty.
func Feed(tx *db.Tx, f Filter) ([]Event, error) {
	if f.Limit <= 0 || f.Limit > MaxPage {
		f.Limit = MaxPage
	}
	afterRevision := f.AfterRevision
	if afterRevision == 0 {
		afterRevision = -1
	}
	query, key := feedOfAll, ""
	switch { // one statement for each index
	case f.Target != "":
		query, key = feedOfTarget, f.Target
	case f.Actor != "":
		query, key = feedOfActor, f.Actor
	}
	rows, err := db.All(tx, scanEvent, query,
		f.Institution, f.Organization, key, f.Actor, listed(f.Names), f.From, f.Until, f.WithRefused, f.Before, f.After, afterRevision, f.Limit, f.Prefix, listed(f.Without))
	if err != nil {
		return nil, fmt.Errorf("read the feed: %w", err)
	}
	events := make([]Event, 0, len(rows))
	for _, row := range rows {
		e, err := row.decode()
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

// listed writes names so that one of them can be looked for: ",a,b,".
func listed(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "," + strings.Join(names, ",") + ","
}

const selectFeed = `
	select institution_id, organization_id, sequence, id, time_micros, name, save_id,
	       revision, refused, code, actor_kind, actor_id, actor_name, channel, ip, device,
	       target_kind, target_id, target_name, note, changes, hash
	  from history_event
	 where institution_id = $1 and organization_id = $2`

const filterFeed = `
	   and (cast($4 as text) = '' or actor_id = $4)
	   and (cast($5 as text) = '' or replace($5, ',' || name || ',', '') <> $5)
	   and (cast($13 as text) = '' or substr(name, 1, length($13)) = $13)
	   and (cast($14 as text) = '' or replace($14, ',' || name || ',', '') = $14)
	   and (cast($6 as bigint) = 0 or time_micros >= $6)
	   and (cast($7 as bigint) = 0 or time_micros < $7)
	   and (not refused or $8)
	   and (cast($9 as bigint) = 0 or sequence < $9)
	   and sequence > $10 and revision > $11
	 order by sequence desc limit $12`

const (
	feedOfAll    = selectFeed + ` and cast($3 as text) = ''` + filterFeed
	feedOfTarget = selectFeed + ` and target_id = $3` + filterFeed
	feedOfActor  = selectFeed + ` and actor_id = $3` + filterFeed
)
