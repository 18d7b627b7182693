# shellcheck shell=bash disable=SC2034 # functions.sh uses what is set here
# Staging: the folder that is uploaded for a function. What is deployed is exactly what `stage` puts there.

# stage NAME FOLDER: copies the function's modules and its locked requirements, and the packages and files of its table.
stage() {
  local package file
  load_table "$1"
  copy_modules "functions/$1" "$2"
  cp -- "functions/$1/requirements.txt" "$2/"
  for package in "${PACKAGES[@]}"; do stage_package "$package" "$2"; done
  for file in "${FILES[@]}"; do cp -- "${file#*=}" "$2/${file%%=*}"; done
  # One time and one mode for all files: the same sources give the same archive, and the function's user may read it.
  chmod -R u=rwX,go=rX -- "$2"
  find "$2" -exec env TZ=UTC0 touch -t 202601010000 {} +
}

# stage_package PACKAGE FOLDER: copies a package folder or a single module, with the __init__.py of its parents.
stage_package() {
  local parent=$1
  [[ $1 != *.py || -f $1 ]] || die "there is no module $1"
  while [[ $parent == */* ]]; do
    parent=${parent%/*}
    mkdir -p -- "$2/$parent"
    [[ ! -f $parent/__init__.py ]] || cp -- "$parent/__init__.py" "$2/$parent/"
  done
  if [[ $1 == *.py ]]; then cp -- "$1" "$2/$1"; else copy_modules "$1" "$2/$1"; fi
}

# copy_modules FROM TO: copies the Python modules of a folder and of its subfolders, and nothing else.
copy_modules() {
  local folder modules
  [[ -d $1 ]] || die "there is no folder $1"
  while IFS= read -rd '' folder; do
    modules=("$folder"/*.py)
    [[ -f ${modules[0]} ]] || continue
    mkdir -p -- "$2${folder#"$1"}"
    cp -- "${modules[@]}" "$2${folder#"$1"}/"
  done < <(find -L "$1" -type d -print0)
}

# set_deploy_flags NAME: puts into DEPLOY_FLAGS everything of a deployment except its sources.
set_deploy_flags() {
  local variables
  load_table "$1"
  DEPLOY_FLAGS=(
    --gen2 --region="$REGION" --runtime="$RUNTIME" --entry-point="$1" --trigger-http
    --service-account="$(email "$1")" --build-service-account="projects/$PROJECT/serviceAccounts/$(email build)"
  )
  case $TRIGGER in
    http-public) DEPLOY_FLAGS+=(--allow-unauthenticated --ingress-settings=all) ;;
    push | schedule) DEPLOY_FLAGS+=(--no-allow-unauthenticated --ingress-settings="$SUBSCRIBER_INGRESS") ;;
  esac
  # Values may contain commas, so they are joined by @.
  variables=$(printf '@%s' "${ENVIRONMENT[@]}")
  DEPLOY_FLAGS+=("${FLAGS[@]}" "--set-env-vars=^@^${variables#@}")
}

# require_deployable NAME: stops before anything is changed if its settings contradict each other.
require_deployable() {
  load_table "$1"
  [[ -z $PROBLEM || -n $DRY_RUN ]] || die "$PROBLEM"
}

# Wrong routes, for example, would make the function refuse every event, so they are reported before anything is changed.
check_configuration() {
  local python
  load_table "$1"
  ((${#CHECK[@]})) || return 0
  python=$(python_for_checks)
  "$python" -B "${CHECK[@]}" >&2 || die "${CHECK[1]} is wrong (see above); nothing was changed"
}
