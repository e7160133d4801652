package entrance

import "mandate/internal/identity"

// words are what differs between an entrance of organization users and one of
// staff.
type words struct {
	username     string // what the field is called
	askUsername  string
	forgotName   string
	askForgot    string
	locked       string // after too many wrong proofs
	proofsLeft   string
	helper       string // who invited, where nobody is named
	chooses      string // what somebody does next who was invited
	enrolled     string
	wantedTitle  string
	wanted       string
	askIfMistake string
}

var memberWords = words{
	username: "Username", askUsername: "Enter your username.",
	forgotName: "Username or email", askForgot: "Enter your username or your email address.",
	locked:       "Three times it could not be confirmed that it is you. Your access is locked until an admin of your organization unlocks it.",
	proofsLeft:   "After three wrong attempts you are signed out and locked.",
	helper:       "the admin who invited you",
	chooses:      "You choose a username and a password next.",
	enrolled:     "Sign in with the username and password that you chose.",
	wantedTitle:  "Your admins were asked",
	wanted:       "The admins of your organization read that you want a new invitation. Whether they send one is theirs to decide; watch your email.",
	askIfMistake: "Ask an admin of your organization if you think that this is a mistake.",
}

var staffWords = words{
	username: "Email", askUsername: "Enter your email address.",
	forgotName: "Email", askForgot: "Enter your email address.",
	locked:       "Five times it could not be confirmed that it is you. Your access is locked until somebody who manages Users & Groups unlocks it.",
	proofsLeft:   "After five wrong attempts you are signed out and locked.",
	helper:       "whoever invited you",
	chooses:      "You choose a password next.",
	enrolled:     "Sign in with your email address and the password that you chose.",
	wantedTitle:  "Your request was noted",
	wanted:       "Whoever manages Users & Groups reads that you want a new invitation. Whether they send one is theirs to decide; watch your email.",
	askIfMistake: "Ask whoever manages Users & Groups if you think that this is a mistake.",
}

func wordsFor(kind identity.Kind) words {
	if kind == identity.KindStaff {
		return staffWords
	}
	return memberWords
}
