package generate

// Names that people have, of many origins, and made-up names of firms, streets
// and towns. Order matters: a seed picks by place.
var firstNames = []string{
	"Aaliyah", "Abdul", "Adaeze", "Agnieszka", "Ahmed", "Aisha", "Alejandra", "Alice", "Amara", "Amir", "Ana", "Andre", "Anh", "Anita", "Anjali",
	"Antonio", "Aoife", "Arjun", "Astrid", "Ayumi", "Beatriz", "Ben", "Björn", "Bridget", "Camila", "Carlos", "Carmen", "Cedric", "Chidi", "Chloe",
	"Chen", "Claire", "Dalia", "Dana", "Daniel", "Darnell", "David", "Deepak", "Demetrius", "Diego", "Dmitri", "Ebony", "Eduardo", "Elena", "Elias",
	"Emeka", "Emily", "Emre", "Esther", "Ethan", "Eun-ji", "Fatima", "Felix", "Fernando", "Fiona", "Francesca", "Gabriel", "Giang", "Giulia", "Grace",
	"Hadiya", "Hana", "Hannah", "Haruto", "Hassan", "Hector", "Helen", "Hiroshi", "Hugo", "Ibrahim", "Imani", "Ines", "Ingrid", "Isaac", "Isabel",
	"Ivan", "Jada", "Jamal", "James", "Jasmine", "Javier", "Jin", "Joao", "Jorge", "José", "Joseph", "Josephine", "Juan", "Julia", "Kaito", "Kamala",
	"Karim", "Katarzyna", "Kavita", "Kehinde", "Keisha", "Kenji", "Khadija", "Kofi", "Kwame", "Lars", "Latisha", "Laura", "Layla", "Leila", "Leon",
	"Liam", "Lin", "Lucia", "Lukas", "Luz", "Mai", "Malik", "Manuel", "Marcus", "Margaret", "Maria", "Mariam", "Marisol", "Mateo", "Maya", "Mei",
	"Mercedes", "Mikhail", "Min-jun", "Miriam", "Mohammed", "Monique", "Nadia", "Naomi", "Natasha", "Ngozi", "Nia", "Nikhil", "Nina", "Noah", "Noor",
	"Oksana", "Olga", "Oluwaseun", "Omar", "Oscar", "Patrick", "Paul", "Pedro", "Petra", "Phuong", "Pilar", "Priya", "Quentin", "Rachel", "Rafael",
	"Rahul", "Ramon", "Raquel", "Rashid", "Renata", "Rosa", "Ruth", "Saanvi", "Samira", "Samuel", "Sanjay", "Sara", "Sean", "Sergei", "Shanice",
	"Siobhan", "Sofia", "Soo-jin", "Stefan", "Suresh", "Tamika", "Tariq", "Teresa", "Thanh", "Thomas", "Tomasz", "Tyrone", "Uma", "Valentina",
	"Vikram", "Wanjiru", "Wei", "Xavier", "Ximena", "Yara", "Yasmin", "Yuki", "Yusuf", "Zainab", "Zara", "Zoë",
}

var lastNames = []string{
	"Abara", "Abdi", "Acosta", "Adeyemi", "Aguilar", "Ahmadi", "Alvarez", "Anderson", "Aoki", "Banerjee", "Barros", "Becker", "Begum", "Bello", "Bianchi",
	"Boateng", "Brennan", "Brooks", "Cabrera", "Campbell", "Castillo", "Chaudhry", "Chavez", "Choi", "Clarke", "Cohen", "Cole", "Contreras", "Costa",
	"Cruz", "Da Silva", "Das", "Davies", "De Leon", "Delgado", "Desai", "Diaz", "Diallo", "Dubois", "Duong", "Edwards", "Eriksen", "Espinoza", "Farouk",
	"Fernandes", "Ferrari", "Fischer", "Flores", "Fofanah", "Fontaine", "Friedman", "Fujimoto", "Garcia", "Goldstein", "Gonzalez", "Greene", "Guerrero",
	"Gupta", "Haddad", "Haile", "Hansen", "Hayashi", "Henderson", "Herrera", "Hoang", "Hughes", "Hussain", "Ibarra", "Ito", "Iyer", "Jackson", "Jansen",
	"Jimenez", "Johnson", "Joseph", "Kaplan", "Kapoor", "Kaur", "Keita", "Kelly", "Khan", "Kim", "Kowalski", "Kruger", "Kumar", "Larsen", "Le", "Lee",
	"Levy", "Lindqvist", "Lopez", "Mahmoud", "Maldonado", "Martinez", "Mbeki", "McCarthy", "Mehta", "Mendoza", "Mensah", "Mitchell", "Moore", "Morales",
	"Moreau", "Morgan", "Moyo", "Müller", "Murphy", "Nakamura", "Navarro", "Nguyen", "Novak", "Nwosu", "O'Brien", "O'Neill", "Okafor", "Okeke", "Olsen",
	"Ortega", "Osei", "Owens", "Pacheco", "Park", "Patel", "Pereira", "Perez", "Petrov", "Pham", "Popescu", "Quinn", "Rahman", "Ramirez", "Rao", "Reddy",
	"Reyes", "Rivera", "Robinson", "Rossi", "Rosen", "Ruiz", "Saito", "Salazar", "Sanders", "Santos", "Sato", "Schmidt", "Sharma", "Shapiro", "Singh",
	"Smith-Ortiz", "Sokolov", "Soto", "Stewart", "Suzuki", "Svensson", "Tanaka", "Taylor", "Tesfaye", "Thompson", "Torres", "Tran", "Turner", "Vargas",
	"Vasquez", "Vega", "Villanueva", "Walker", "Wang", "Watanabe", "Weber", "Williams", "Wilson", "Wong", "Wright", "Yamamoto", "Yang", "Yilmaz",
	"Zamora", "Zhang", "Zielinski",
}

var firmStems = []string{
	"Alderwick", "Amberlode", "Ashquill", "Barrowmere", "Bellhollow", "Birchlock", "Blackthistle", "Bramblegate", "Brindlemoor", "Brookhaller",
	"Calderhollow", "Candlewend", "Cinderford Row", "Cloverhithe", "Copperlane", "Cragmoor Bay", "Cresswater", "Crowmarsh", "Dapplewood", "Deepwell Ridge",
	"Dunmarrow", "Eastmarrow", "Elderfenn", "Emberlake", "Fallowmere", "Fennimont", "Fernquarry", "Flintharbor", "Foxglade", "Gablestone", "Glimmerfold",
	"Goldenfen", "Granite Hollow", "Greyfalcon", "Hallowbrook", "Harrowgate Point", "Hawkmere", "Hazelquay", "Heronfield", "Highlarch", "Hollowpine",
	"Ironwillow", "Ivorydale", "Juniper Quay", "Kestrelmoor", "Kingfisher Row", "Lanternhill", "Larkmere", "Ledgerock", "Lindenquist", "Longmeadow Fork",
	"Marblecross", "Marrowstone", "Millrace", "Mossgate", "Northquill", "Oakhaven Rise", "Oldbarn", "Otterbrook", "Palewater", "Peartree Bend", "Pinnacle Fen",
	"Plumwood", "Quarryside", "Quillhaven", "Ravensholt", "Redcedar Lane", "Rookwell", "Rosemarrow", "Saltmarsh Row", "Sandpiper Cove", "Shalebrook",
	"Silverbirch Hill", "Slatewater", "Sorrelfield", "Sparrowgate", "Springhallow", "Starling Point", "Stonewick", "Sundale Creek", "Swallowtail",
	"Tamarind Row", "Thistledown", "Thornapple", "Timberquay", "Tollgate", "Umberfield", "Vinecrest", "Wavecrest Inlet", "Westmarrow", "Whitlock Fen",
	"Willowbend", "Windrow", "Wintergreen Pass", "Woodlark", "Wrenfield", "Yarrowgate",
}

var firmTrades = []string{
	"Accounting", "Animal Hospital", "Architects", "Auto Repair", "Bakery", "Bicycle Works", "Brewing", "Builders", "Catering", "Cold Storage",
	"Construction", "Contracting", "Dairy", "Dental Group", "Design Studio", "Distribution", "Electric", "Engineering", "Equipment Rental", "Eye Care",
	"Farms", "Feed & Seed", "Floral", "Foods", "Freight", "Furniture", "Grain", "Greenhouses", "Hardware", "Heating & Cooling", "Home Health",
	"Hospitality", "Instruments", "Insurance Agency", "Janitorial", "Landscaping", "Legal Aid Society", "Logistics", "Lumber", "Machine Works", "Marine Supply",
	"Medical Associates", "Metal Fabrication", "Montessori School", "Nursery", "Optical", "Orchards", "Packaging", "Paper", "Pharmacy", "Physical Therapy",
	"Plumbing", "Pottery", "Printing", "Property Management", "Realty", "Recycling", "Restaurant Group", "Roofing", "School District", "Seafood", "Security Services",
	"Senior Living", "Solar", "Staffing", "Stone & Tile", "Surveying", "Textiles", "Title Company", "Tool & Die", "Transport", "Vineyards", "Water District",
	"Welding", "Wholesale", "Woodworks",
}

var firmForms = []string{"", "", "", " LLC", " LLC", " LLC", ", Inc.", ", Inc.", " Co.", " & Sons", " Partners", " Group", " Cooperative", ", PC"}

var streets = []string{
	"Alder", "Bank", "Bluff", "Canal", "Chestnut", "Commerce", "Depot", "Elm", "Ferry", "Foundry", "Garden", "Granite", "Harbor", "Hickory", "Industrial",
	"Juniper", "Lakeview", "Laurel", "Locust", "Magnolia", "Market", "Meadow", "Mill", "Mulberry", "Orchard", "Pine", "Prairie", "Quarry", "Railroad",
	"River", "Spruce", "Station", "Sycamore", "Tannery", "Union", "Vine", "Walnut", "Warehouse", "Water", "Willow",
}

var streetKinds = []string{"St", "Ave", "Rd", "Blvd", "Ln", "Dr", "Way", "Pkwy"}

var towns = []struct{ name, state, zip, area string }{
	{"Amberlode", "IA", "509", "515"}, {"Barrow Falls", "MN", "559", "507"}, {"Bellhollow", "MO", "648", "417"}, {"Cinder Springs", "OK", "734", "580"},
	{"Cloverhithe", "WI", "537", "608"}, {"Cragmoor", "CO", "809", "719"}, {"Deepwell", "TX", "789", "512"}, {"Dunmarrow", "KS", "667", "620"},
	{"Eastmarrow", "IL", "619", "217"}, {"Fallow Creek", "NE", "688", "308"}, {"Fennimont", "IN", "479", "765"}, {"Flint Harbor", "MI", "498", "231"},
	{"Granite Hollow", "MT", "598", "406"}, {"Hawkmere", "OH", "456", "740"}, {"Hollow Pine", "AR", "719", "501"}, {"Kestrel", "WY", "829", "307"},
	{"Lantern Hill", "TN", "379", "865"}, {"Marble Cross", "KY", "427", "270"}, {"Old Barn", "SD", "577", "605"}, {"Otterbrook", "ND", "587", "701"},
	{"Plumwood", "LA", "713", "318"}, {"Quarryside", "NM", "879", "505"}, {"Saltmarsh", "SC", "299", "843"}, {"Shalebrook", "PA", "169", "814"},
}

var accountKinds = []struct{ name, kind string }{
	{"Operating", "checking"}, {"Payroll", "checking"}, {"Tax reserve", "savings"}, {"Money market", "money market"}, {"Accounts payable", "checking"},
	{"Receivables", "checking"}, {"Petty cash", "checking"}, {"Capital reserve", "savings"}, {"Client trust", "checking"}, {"Merchant settlement", "checking"},
	{"Insurance reserve", "savings"}, {"Line of credit", "loan"}, {"Equipment loan", "loan"}, {"Certificate of deposit", "certificate"}, {"Benefits", "checking"},
	{"Escrow", "checking"}, {"Project", "checking"}, {"Branch", "checking"}, {"Sweep", "savings"}, {"Emergency fund", "savings"},
}
