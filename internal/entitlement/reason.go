package entitlement

import (
	"mandate/internal/bank"
	"mandate/internal/catalog"
)

// A Code says what kind of thing blocks. It is stable, for programs.
type Code string

// Codes of deciding (spec, section 2).
const (
	MemberStatus           Code = "MEMBER_STATUS"
	MemberHeld             Code = "MEMBER_HELD"
	InstitutionOff         Code = "INSTITUTION_OFF"
	OrganizationOff        Code = "ORGANIZATION_OFF"
	OrganizationAccountOff Code = "ORGANIZATION_ACCOUNT_OFF"
	NotInEdition           Code = "NOT_IN_EDITION"
	UserOff                Code = "USER_OFF"
	AccountAccessOff       Code = "ACCOUNT_ACCESS_OFF"
	AccountOff             Code = "ACCOUNT_OFF"
	UnknownAccount         Code = "UNKNOWN_ACCOUNT"
	SameAccount            Code = "SAME_ACCOUNT"
	RoleForbids            Code = "ROLE"
	SecondPersonRequired   Code = "SECOND_PERSON_REQUIRED"
	InvalidAmount          Code = "INVALID_AMOUNT"
	InvalidDate            Code = "INVALID_DATE"
	InvalidContext         Code = "INVALID_CONTEXT"
	UnknownOperation       Code = "UNKNOWN_OPERATION"
	UnknownMember          Code = "UNKNOWN_MEMBER"
	LimitPerTransaction    Code = "LIMIT_PER_TRANSACTION"
	LimitDaily             Code = "LIMIT_DAILY"
)

// Codes of authorizing (spec, section 3).
const (
	RefReused           Code = "REF_REUSED"
	RefVoided           Code = "REF_VOIDED"
	UnknownRef          Code = "UNKNOWN_REF"
	NotPending          Code = "NOT_PENDING"
	NotApproved         Code = "NOT_APPROVED"
	SelfApproval        Code = "SELF_APPROVAL"
	InitiatorNotAllowed Code = "INITIATOR_NOT_ALLOWED"
	ApproverNotAllowed  Code = "APPROVER_NOT_ALLOWED"
	Confirmed           Code = "CONFIRMED"
)

// ApprovalRequired tells a caller that knows nothing of approvals why the
// answer is no (spec, section 5).
const ApprovalRequired Code = "APPROVAL_REQUIRED"

// A Level is where something is set.
type Level uint8

const (
	LevelRequest Level = iota // the question itself
	LevelInstitution
	LevelOrganization
	LevelOrganizationAccount
	LevelUser
	LevelUserAccount
)

var levelNames = [...]string{"request", "institution", "organization", "organization_account", "organization_user", "organization_user_account"}

func (l Level) String() string { return levelNames[l] }

// NoPermission stands where a reason names none.
const NoPermission = catalog.PermissionCount

// A Reason is one thing that blocks, and where. Reasons are comparable: two
// equal reasons are one.
type Reason struct {
	Code       Code
	Level      Level
	Permission catalog.Permission // NoPermission where it names none
	Account    bank.AccountID     // empty where it names none
	Limit      bank.Cents         // of a limit: the amount it is set to
	Used       bank.Cents         // of a daily limit: what already counts
}

// A Decision is the answer to a Request. The zero Decision is a refusal.
type Decision struct {
	Allowed          bool
	ApprovalRequired bool // allowed, and a second person must approve before it goes out
	Reasons          []Reason
}

// Has reports whether one of the reasons has a code.
func (d Decision) Has(code Code) bool {
	for _, r := range d.Reasons {
		if r.Code == code {
			return true
		}
	}
	return false
}

// Refused is a refusal for one reason of the request itself.
func Refused(code Code) Decision {
	return Decision{Reasons: []Reason{{Code: code, Level: LevelRequest, Permission: NoPermission}}}
}
