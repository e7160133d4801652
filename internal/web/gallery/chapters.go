package gallery

import (
	"mandate/internal/bank"
	"mandate/internal/fault"
	"mandate/internal/web/ui"
)

// An ExampleForm is the form of the gallery as it came back.
type ExampleForm struct {
	Sentence string
	Problems []fault.Problem
	Name     ui.Field
	Email    ui.Field
	Limit    ui.Field
}

// Confirmation is the question that the gallery's dialog asks.
var Confirmation = ui.Confirmation{
	Title:   "Delete Dana Diaz?",
	Text:    "Dana can no longer sign in, and pending invitations stop working. Payments and history keep the name. This cannot be undone.",
	Action:  FormPath,
	Confirm: ui.Action{Label: "Delete user", Variant: ui.Danger, Name: "step", Value: "delete", Busy: "Deleting"},
	Cancel:  Path,
}

// Chapters are all examples in the order of the page.
func Chapters(form ExampleForm) []Chapter {
	return []Chapter{
		{ID: "shell", Title: "Shell", Note: "This page stands in ui.Page. The other pages are one click away above.", Examples: shellExamples()},
		{ID: "buttons", Title: "Buttons", Note: "One primary action per page. A word always stands beside an icon.", Examples: buttonExamples()},
		{ID: "forms", Title: "Forms", Note: "Labels above, help between, problems below. What was typed comes back.", Examples: formExamples(form)},
		{ID: "permissions", Title: "Permissions", Note: "Nothing is a dead switch: what cannot move says why, who can, and offers the fix.", Examples: permissionExamples()},
		{ID: "status", Title: "Status and messages", Note: "Status by word and shape, never colour alone.", Examples: statusExamples()},
		{ID: "tables", Title: "Tables and lists", Note: "Searched, filtered, sorted and paged on the server. On a phone a row becomes a card.", Examples: tableExamples()},
		{ID: "lists", Title: "History and changes", Examples: listExamples()},
		{ID: "overlays", Title: "Dialogs and menus", Note: "A dialog is a page that a script opens in place.", Examples: overlayExamples()},
		{ID: "pieces", Title: "Pieces", Examples: pieceExamples()},
	}
}

func shellExamples() []Example {
	return []Example{
		{Title: "Heading", Call: `@ui.Heading(ui.Header{Title: ..., Subtitle: ..., Avatar: ..., Aside: status}) { actions }`,
			Show: headingExample()},
		{Title: "Breadcrumbs", Call: `ui.Shell{Crumbs: []ui.Link{...}}`,
			Show: ui.Breadcrumbs([]ui.Link{{Label: "User management", Href: Path}, {Label: "Dana Diaz", Href: Path}})},
		{Title: "Tabs", Call: `@ui.Tabs("Views of Dana Diaz", []ui.Tab{...})`,
			Show: ui.Tabs("Views of Dana Diaz", []ui.Tab{
				{Label: "Overview", Href: Path, Current: true}, {Label: "Permissions", Href: Path}, {Label: "Accounts", Href: Path, Count: 12}, {Label: "Activity", Href: Path},
			})},
	}
}

func buttonExamples() []Example {
	return []Example{
		{Title: "Variants", Call: `@ui.Button(ui.Action{Label: "Create user", Icon: "user-plus", Variant: ui.Primary})`, Show: buttonsExample()},
		{Title: "Links", Call: `@ui.Button(ui.Action{Label: "Edit", About: "Dana Diaz", Href: "..."})  @ui.TextLink(ui.Link{...})`, Show: linksExample()},
	}
}

func formExamples(f ExampleForm) []Example {
	return []Example{
		{Title: "A form that comes back", Note: "Send it empty to see the summary, the problems and the focus.",
			Call: `@ui.Form(action) { @ui.ErrorSummary(f.Sentence, f.Problems) @ui.TextField(f.Field("name", "Name")) ... }`, Show: formExample(f)},
		{Title: "Fields", Call: `@ui.EmailField(...) @ui.PasswordField(...) @ui.MoneyField(...) @ui.DateField(...) @ui.Select(...) @ui.TextArea(...)`, Show: fieldsExample()},
		{Title: "Choices", Call: `@ui.RadioCards(ui.Field{...}, []ui.Option{...})`, Show: choicesExample()},
	}
}

func permissionExamples() []Example {
	return []Example{
		{Title: "Set permissions", Note: "The five states, limits with their ceiling, needs, and a change that is not saved yet.", Bare: true,
			Call: `@ui.PermissionList("wires", "Wires", help, aside) { @ui.Permission(ui.PermissionRow{...}) }`, Show: permissionsExample()},
		{Title: "For readers", Note: "A viewer sees the same rows without controls.", Bare: true,
			Call: `@ui.Permission(ui.PermissionRow{Field: ..., State: ui.StateOn})`, Show: readersExample()},
		{Title: "Why can’t Dana?", Note: "Every level with its answer, who may change it, and the smallest fix.", Bare: true,
			Call: `@ui.Answer(ui.Verdict{...}) @ui.Ladder([]ui.Rung{...})`, Show: ladderExample()},
	}
}

func statusExamples() []Example {
	return []Example{
		{Title: "Status", Call: `@ui.Status(ui.OfStatus(bank.StatusActive))  @ui.Status(ui.OnHold)`, Show: statusExample()},
		{Title: "Badges", Call: `@ui.Badge(ui.State{Word: "Admin", Tone: ui.Plain})`, Show: badgesExample()},
		{Title: "Banners of a profile", Call: `@ui.HoldBanner(name) { action }  @ui.LockBanner(name)  @ui.PendingBanner(name)`, Show: profileBanners(), Bare: true},
		{Title: "Banners", Call: `@ui.Banner(ui.Message{Tone: ui.Note, Title: ..., Text: ...}) { actions }`, Show: banners(), Bare: true},
		{Title: "Toast", Note: "Sent with web.Flash before a redirect.", Call: `web.Flash(w, r, ui.Good, "Invitation sent successfully")`, Show: toastExample()},
	}
}

func tableExamples() []Example {
	return []Example{
		{Title: "A list", Bare: true, Call: `@ui.SearchBar(toolbar) { actions }  @ui.List(toolbar) { @ui.Table(caption, columns) { rows } @ui.Pagination(pager) }`, Show: listExample()},
		{Title: "Empty", Bare: true, Call: `@ui.Empty("search", title, text) { actions }`, Show: emptyExample()},
		{Title: "Skeleton", Bare: true, Call: `@ui.Skeleton(3)`, Show: ui.Skeleton(3)},
	}
}

func listExamples() []Example {
	return []Example{
		{Title: "Change preview", Note: "What raises risk stands first.", Bare: true, Call: `@ui.Changes([]ui.Change{...})`, Show: ui.Changes([]ui.Change{
			{Sentence: "Dana Diaz may send wires up to $25,000.00 from 3 accounts, alone up to $10,000.00.", Before: "$5,000.00", After: "$25,000.00", Risk: "Raises what one person can send alone."},
			{Sentence: "Dana Diaz may initiate same day ACH.", Before: "Off", After: "On"},
			{Sentence: "Dana Diaz can no longer upload positive pay files.", Before: "On", After: "Off"},
		})},
		{Title: "Timeline", Call: `@ui.Timeline([]ui.Event{...})`, Show: ui.Timeline([]ui.Event{
			{Icon: "sliders-horizontal", Tone: ui.Note, Text: "Ana Ruiz changed the permissions of Dana Diaz", Where: "Online", At: now, Place: mountain,
				Diffs: [][3]string{{"Daily wire limit", "$5,000.00", "$25,000.00"}, {"Transmit wires", "Off", "On"}}, Details: ui.Link{Label: "Details", Href: Path}},
			{Icon: "circle-pause", Tone: ui.Warn, Text: "Ana Ruiz placed a hold on Luis Prado", Where: "Online", At: now.AddDate(0, 0, -1), Place: mountain},
			{Icon: "lock", Tone: ui.Bad, Text: "Luis Prado was locked after three wrong passwords", Where: "System", At: now.AddDate(0, 0, -3), Place: mountain},
			{Icon: "user-plus", Tone: ui.Good, Text: "Ana Ruiz created Dana Diaz", Where: "Online", At: now.AddDate(0, -1, 0), Place: mountain},
		})},
	}
}

func overlayExamples() []Example {
	return []Example{
		{Title: "Dialog", Note: "With a script the link opens the dialog; without one it is the page that asks.",
			Call: `@ui.Button(ui.Action{Label: "Delete user", Href: "...", Dialog: true})  web.RenderConfirm(w, r, status, confirmation, fields, page)`,
			Show: ui.Button(ui.Action{Label: "Delete user", Icon: "trash-2", Href: DialogPath, Dialog: true})},
		{Title: "Menu", Call: `@ui.Menu("Settings", "settings", "") { @ui.MenuItem(ui.Action{...}) }`, Show: menuExample()},
	}
}

func pieceExamples() []Example {
	return []Example{
		{Title: "Card with facts", Bare: true, Call: `@ui.Card(title, help, aside) { @ui.Facts([]ui.Fact{...}) }`, Show: cardExample()},
		{Title: "Figures", Bare: true, Call: `@ui.Stats([]ui.Figure{...})`, Show: ui.Stats([]ui.Figure{
			{Label: "Available", Value: bank.Cents(48_210_655).Dollars(), Note: "across 4 accounts"},
			{Label: "Sent today", Value: bank.Cents(1_250_000).Dollars(), Note: "of $50,000.00"},
			{Label: "Waiting for approval", Value: "3", Note: "oldest from 9:14 AM", Href: Path},
		})},
		{Title: "Card links", Bare: true, Call: `@ui.CardLink(href, icon, title, text)`, Show: cardLinksExample()},
		{Title: "Progress", Call: `@ui.Progress(label, value, most, note)`, Show: ui.Progress("Daily wire limit", 12500, 50000, "$12,500.00 of $50,000.00")},
		{Title: "Copyable", Call: `@ui.Copyable("Member id", "usr_...")`, Show: ui.Copyable("Member id", "usr_019cb1f2-6f3a-7c31-9a57-2f4e1c0b7d11")},
		{Title: "Help", Call: `@ui.Help("What is dual control?") { text }`, Show: helpExample()},
		{Title: "Problem", Note: "The content of error and refusal pages.", Call: `@ui.Problem(ui.Refusal{...}) { actions }`, Show: problemExample()},
	}
}
