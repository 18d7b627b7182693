# shellcheck shell=bash disable=SC2034 # common.sh uses what is set here
# Building a function and connecting it to what calls it.

# deploy_function NAME: builds the function and connects it to its trigger. The resources of set_up must exist.
deploy_function() {
  local secret
  load_table "$1"
  for secret in "${SECRETS[@]}"; do require_version "$secret" >/dev/null; done
  [[ $TRIGGER != schedule ]] || find_ingest
  build_function "$1"
  "connect_${TRIGGER//-/_}" "$1"
}

# Builds take minutes, so the subscribers' run side by side.
deploy_subscribers() {
  local name job failed=()
  for name in "${SUBSCRIBERS[@]}"; do
    if [[ -n $DRY_RUN ]]; then
      deploy_function "$name"
    else
      {
        JOB_LEVEL=$BASH_SUBSHELL # the subshell reports its failures itself
        deploy_function "$name"
      } &
      JOBS+=("$!:$name")
    fi
  done
  for job in "${JOBS[@]}"; do wait "${job%%:*}" || failed+=("${job#*:}"); done
  JOBS=()
  ((${#failed[@]} == 0)) ||
    die "${failed[*]} failed (see above); ${PUBLIC_FUNCTIONS[*]} was not changed. Fix the cause and run again: ./deploy.sh all"
}

# build_function NAME: builds and switches the traffic over, unless exactly this is deployed; puts the address into URL.
build_function() {
  local name=$1 service hash table deployment traffic
  service=$(service "$name")
  step "function $name"
  stage "$name" "$SCRATCH/$name"
  set_deploy_flags "$name"
  hash=$(python3 deploy/source_hash.py "$SCRATCH/$name" "${DEPLOY_FLAGS[@]}")
  table=$(list_function)
  deployment=$(row "$service" "$table")
  if [[ $deployment == "${LABEL#*=}|$hash|ACTIVE|"* ]]; then
    say "    $name is unchanged"
    # This undoes a rollback: the newest revision gets all traffic again.
    traffic=$(query 'True|100' gcloud run services describe "$service" --region="$REGION" \
      --format="value[separator='|'](spec.traffic[0].latestRevision,spec.traffic[0].percent)")
    [[ $traffic == 'True|100' ]] || mutate gcloud run services update-traffic "$service" --region="$REGION" --to-latest
  else
    say "    building $name; this takes two to four minutes"
    # A rollback may have pinned the traffic to an old revision; a deployment serves the newest.
    mutate gcloud functions deploy "$service" "${DEPLOY_FLAGS[@]}" --source="$SCRATCH/$name" --update-labels="$LABEL,source-sha=$hash" \
      --serve-all-traffic-latest-revision
    deployment=$(deployment_of "$name")
  fi
  URL=${deployment##*|}
  [[ -z $DRY_RUN ]] || URL=https://$service-HASH.run.app
  [[ $URL == https://* ]] || die "$name is deployed but has no address; look at: gcloud functions describe $service --gen2 --region=$REGION"
}

# deployment_of NAME: prints "HASH|STATE|URL", or nothing for a function that is not deployed.
deployment_of() {
  local table entry
  table=$(list_function)
  entry=$(row "$(service "$1")" "$table")
  printf '%s' "${entry#*|}"
}

# Prints "NAME|LABEL|HASH|STATE|URL" for each function of the region.
list_function() {
  query_list gcloud functions list --v2 --regions="$REGION" \
    --format="value[separator='|'](name.basename(),labels.app,labels.source-sha,state,serviceConfig.uri)"
}

# gcloud makes a function public only after it has created it; this completes a run that stopped between the two.
connect_http_public() {
  step "allow anyone to call $1"
  mutate gcloud run services add-iam-policy-binding "$(service "$1")" --region="$REGION" --member=allUsers --role=roles/run.invoker
  [[ $1 != ingest ]] || printf 'Webhook URL: %s/\n' "$URL" >&3
}

# The push endpoint is set once the function answers; until then the subscription keeps what arrives.
connect_push() {
  local service table expected
  service=$(service "$1")
  step "push to $1"
  mutate gcloud run services add-iam-policy-binding "$service" --region="$REGION" --member="$(member push)" --role=roles/run.invoker
  expected="$URL/|$(email push)|$URL"
  table=$(list_subscription)
  [[ $(push_of "$service" "$table") != "$expected" ]] || return 0
  mutate gcloud pubsub subscriptions update "$service" --push-endpoint="$URL/" --push-auth-service-account="$(email push)" \
    --push-auth-token-audience="$URL"
  [[ -z $DRY_RUN ]] || return 0
  table=$(list_subscription)
  [[ $(push_of "$service" "$table") == "$expected" ]] || die "subscription $service did not take its push endpoint"
}

# Rolls back to the revision before the one that serves, so that two rollbacks go back by two.
command_rollback() {
  local names=${FUNCTIONS[*]} service revisions serving previous
  service=$(service "${1:-}")
  if (($# != 1)) || ! is_function "$1"; then die "rollback takes one of ${names// /, }"; fi
  require_ours function
  step "roll back $1"
  serving=$(query NEWEST gcloud run services describe "$service" --region="$REGION" --format='value(status.traffic[0].revisionName)')
  revisions=$(query $'NEWEST\nPREVIOUS' gcloud run revisions list --service="$service" --region="$REGION" \
    --sort-by=~metadata.creationTimestamp --format='value(metadata.name)')
  previous=$(awk -v serving="$serving" 'found { print; exit } $0 == serving { found = 1 }' <<<"$revisions")
  [[ -n $previous ]] || die "$1 has no revision before the one that serves (${serving:-none})"
  mutate gcloud run services update-traffic "$service" --region="$REGION" --to-revisions="$previous=100"
  report_done "$previous serves $1 now. The next ./deploy.sh $1 serves the newest revision again."
}
