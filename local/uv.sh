#!/usr/bin/env bash
# Runs the pinned uv of .venv-uv (see setup.sh). uv's configuration files do not apply; its environment variables do, and so do
# pip's index-url, cert, trusted-host and proxy, where you have configured them. Further indexes of pip's do not: pip joins what
# the indexes have of a version, and uv takes the first index that has any of it, which would make the lock files depend on it.
set -Eeuo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

settings=$'\n'$(.venv-uv/bin/python -m pip config list)$'\n'

# use_pip_setting NAME VARIABLE: sets uv's variable to pip's setting, unless you have set it.
use_pip_setting() {
  local section value=''
  for section in global install :env:; do # the last one that has the setting wins
    [[ ! $settings =~ $'\n'"$section.$1='"([^\']*)\'$'\n' ]] || value=${BASH_REMATCH[1]}
  done
  export "$2=${!2:-$value}"
}

use_pip_setting index-url UV_DEFAULT_INDEX
use_pip_setting trusted-host UV_INSECURE_HOST
use_pip_setting cert SSL_CERT_FILE
use_pip_setting proxy ALL_PROXY
export UV_NO_CONFIG=true UV_SYSTEM_CERTS=true
exec .venv-uv/bin/uv "$@"
