package catalog

import "mandate/internal/bank"

// An Operation is something that can be asked about. The zero operation is
// unknown and is always refused.
type Operation uint8

const (
	UnknownOperation Operation = iota
	AccountView
	ACHBatchView
	ACHBatchCreate
	ACHBatchEdit
	ACHRecipientsImport
	ACHFileUpload
	ACHBatchInitiate
	ACHBatchApprove
	ACHBatchUninitiate
	ACHBatchDelete
	ARPFileUpload
	ARPFileDownload
	ARPCheckExceptionDecide
	ARPACHExceptionDecide
	CardsManageOperation
	StopsViewOperation
	StopsAddOperation
	TransfersCreate
	WiresView
	WiresTemplateCreateOperation
	WiresTemplateEditOperation
	WiresOneTimeCreateOperation
	WiresOneTimeEditOperation
	WiresRecurringEditOperation
	WiresTransmitOperation
	WiresApprove
	ViewUsers
	CreateUser
	DeleteUser
	UnlockUser
	ResetPassword
	HoldUser
	ViewProfile
	EditProfile
	ViewPermissions
	EditPermissions
	ViewAccountPermissions
	EditAccountPermissions
	OperationCount // how many there are; not an operation
)

// Accounts says which accounts a request about an operation names.
type Accounts uint8

const (
	AccountNone     Accounts = iota // account is ignored
	AccountOptional                 // access is tested where an account is given
	AccountRequired                 // every needed permission that exists per account is tested on it
	AccountPair                     // money moves from account to to_account
)

// A ContextKey is something a caller may say about the payment it asks about.
type ContextKey uint8

const (
	Restricted ContextKey = iota
	Recurring
	SameDay
	Debits     // credit union only; true unless said otherwise
	LastEditor // the member is the last who edited the batch; true unless said otherwise
	EffectiveDate
	Fields
	ContextKeyCount
)

var contextKeys = [ContextKeyCount]string{"restricted", "recurring", "same_day", "debits", "last_editor", "effective_date", "fields"}

func (k ContextKey) String() string { return contextKeys[k] }

// A ContextNeed is a permission that is needed where the context says so.
type ContextNeed struct {
	Key        ContextKey
	Permission Permission
}

// OperationInfo describes an operation.
type OperationInfo struct {
	Operation   Operation
	ID          string
	Label       string // as a person would say it, after "Dana may": "send a wire"
	Entitlement Entitlement
	Needs       []Permission // named permissions; what these need themselves is found by Needs
	EditLevel   EditLevel    // the least ach.edit_level where Needs names it
	Accounts    Accounts
	Limits      []Limit
	Context     []ContextNeed
	Dated       bool   // knows effective_date, and a later one needs WiresTransmitFuture
	LastEditor  bool   // knows last_editor
	EntryFields bool   // knows fields: entry makes partial editing enough
	Counts      bool   // its amount counts against daily limits; otherwise the amount is tested alone
	Power       string // user management: what the role must allow

	needsCreditUnion []Permission
}

var (
	oneBatch = []Limit{LimitACHPerBatch, LimitACHDaily}
	oneWire  = []Limit{LimitPerWire, LimitWiresDaily}

	restricted = ContextNeed{Restricted, ACHRestricted}
	debits     = ContextNeed{Debits, ACHDebits}
	sameDay    = ContextNeed{SameDay, ACHSameDay}
	recurring  = ContextNeed{Recurring, ACHRecurring}
	series     = ContextNeed{Recurring, WiresTransmitRecurring}
)

var operations = [OperationCount]OperationInfo{
	AccountView: {ID: "account.view", Label: "see an account", Needs: []Permission{AccountAccess}, Accounts: AccountRequired},

	ACHBatchView:        {ID: "ach.batch.view", Label: "see an ACH batch", Entitlement: ACH, Needs: []Permission{ACHView}, Context: []ContextNeed{restricted}},
	ACHBatchCreate:      {ID: "ach.batch.create", Label: "create an ACH batch", Entitlement: ACH, Needs: []Permission{ACHEditLevel}, EditLevel: EditFull, Context: []ContextNeed{restricted, debits}},
	ACHBatchEdit:        {ID: "ach.batch.edit", Label: "edit an ACH batch", Entitlement: ACH, Needs: []Permission{ACHEditLevel}, EditLevel: EditFull, EntryFields: true, Context: []ContextNeed{restricted, recurring, debits}},
	ACHRecipientsImport: {ID: "ach.recipients.import", Label: "import recipients into an ACH batch", Entitlement: ACH, Needs: []Permission{ACHImportRecipients, ACHEditLevel}, EditLevel: EditFull, Context: []ContextNeed{restricted}},
	ACHFileUpload:       {ID: "ach.file.upload", Label: "upload an ACH file", Entitlement: ACH, Needs: []Permission{ACHUploadFile}},
	ACHBatchInitiate:    {ID: "ach.batch.initiate", Label: "initiate an ACH batch", Entitlement: ACH, Needs: []Permission{ACHInitiate}, Accounts: AccountOptional, Limits: oneBatch, Context: []ContextNeed{restricted, sameDay, recurring, debits}, LastEditor: true, Counts: true},
	ACHBatchApprove:     {ID: "ach.batch.approve", Label: "approve an ACH batch", Entitlement: ACH, Needs: []Permission{ACHInitiate}, Accounts: AccountOptional, Limits: oneBatch, Context: []ContextNeed{restricted, sameDay, debits}, LastEditor: true},
	ACHBatchUninitiate:  {ID: "ach.batch.uninitiate", Label: "take back an initiated ACH batch", Entitlement: ACH, Needs: []Permission{ACHInitiate}, Context: []ContextNeed{restricted}},
	ACHBatchDelete:      {ID: "ach.batch.delete", Label: "delete an ACH batch", Entitlement: ACH, Needs: []Permission{ACHDelete}, Context: []ContextNeed{restricted}},

	ARPFileUpload:           {ID: "arp.file.upload", Label: "upload issued checks", Entitlement: ARP, Needs: []Permission{ARPUpload}, Accounts: AccountRequired},
	ARPFileDownload:         {ID: "arp.file.download", Label: "download the ARP output file", Entitlement: ARP, Needs: []Permission{ARPDownload}, Accounts: AccountRequired},
	ARPCheckExceptionDecide: {ID: "arp.check_exception.decide", Label: "decide a check exception", Entitlement: ARP, Needs: []Permission{ARPWorkChecks}, Accounts: AccountRequired},
	ARPACHExceptionDecide:   {ID: "arp.ach_exception.decide", Label: "decide an ACH exception", Entitlement: ARP, Needs: []Permission{ARPWorkACH}, Accounts: AccountRequired},

	CardsManageOperation: {ID: "cards.manage", Label: "manage cards", Entitlement: Cards, Needs: []Permission{CardsManage}, Accounts: AccountOptional},

	StopsViewOperation: {ID: "stops.view", Label: "see stop payments", Entitlement: Stops, Needs: []Permission{StopsView}, Accounts: AccountRequired},
	StopsAddOperation:  {ID: "stops.add", Label: "place a stop payment", Entitlement: Stops, Needs: []Permission{StopsAdd}, Accounts: AccountRequired},

	TransfersCreate: {ID: "transfers.create", Label: "transfer money between accounts", Entitlement: Transfers, Needs: []Permission{TransfersAllow}, Accounts: AccountPair, Limits: []Limit{LimitTransfer}, Counts: true},

	WiresView:                    {ID: "wires.view", Label: "see wires", Entitlement: Wires, Needs: []Permission{WiresWork}, needsCreditUnion: []Permission{WiresEnabled}, Accounts: AccountRequired},
	WiresTemplateCreateOperation: {ID: "wires.template.create", Label: "create a wire template", Entitlement: Wires, Needs: []Permission{WiresTemplateCreate}, Accounts: AccountRequired},
	WiresTemplateEditOperation:   {ID: "wires.template.edit", Label: "edit a wire template", Entitlement: Wires, Needs: []Permission{WiresTemplateEdit}, Accounts: AccountRequired},
	WiresOneTimeCreateOperation:  {ID: "wires.one_time.create", Label: "create a one-time wire", Entitlement: Wires, Needs: []Permission{WiresOneTimeCreate}, Accounts: AccountRequired},
	WiresOneTimeEditOperation:    {ID: "wires.one_time.edit", Label: "edit a one-time wire", Entitlement: Wires, Needs: []Permission{WiresOneTimeEdit}, Accounts: AccountRequired},
	WiresRecurringEditOperation:  {ID: "wires.recurring.edit", Label: "edit a recurring wire", Entitlement: Wires, Needs: []Permission{WiresRecurringEdit}, Accounts: AccountRequired},
	WiresTransmitOperation:       {ID: "wires.transmit", Label: "send a wire", Entitlement: Wires, Needs: []Permission{WiresTransmit}, Accounts: AccountRequired, Limits: oneWire, Context: []ContextNeed{series}, Dated: true, Counts: true},
	WiresApprove:                 {ID: "wires.approve", Label: "approve a wire", Entitlement: Wires, Needs: []Permission{WiresTransmit}, Accounts: AccountRequired, Limits: oneWire, Context: []ContextNeed{series}, Dated: true},

	ViewUsers:              administration("view_users", "see the organization's people"),
	CreateUser:             administration("create_user", "create a user"),
	DeleteUser:             administration("delete_user", "delete a user"),
	UnlockUser:             administration("unlock_user", "unlock a user"),
	ResetPassword:          administration("reset_password", "send a password reset link"),
	HoldUser:               administration("hold_user", "hold a user's account access"),
	ViewProfile:            administration("view_profile", "see a user's profile"),
	EditProfile:            administration("edit_profile", "edit a user's profile"),
	ViewPermissions:        administration("view_permissions", "see a user's permissions"),
	EditPermissions:        administration("edit_permissions", "change a user's permissions"),
	ViewAccountPermissions: administration("view_account_permissions", "see a user's account permissions"),
	EditAccountPermissions: administration("edit_account_permissions", "change a user's account permissions"),
}

func administration(power, label string) OperationInfo {
	return OperationInfo{ID: "user_management." + power, Label: label, Entitlement: UserManagement, Needs: []Permission{UserManagementEnabled}, Power: power}
}

var operationByID = func() map[string]Operation {
	byID := make(map[string]Operation, OperationCount)
	for op := UnknownOperation + 1; op < OperationCount; op++ {
		operations[op].Operation = op
		byID[operations[op].ID] = op
	}
	return byID
}()

// Operations are all operations in catalogue order.
func Operations() []Operation {
	var all []Operation
	for op := UnknownOperation + 1; op < OperationCount; op++ {
		all = append(all, op)
	}
	return all
}

// Info describes the operation.
func (o Operation) Info() *OperationInfo { return &operations[o] }

// ID is the operation's stable name, such as "wires.transmit"; empty for the
// unknown operation.
func (o Operation) ID() string { return operations[o].ID }

func (o Operation) String() string { return o.ID() }

// HighRisk reports whether somebody who does it on a screen is asked for a
// high-risk authorization: always, or where what they change asks for one.
func (o Operation) HighRisk() bool { return highRisk[o] }

var highRisk = [OperationCount]bool{
	ACHBatchInitiate: true, ACHBatchApprove: true, TransfersCreate: true,
	WiresTransmitOperation: true, WiresApprove: true, WiresRecurringEditOperation: true,
	StopsAddOperation: true, CardsManageOperation: true,
	ARPFileUpload: true, ARPCheckExceptionDecide: true, ARPACHExceptionDecide: true,
	CreateUser: true, DeleteUser: true, HoldUser: true, EditProfile: true, EditPermissions: true, EditAccountPermissions: true,
}

// ParseOperation finds an operation by its stable name; an unknown name gives
// UnknownOperation.
func ParseOperation(id string) Operation { return operationByID[id] }

// Named are the permissions that the operation names in an edition.
func (i *OperationInfo) Named(edition bank.Edition) []Permission {
	if edition == bank.EditionCreditUnion && i.needsCreditUnion != nil {
		return i.needsCreditUnion
	}
	return i.Needs
}

// In reports whether an edition has the operation at all.
func (o Operation) In(edition bank.Edition) bool {
	info := o.Info()
	if info.Entitlement != NoEntitlement && !info.Entitlement.In(edition) {
		return false
	}
	for _, p := range info.Named(edition) {
		if !p.In(edition) {
			return false
		}
	}
	return true
}

// RoleAllows reports whether a role has a power in User management. Everybody
// else's powers are decided by permissions.
func RoleAllows(role bank.Role, power string) bool {
	switch role {
	case bank.RoleAdmin:
		return true
	case bank.RoleViewer:
		return len(power) > 5 && power[:5] == "view_"
	}
	return false
}
