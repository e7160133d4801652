#!/bin/sh
# Carries two payments: one is authorized and confirmed, which is the moment at
# which it may go; the other is authorized and given back. The Idempotency-Key
# makes every call one that can be repeated after a failure.
set -eu

call() { # call PATH KEY [BODY]: prints the answer; repeats what got none
	curl --silent --show-error --fail-with-body --max-time 5 --retry 3 --retry-connrefused --request POST \
		--header "Authorization: Bearer $MANDATE_KEY" --header 'Content-Type: application/json' \
		--header "Idempotency-Key: $2" --data "${3-}" "$MANDATE_URL/api/v1/authorizations$1"
}

payment() { # payment REF
	printf '{"ref":"%s","member":"%s","operation":"wires.transmit","account":"%s","amount":"10.00"}' "$1" "$MANDATE_MEMBER" "$MANDATE_ACCOUNT"
}

yes() { # yes ANSWER: is the decision a clear yes?
	if printf %s "$1" | grep -q '"decision":true[,}]'; then echo true; else echo false; fi
}

run=curl-$(date +%s)-$$

answer=$(call '' "$run-1" "$(payment "$run-1")") || answer=
echo "authorized $(yes "$answer")"
answer=$(call "/$run-1/confirm" "$run-1-confirm") || answer=
echo "confirmed $(yes "$answer")" # nothing is sent before this is true

call '' "$run-2" "$(payment "$run-2")" >/dev/null || true
answer=$(call "/$run-2/void" "$run-2-void") || answer=
echo "voided $(yes "$answer")"
