# Shared by the scripts in this folder: where things are, and one timed line a step. Sourced, not run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
# The venv's tools, and its node where the machine has none that fits.
export PATH="$root/.venv/bin:$PATH"
failed=0

# step NAME COMMAND…: run it; a failure shows its output and is remembered in `failed`.
step() {
  local name=$1 began=$EPOCHREALTIME log word=ok
  shift
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    word=FAILED
    failed=1
  fi
  printf '%-7s %-44s %6s s\n' "$word" "$name" "$(seconds_since "$began")"
  if [[ $word == FAILED ]]; then
    cat "$log"
  fi
  rm -f "$log"
}

seconds_since() {
  local microseconds=$((${EPOCHREALTIME/[.,]/} - ${1/[.,]/}))
  printf '%d.%d' $((microseconds / 1000000)) $((microseconds / 100000 % 10))
}
