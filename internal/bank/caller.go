package bank

// An ActorKind says what sort of somebody acts.
type ActorKind string

const (
	ActorMember   ActorKind = "member"   // an organization user
	ActorStaff    ActorKind = "staff"    // an employee of the institution
	ActorClient   ActorKind = "client"   // a program with an API key
	ActorOperator ActorKind = "operator" // whoever runs the command line beside the database
	ActorHost     ActorKind = "host"     // the core-banking host
	ActorSystem   ActorKind = "system"   // the product itself: a timer, a counter that ran full
)

// A Channel is the door by which somebody came.
type Channel string

const (
	ChannelOnline     Channel = "online"     // the business customer's app
	ChannelPeople     Channel = "people"     // the staff console
	ChannelAPI        Channel = "api"        //
	ChannelSCIM       Channel = "scim"       //
	ChannelImport     Channel = "import"     //
	ChannelClassic    Channel = "classic"    // the older business channel
	ChannelBackOffice Channel = "backoffice" // the host's staff screens
	ChannelCore       Channel = "core"       // a change made on the host itself
	ChannelCommand    Channel = "command"    // the operator's command line
	ChannelSystem     Channel = "system"     //
)

// A Caller is who asks, and from where. It says nothing about what they may do.
type Caller struct {
	Kind         ActorKind
	ID           string // a UserID, StaffID or ClientID, by kind; empty for the system
	Name         string // as history shows it, kept there even after the person is gone
	Institution  InstitutionID
	Organization OrganizationID // of a member; empty for others
	Channel      Channel
	IP           string
	Device       string // what the browser or program says it is
	SignIn       string // the record of the sign-in, where there is one

	// Through is the program that acts for a member; empty: they act themselves.
	// Vouched is how that program made sure, for this very request, that it is
	// them, such as "passkey"; empty: it did not.
	Through ClientID
	Vouched string

	// SeenBy is the staff user who sees what a member sees; empty: it is the
	// member. Such a caller looks and changes nothing.
	SeenBy     StaffID
	SeenByName string
}

// Member is the organization user that calls; empty for everybody else.
func (c Caller) Member() UserID {
	if c.Kind != ActorMember {
		return ""
	}
	return UserID(c.ID)
}

// System is the product acting by itself at an institution.
func System(institution InstitutionID) Caller {
	return Caller{Kind: ActorSystem, Name: "Mandate", Institution: institution, Channel: ChannelSystem}
}
