#!/bin/sh
# Verifies a webhook: webhook.sh ID TIMESTAMP SIGNATURE, the body on standard
# input, the secret in MANDATE_WEBHOOK_SECRET. Prints the body if it is genuine
# and not older than five minutes; fails otherwise.
set -eu

id=$1 stamp=$2 signatures=$3
body=$(mktemp)
trap 'rm -f "$body"' EXIT
cat >"$body"

age=$(($(date +%s) - stamp))
if [ "$age" -gt 300 ] || [ "$age" -lt -300 ]; then
	echo "too old, or from the future" >&2
	exit 1
fi

key=$(printf %s "${MANDATE_WEBHOOK_SECRET#whsec_}" | base64 -d | od -An -v -tx1 | tr -d ' \n')
want=v1,$({ printf '%s.%s.' "$id" "$stamp"; cat "$body"; } | openssl dgst -sha256 -mac HMAC -macopt "hexkey:$key" -binary | base64)

for signature in $signatures; do # several while the secret is rotated
	if [ "$signature" = "$want" ]; then
		cat "$body"
		exit 0
	fi
done
echo "not signed with this secret" >&2
exit 1
