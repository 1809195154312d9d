#!/bin/sh
# The same by curl: sh http_curl.sh http://127.0.0.1:8321 shgat_...
set -eu
URL=$1
ask() { curl -sS --fail-with-body -H "Authorization: Bearer $KEY" -H "Content-Type: application/json" "$@"; }
KEY=$2

ANSWER=$(ask "$URL/v1/rank" -d '{"text": "send the report to Ada", "top_k": 3}')
echo "$ANSWER"
DECISION=$(echo "$ANSWER" | sed 's/.*"decision_id":"\([0-9a-f]*\)".*/\1/')
TOOL=$(echo "$ANSWER" | sed 's/.*"items":\[{"id":"\([^"]*\)".*/\1/')
ask "$URL/v1/feedback" -H "Idempotency-Key: $DECISION" -d "{\"decision_id\": \"$DECISION\", \"tools\": [\"$TOOL\"], \"outcome\": 1}"
echo
