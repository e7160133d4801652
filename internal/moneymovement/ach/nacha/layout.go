package nacha

// A span is where a field stands in a record, from 0.
type span struct {
	name     string
	from, to int
}

func (s span) of(record string) string { return record[s.from:s.to] }

var recordNames = map[byte]string{
	'1': "file header", '5': "batch header", '6': "entry", '7': "addenda", '8': "batch control", '9': "file control",
}

// recordName is a kind of record in words, empty where there is none.
func recordName(kind byte) string { return recordNames[kind] }

var (
	headerService     = span{"service class code", 1, 4}
	headerCompany     = span{"company name", 4, 20}
	headerData        = span{"company discretionary data", 20, 40}
	headerCompanyID   = span{"company identification", 40, 50}
	headerSEC         = span{"standard entry class code", 50, 53}
	headerDescription = span{"company entry description", 53, 63}
	headerDescriptive = span{"company descriptive date", 63, 69}
	headerEffective   = span{"effective entry date", 69, 75}
	headerSettlement  = span{"settlement date", 75, 78}
	headerStatus      = span{"originator status code", 78, 79}
	originating       = span{"ODFI identification", 79, 87}
	batchNumber       = span{"batch number", 87, 94}

	entryCode      = span{"transaction code", 1, 3}
	entryRouting   = span{"RDFI identification", 3, 12}
	entryAccount   = span{"account number", 12, 29}
	entryAmount    = span{"amount", 29, 39}
	entryID        = span{"identification number", 39, 54}
	entryName      = span{"individual name", 54, 76}
	entryData      = span{"discretionary data", 76, 78}
	entryIndicator = span{"addenda record indicator", 78, 79}
	entryTrace     = span{"trace number", 79, 94}

	internationalAccount = span{"account number", 39, 74}
	internationalName    = span{"receiving name", 46, 81} // of its first addenda
	countedName          = span{"receiving company", 58, 74}

	addendaType  = span{"addenda type code", 1, 3}
	addendaText  = span{"payment related information", 3, 83}
	addendaPlace = span{"addenda sequence number", 83, 87}
	addendaEntry = span{"entry sequence number", 87, 94}

	controlCount   = span{"entry and addenda count", 4, 10}
	controlHash    = span{"entry hash", 10, 20}
	controlDebits  = span{"total debit amount", 20, 32}
	controlCredits = span{"total credit amount", 32, 44}
	controlCompany = span{"company identification", 44, 54}

	fileDestination     = span{"immediate destination", 3, 13}
	fileOrigin          = span{"immediate origin", 13, 23}
	fileDestinationName = span{"immediate destination name", 40, 63}
	fileOriginName      = span{"immediate origin name", 63, 86}

	fileBatches = span{"batch count", 1, 7}
	fileBlocks  = span{"block count", 7, 13}
	fileEntries = span{"entry and addenda count", 13, 21}
	fileHash    = span{"entry hash", 21, 31}
	fileDebits  = span{"total debit amount", 31, 43}
	fileCredits = span{"total credit amount", 43, 55}
)

var fields = map[byte][]span{
	'1': {fileDestination, fileOrigin, fileDestinationName, fileOriginName},
	'5': {headerService, headerCompany, headerData, headerCompanyID, headerSEC, headerDescription, headerDescriptive, headerEffective,
		headerSettlement, headerStatus, originating, batchNumber},
	'6': {entryCode, entryRouting, entryAccount, entryAmount, entryID, entryName, entryData, entryIndicator, entryTrace},
	'7': {addendaType, addendaText, addendaPlace, addendaEntry},
	'8': {controlCount, controlHash, controlDebits, controlCredits, controlCompany, originating, batchNumber},
	'9': {fileBatches, fileBlocks, fileEntries, fileHash, fileDebits, fileCredits},
}

// fieldAt is the field of a record that a position belongs to.
func fieldAt(kind byte, at int) string {
	for _, f := range fields[kind] {
		if f.from <= at && at < f.to {
			return f.name
		}
	}
	return ""
}
