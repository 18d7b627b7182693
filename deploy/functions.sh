# shellcheck shell=bash
# Staging, deploying and wiring a function. What is deployed is exactly what `stage` puts into its folder.

# stage NAME FOLDER: the function's modules, its locked requirements, the shared package, and for Slack the routes.
stage() {
  local name=$1 folder=$2
  copy_modules "functions/$name" "$folder"
  copy_modules pipeline "$folder/pipeline"
  copy_modules clients "$folder/clients"
  cp -- functions/"$name"/requirements.txt "$folder/"
  [[ $name != notify_slack ]] || cp -- "$ROUTES_FILE" "$folder/routes.toml"
  # One time and one mode for all files: the same sources give the same archive, and the function's user may read it.
  chmod -R u=rwX,go=rX -- "$folder"
  find "$folder" -exec env TZ=UTC0 touch -t 202601010000 {} +
}

# copy_modules FROM TO: every Python module below FROM, and nothing else.
copy_modules() {
  local file
  while read -r file; do
    mkdir -p -- "$2/$(dirname -- "$file")"
    cp -- "$1/$file" "$2/$file"
  done < <(cd -- "$1" && find . -name '*.py' ! -path '*/__pycache__/*')
}

# Wrong routes would have the function refuse all that comes; they are told before anything is changed.
check_routes() {
  local python
  for python in .venv/bin/python python3.13 python3; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null || continue
    "$python" -B deploy/check_routes.py "$ROUTES_FILE" >&2 || die "$ROUTES_FILE is wrong (see above); nothing was changed"
    return
  done
  say "    $ROUTES_FILE is not checked here, which takes Python 3.13; notify_slack does it at its start"
}

# fingerprint FOLDER FLAG...: a label's value that changes with any file or flag.
fingerprint() { python3 deploy/fingerprint.py "$@"; }

# set_flags NAME: puts into FLAGS everything of a deployment but its sources.
set_flags() {
  local variables joined
  FLAGS=(
    --gen2 --region="$REGION" --runtime="$RUNTIME" --entry-point="$1" --trigger-http
    --service-account="$(email "$1")" --build-service-account="projects/$PROJECT/serviceAccounts/$(email build)"
  )
  case $1 in
    ingest)
      variables=(PUBSUB_TOPIC="projects/$PROJECT/topics/$TOPIC" WEBHOOK_SECRET="projects/$PROJECT/secrets/$WEBHOOK_SECRET" THREADS=40)
      [[ -z $EVENTS ]] || variables+=(EVENTS="$EVENTS")
      FLAGS+=(--allow-unauthenticated --ingress-settings=all --cpu=1 --memory=512Mi --concurrency=40 --timeout=30s
        --max-instances=5 --min-instances="$INGEST_MIN_INSTANCES")
      ;;
    notify_slack)
      # One instance: the pace of each channel, Slack's pauses, the turns at an issue and the folding of bursts are kept
      # in its memory. Its threads mostly wait for Slack; more than one needs a whole CPU.
      variables=(SLACK_TOKEN_FILE=/etc/issuewire/slack-token GITHUB_URL="$GITHUB_URL" THREADS=8)
      FLAGS+=(--no-allow-unauthenticated --ingress-settings="$SUBSCRIBER_INGRESS" --cpu=1 --memory=512Mi
        --concurrency=8 --timeout=60s --max-instances=1 --set-secrets="/etc/issuewire/slack-token=$SLACK_SECRET:latest")
      ;;
    stream_bq)
      variables=(BIGQUERY_TABLE="$PROJECT.$DATASET.events" STORE_PAYLOAD="$STORE_PAYLOAD" THREADS=8)
      FLAGS+=(--no-allow-unauthenticated --ingress-settings="$SUBSCRIBER_INGRESS" --cpu=1 --memory=512Mi
        --concurrency=8 --timeout=60s --max-instances=3)
      ;;
  esac
  # Values may hold commas, so they are joined by @, which none holds.
  joined=$(printf '@%s' "${variables[@]}")
  FLAGS+=("--set-env-vars=^@^${joined#@}")
}

# deploy_function NAME: build and switch over, unless exactly this is running; puts its address into URL.
deploy_function() {
  local name=$1 service source=$SCRATCH/$1 mark facts
  service=$(service_of "$name")
  step "function $name"
  rm -rf -- "$source"
  stage "$name" "$source"
  set_flags "$name"
  mark=$(fingerprint "$source" "${FLAGS[@]}")
  facts=$(facts_of "$name")
  if [[ $facts == "$mark|ACTIVE|"* ]]; then
    say "    $name is unchanged"
    serve_newest "$service"
  else
    say "    building $name; this takes two to four minutes"
    # A rollback may have pinned the traffic to an old revision; a deployment means the newest.
    change gcloud functions deploy "$service" "${FLAGS[@]}" --source="$source" --update-labels=source-sha="$mark" \
      --serve-all-traffic-latest-revision
    facts=$(facts_of "$name")
  fi
  URL=${facts##*|}
  [[ -z $DRY_RUN ]] || URL=https://$service-HASH.run.app
  [[ $URL == https://* ]] || die "$name is deployed but has no address; look at: gcloud functions describe $service --gen2 --region=$REGION"
}

# Prints "MARK|STATE|URL", nothing for a function that is not there.
facts_of() {
  local table
  table=$(functions)
  row "$(service_of "$1")" "$table"
}

functions() {
  ask '' gcloud functions list --v2 --regions="$REGION" \
    --format="value[separator='|'](name.basename(),labels.source-sha,state,serviceConfig.uri)"
}

# Undoes a rollback: the newest revision gets all traffic again.
serve_newest() {
  local traffic
  traffic=$(ask 'True|100' gcloud run services describe "$1" --region="$REGION" \
    --format="value[separator='|'](spec.traffic[0].latestRevision,spec.traffic[0].percent)")
  [[ $traffic == 'True|100' ]] || change gcloud run services update-traffic "$1" --region="$REGION" --to-latest
}

deploy_ingest() {
  needs_secret "$WEBHOOK_SECRET" './deploy.sh secrets'
  deploy_function ingest
  # gcloud lets GitHub in only after it has made the function: a run that broke off between the two is mended here.
  step 'let GitHub call ingest'
  change gcloud run services add-iam-policy-binding ingest --region="$REGION" --member=allUsers --role=roles/run.invoker
  printf 'Webhook URL: %s/\n' "$URL" >&3
}

# The push endpoint is set once the function answers; until then the subscription holds what arrives.
deploy_subscriber() {
  local name=$1 service table wanted
  service=$(service_of "$name")
  [[ $name != notify_slack ]] || needs_secret "$SLACK_SECRET" './deploy.sh secrets slack <token.txt'
  deploy_function "$name"
  step "push to $name"
  change gcloud run services add-iam-policy-binding "$service" --region="$REGION" --member="$(member push)" --role=roles/run.invoker
  wanted="$URL/|$(email push)|$URL"
  table=$(subscriptions)
  [[ $(push_of "$service" "$table") != "$wanted" ]] || return 0
  change gcloud pubsub subscriptions update "$service" --push-endpoint="$URL/" --push-auth-service-account="$(email push)" \
    --push-auth-token-audience="$URL"
  [[ -z $DRY_RUN ]] || return 0
  table=$(subscriptions)
  [[ $(push_of "$service" "$table") == "$wanted" ]] || die "subscription $service did not take its push endpoint"
}

# From the revision that serves to the one before it, so that two rollbacks go back by two.
command_rollback() {
  if (($# != 1)) || ! is_function "$1"; then die 'rollback takes one of ingest, notify_slack, stream_bq'; fi
  local service revisions serving previous
  service=$(service_of "$1")
  step "roll back $1"
  serving=$(ask NEWEST gcloud run services describe "$service" --region="$REGION" --format='value(status.traffic[0].revisionName)')
  revisions=$(ask $'NEWEST\nPREVIOUS' gcloud run revisions list --service="$service" --region="$REGION" \
    --sort-by=~metadata.creationTimestamp --format='value(metadata.name)')
  previous=$(awk -v serving="$serving" 'found { print; exit } $0 == serving { found = 1 }' <<<"$revisions")
  [[ -n $previous ]] || die "$1 has no revision before the one that serves (${serving:-none})"
  change gcloud run services update-traffic "$service" --region="$REGION" --to-revisions="$previous=100"
  done_with "$1 is served by $previous. The next ./deploy.sh $1 serves the newest revision again."
}
