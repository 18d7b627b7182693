# shellcheck shell=bash disable=SC2153 # settings.sh sets what is in capitals
# PAYLOAD_DAYS: every night Cloud Scheduler sends BigQuery a statement that empties older payloads. It runs as an account of its own,
# the only one that may change the rows of `events`; that account exists only while PAYLOAD_DAYS is a number.

PAYLOAD_SCHEDULE='37 3 * * *' # at 03:37 UTC

# empty_payloads: creates or corrects the job; with PAYLOAD_DAYS=keep it removes the job and its account, if they are there.
empty_payloads() {
  local table flags headers=headers verb=create
  if [[ -z $PAYLOAD_JOB ]]; then
    ! is_ours account "$(email payloads)" || keep_payloads
    return
  fi
  step "BigQuery: empty payloads after $PAYLOAD_DAYS days"
  grant "$(member payloads)" roles/bigquery.dataEditor table/events
  table=$(list_payload_job)
  [[ $(payload_job_of "$table") != "$(expected_payload_job)" ]] || return 0
  [[ -z $(row "$PAYLOAD_JOB" "$table") ]] || verb=update headers=update-headers
  flags=(
    --location="$REGION" --schedule="$PAYLOAD_SCHEDULE" --time-zone=Etc/UTC --uri="$(queries_url)" --http-method=POST
    "--$headers=Content-Type=application/json" --message-body="$(payload_request)"
    --oauth-service-account-email="$(email payloads)" --oauth-token-scope=https://www.googleapis.com/auth/bigquery
    --attempt-deadline=1800s --description="Issuewire empties payloads after $PAYLOAD_DAYS days"
  )
  mutate gcloud scheduler jobs "$verb" http "$PAYLOAD_JOB" "${flags[@]}"
}

keep_payloads() {
  local PAYLOAD_JOB
  PAYLOAD_JOB=$(service empty_payloads)
  step 'BigQuery: payloads are kept from now on'
  read_existing job
  ! is_ours job "$PAYLOAD_JOB" || delete job "$PAYLOAD_JOB"
  if has_line "roles/bigquery.jobUser|$(member payloads)|" "$(project_roles)"; then
    mutate gcloud projects remove-iam-policy-binding "$PROJECT" --member="$(member payloads)" --role=roles/bigquery.jobUser --condition=None
  fi
  delete account "$(email payloads)"
}

queries_url() { printf 'https://bigquery.googleapis.com/bigquery/v2/projects/%s/queries' "$PROJECT"; }

# The request of jobs.query. BigQuery cannot change rows that were streamed within about the last half hour: they are left for the
# next night. It answers after 200 seconds at the latest, and then goes on.
payload_request() {
  local text
  text=$(<deploy/payloads.json)
  # shellcheck disable=SC2016 # the file contains these literally
  text=${text//'${DATASET}'/$DATASET} text=${text//'${PAYLOAD_DAYS}'/$PAYLOAD_DAYS} text=${text//'${BQ_LOCATION}'/$BQ_LOCATION}
  printf '%s' "$text"
}

# Prints "NAME|STATE|SCHEDULE|ZONE|URL|ACCOUNT|BODY|CODE" for each job of the region; CODE is that of a last call that failed.
list_payload_job() {
  local target='httpTarget.uri,httpTarget.oauthToken.serviceAccountEmail,httpTarget.body'
  query_list gcloud scheduler jobs list --location="$REGION" \
    --format="value[separator='|'](name.basename(),state,schedule,timeZone,$target,status.code)"
}

payload_job_of() { row "$PAYLOAD_JOB" "$1" | cut -d '|' -f 2-6; }

payload_body() { payload_request | base64 | tr -d '\n'; }

expected_payload_job() { printf '%s' "$PAYLOAD_SCHEDULE|Etc/UTC|$(queries_url)|$(email payloads)|$(payload_body)"; }

status_of_payloads() {
  local table problem='' job
  [[ -n $PAYLOAD_JOB ]] || return 0
  table=$(list_payload_job)
  job=$(row "$PAYLOAD_JOB" "$table")
  if [[ -z $job ]]; then
    problem='missing, so payloads are kept; ./deploy.sh setup'
  elif [[ $job != ENABLED\|* ]]; then
    problem="is paused; gcloud scheduler jobs resume $PAYLOAD_JOB --location=$REGION"
  elif [[ $(payload_job_of "$table") != "$(expected_payload_job)" ]]; then
    problem='has other settings; ./deploy.sh setup'
  elif [[ ! ${job##*|} =~ ^0?$ ]]; then
    problem="BigQuery refused its last statement; gcloud scheduler jobs run $PAYLOAD_JOB --location=$REGION, and see its log"
  fi
  status_line "schedule $PAYLOAD_JOB" "payloads are emptied after $PAYLOAD_DAYS days" "$problem"
}
