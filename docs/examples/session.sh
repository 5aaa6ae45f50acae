#!/usr/bin/env bash
# A whole campaign with curl: list, person, plan, campaign, start, wait, result.
#
#   OUTBOUND_URL=http://127.0.0.1:8080 OUTBOUND_ACCESS_KEY=vb_... docs/examples/session.sh
set -euo pipefail

url=${OUTBOUND_URL:-http://127.0.0.1:8080}/v1.0
key=${OUTBOUND_ACCESS_KEY:?set it to the access key that \`outbound up\` showed}
number=${1:-+15550100003}

# request METHOD PATH [BODY]: the answer's body; a refusal ends the script with the server's reason.
request() {
  curl --silent --show-error --fail-with-body --max-time 20 \
    --request "$1" "$url$2" \
    --header "Authorization: Bearer $key" \
    --header "Content-Type: application/json" \
    ${3:+--data "$3"}
}

# member NAME: one member of the JSON object on standard input, or the reason of a refusal.
member() {
  python3 -c '
import json, sys
answer = json.load(sys.stdin)
sys.exit(answer["error"]["message"]) if "error" in answer else print(answer[sys.argv[1]])
' "$1"
}

outdial=$(request POST /outdials '{"name": "curl example", "detail": "one person"}' | member id)
echo "outdial  $outdial"

target=$(request POST "/outdials/$outdial/targets" \
  "{\"name\": \"a person\", \"destination_0\": {\"type\": \"tel\", \"target\": \"$number\"}}" | member id)
echo "target   $target"

outplan=$(request POST /outplans '{
  "name": "curl example",
  "source": {"type": "tel", "target": "+15550100000"},
  "dial_timeout": 20000,
  "try_interval": 1000,
  "max_try_count_0": 3
}' | member id)
echo "outplan  $outplan"

campaign=$(request POST /campaigns "{
  \"name\": \"curl example\",
  \"type\": \"call\",
  \"end_handle\": \"stop\",
  \"outdial_id\": \"$outdial\",
  \"outplan_id\": \"$outplan\",
  \"actions\": [{\"type\": \"talk\", \"option\": {\"text\": \"Hello.\", \"language\": \"en-US\"}}]
}" | member id)
echo "campaign $campaign"

request PUT "/campaigns/$campaign" '{"status": "running"}' >/dev/null

status=run
for _ in $(seq 240); do
  status=$(request GET "/campaigns/$campaign" | member status)
  [ "$status" = stop ] && break
  sleep 0.5
done
[ "$status" = stop ] || { echo "the campaign still runs" >&2; exit 1; }
echo "state    $(request GET "/campaigns/$campaign" | member state)"

request GET "/campaigns/$campaign/campaigncalls?page_size=100" | python3 -c '
import json, sys
for call in json.load(sys.stdin)["result"]:
    print("call    ", call["destination"]["target"], "try", call["try_count"], call["hangup_reason"], call["result"])
'
