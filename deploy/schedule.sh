# shellcheck shell=bash disable=SC2034,SC2153 # the other parts set and use what is in capitals
# Cloud Scheduler calls the functions whose TRIGGER is schedule. A job has no labels; ours have a description that begins with
# Issuewire.

# connect_schedule NAME: allows the calls, and creates or corrects the job.
connect_schedule() {
  local service table flags verb=update
  service=$(service "$1")
  step "call $1 by its schedule"
  mutate gcloud run services add-iam-policy-binding "$service" --region="$REGION" --member="$(member push)" --role=roles/run.invoker
  table=$(list_job)
  [[ $(job_of "$service" "$table") != "$(expected_job)" ]] || return 0
  flags=(
    --location="$REGION" --schedule="$SCHEDULE" --time-zone="$ZONE" --uri="$URL/" --http-method=POST
    --oidc-service-account-email="$(email push)" --oidc-token-audience="$URL" --attempt-deadline=1800s
    --max-retry-attempts="$RETRIES" --min-backoff=300s --max-backoff=3600s
    --description="Issuewire $1"
  )
  [[ -n $(row "$service" "$table") ]] || verb=create
  mutate gcloud scheduler jobs "$verb" http "$service" "${flags[@]}"
}

# Prints "NAME|LABEL|STATE|SCHEDULE|ZONE|DEADLINE|RETRIES|URL|ACCOUNT|AUDIENCE" for each job of the region.
list_job() {
  local target='httpTarget.uri,httpTarget.oidcToken.serviceAccountEmail,httpTarget.oidcToken.audience'
  query_list gcloud scheduler jobs list --location="$REGION" \
    --format="value[separator='|'](name.basename(),description,state,schedule,timeZone,attemptDeadline,retryConfig.retryCount.yesno(no=0),$target)" |
    sed -E "s/^([^|]*)\|Issuewire [^|]*/\1|${LABEL#*=}/"
}

job_of() { row "$1" "$2" | cut -d '|' -f 3-; }

# Prints what job_of prints for a job that is right. URL, SCHEDULE, ZONE and RETRIES are those of the function.
expected_job() { printf '%s' "$SCHEDULE|$ZONE|1800s|$RETRIES|$URL/|$(email push)|$URL"; }

# find_ingest: puts the addresses of ingest into INGEST_ADDRESSES, separated by commas: reconcile knows our webhooks by them.
find_ingest() {
  local addresses
  if [[ -n $DRY_RUN ]]; then
    INGEST_ADDRESSES=https://$(service ingest)-HASH.run.app/
  else
    addresses=$(ingest_url)
    addresses=$(ingest_addresses "$addresses")
    INGEST_ADDRESSES=${addresses// /,}
  fi
}

# status_of_jobs DEPLOYMENTS
status_of_jobs() {
  local name jobs deployment
  ((${#SCHEDULED[@]})) || return 0
  jobs=$(list_job)
  for name in "${SCHEDULED[@]}"; do
    deployment=$(row "$(service "$name")" "$1")
    status_of_job "$name" "${deployment##*|}" "$jobs"
  done
}

# status_of_job NAME ADDRESS JOBS
status_of_job() {
  local service problem='' job
  local URL=$2
  load_table "$1"
  service=$(service "$1")
  job=$(row "$service" "$3")
  if [[ -z $job ]]; then
    problem="missing, so nothing calls it; ./deploy.sh $1"
  elif [[ $job != "${LABEL#*=}|"* ]]; then
    problem="has no description that begins with Issuewire, so it is not ours; ./deploy.sh $1 says what to do"
  elif [[ $job != *'|ENABLED|'* ]]; then
    problem="is paused; gcloud scheduler jobs resume $service --location=$REGION"
  elif [[ $(job_of "$service" "$3") != "$(expected_job)" ]]; then
    problem="has other settings; ./deploy.sh $1"
  fi
  status_line "schedule $service" "$SCHEDULE" "$problem"
}
