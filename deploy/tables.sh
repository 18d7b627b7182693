# shellcheck shell=bash disable=SC2034 # the other parts use what is set here
# The functions. deploy/functions/NAME.sh describes one function completely; every other part iterates over these tables.
# The function's Cloud Run service and its subscription have its name with - instead of _, after the prefix: `service` prints it.
#
#   setting NAME DEFAULT PATTERN PROBLEM   a setting that only this function has
#   TRIGGER       http-public: anyone may call it; push: a Pub/Sub subscription with its name calls it
#   PACKAGES      what is staged beside its modules: package folders or single modules, such as clients/bigquery.py
#   FILES         further staged files, each NAME-IN-THE-FOLDER=PATH
#   CHECK         a Python program and the file that it checks before anything is changed; python3 runs it, 3.13 if there is one
#   SECRETS       the secrets that it reads
#   ROLES         its account's further roles, each "ROLE RESOURCE": topic/NAME, subscription/NAME, table/NAME or project
#   ENVIRONMENT   its environment variables, each NAME=VALUE; no value contains an @
#   FLAGS         further flags of gcloud functions deploy: size, instances, timeout

FUNCTIONS=(deploy/functions/*.sh)
FUNCTIONS=("${FUNCTIONS[@]##*/}")
FUNCTIONS=("${FUNCTIONS[@]%.sh}")
ACCOUNTS=("${FUNCTIONS[@]}" push build)
PUBLIC_FUNCTIONS=() PUBLIC_SERVICES=() SUBSCRIBERS=() SUBSCRIPTIONS=() ALL_SECRETS=()

is_function() { [[ $1 =~ ^[a-z][a-z0-9_]*$ && -f deploy/functions/$1.sh ]]; }

# load_table NAME: sets the variables above to what the function's table says.
load_table() {
  TRIGGER='' PACKAGES=() FILES=() CHECK=() SECRETS=() ROLES=() ENVIRONMENT=() FLAGS=()
  # shellcheck source=/dev/null
  source "deploy/functions/$1.sh"
}

# Reads every table once: its settings, who is called how, and all secrets.
read_tables() {
  local name secret
  for name in "${FUNCTIONS[@]}"; do
    load_table "$name"
    case $TRIGGER in
      http-public) PUBLIC_FUNCTIONS+=("$name") PUBLIC_SERVICES+=("$(service "$name")") ;;
      push) SUBSCRIBERS+=("$name") SUBSCRIPTIONS+=("$(service "$name")") ;;
      *) die "deploy/functions/$name.sh: TRIGGER is neither http-public nor push" ;;
    esac
    for secret in "${SECRETS[@]}"; do
      [[ " ${ALL_SECRETS[*]} " == *" $secret "* ]] || ALL_SECRETS+=("$secret")
    done
  done
}
