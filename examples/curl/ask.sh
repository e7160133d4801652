#!/bin/sh
# Asks whether somebody may send wires: one question, a batch, and one that
# demands to know at least what the first answer knew. Whatever is not a clear yes
# is a no.
set -eu

ask() { # ask ADDRESS BODY [HEADER]: prints the answer, and keeps its headers
	curl --silent --show-error --fail-with-body --max-time 5 --dump-header "$headers" \
		--header "Authorization: Bearer $MANDATE_KEY" --header 'Content-Type: application/json' \
		--header "${3-Accept: application/json}" --data "$2" "$MANDATE_URL/access/v1/$1"
}

wire() { # wire AMOUNT: the question
	printf '{"subject":{"type":"user","id":"%s"},"action":{"name":"wires.transmit","properties":{"amount":"%s"}},"resource":{"type":"account","id":"%s"}}' \
		"$MANDATE_MEMBER" "$1" "$MANDATE_ACCOUNT"
}

yes() { # yes ANSWER: is it a clear yes?
	case $1 in '{"decision":true}' | '{"decision":true,'*) echo true ;; *) echo false ;; esac
}

headers=$(mktemp)
trap 'rm -f "$headers"' EXIT

answer=$(ask evaluation "$(wire 9000.00)") || answer=
echo "single $(yes "$answer")"
revision=$(tr -d '\r' <"$headers" | sed -n 's/^[Mm]andate-[Rr]evision: //p')

answer=$(ask evaluations "{\"evaluations\":[$(wire 9000.00),$(wire 900000.00)]}") || answer=
echo "batch $(printf %s "$answer" | grep -o '"decision":[a-z]*' | cut -d: -f2 | tr '\n' ' ' | sed 's/ $//')"

answer=$(ask evaluation "$(wire 9000.00)" "Mandate-Revision: $revision") || answer=
echo "fresh $(yes "$answer")"
