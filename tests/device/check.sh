#!/usr/bin/env bash
# Checks ltviz on a machine with a GPU, without a network, in at most eight minutes, and prints one table.
#
#   tests/device/check.sh WHEELS [--device cuda|cuda:N|cpu]
#
# WHEELS is a folder with the wheels of ltviz, pytest and all that they need and the machine has not, such as
#   pip wheel --wheel-dir WHEELS . pytest      (on a machine with a network and the same Python; torch may be left out)
# PYTHON names the Python whose torch (2.10 or later) is used; python3 where it is not set. Nothing is installed into it.
set -uo pipefail

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
wheels="" device="cuda"
while (($#)); do
  case "$1" in
    --device) device="${2:?}"; shift 2 ;;
    -h | --help) usage ;;
    *) [[ -z "$wheels" ]] || usage; wheels="$1"; shift ;;
  esac
done
[[ -d "$wheels" ]] || usage
wheels="$(cd "$wheels" && pwd)"
root="$(cd "$(dirname "$0")/../.." && pwd)"
python="${PYTHON:-python3}"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
end=$((SECONDS + 470))
names=() results=() times=()

# stage NAME LIMIT COMMAND...: runs it for at most LIMIT seconds of those that are left; its last line is the result
stage() {
  local name="$1" limit="$2" begin=$SECONDS left=$((end - SECONDS)) code=0
  shift 2
  ((limit > left)) && limit=$left
  if ((limit < 2)); then
    code=124
    echo "no time was left" >"$work/$name.log"
  else
    timeout --kill-after=5 "$limit" "$@" >"$work/$name.log" 2>&1 || code=$?
  fi
  local said
  said="$(grep -v '^[[:space:]]*$' "$work/$name.log" | tail -n 1 | cut -c 1-90)"
  case $code in
    0) results+=("passed: $said") ;;
    124 | 137) results+=("OUT OF TIME after $limit s: $said") ;;
    *) results+=("FAILED: $said") ;;
  esac
  names+=("$name") times+=($((SECONDS - begin)))
  if ((code)); then
    echo "--- $name" >&2
    tail -n 40 "$work/$name.log" >&2
    return 1
  fi
}

install() {
  # without pip: a bare Debian has no ensurepip, and the named Python's own pip serves as well
  "$python" -m venv --system-site-packages --without-pip "$work/venv" || return 1
  # what the named Python has already, a virtual environment's packages too
  "$python" -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' \
    >"$(echo "$work"/venv/lib/python3*/site-packages)/given.pth" || return 1
  "$work/venv/bin/python" -m pip --version >/dev/null 2>&1 || "$work/venv/bin/python" -m ensurepip || return 1
  "$work/venv/bin/python" -m pip install --quiet --no-index --find-links "$wheels" --force-reinstall --no-deps ltviz &&
    "$work/venv/bin/python" -m pip install --quiet --no-index --find-links "$wheels" ltviz pytest
}

machine() {
  "$work/venv/bin/python" -P - "$device" <<'PY'
import sys
import torch
import ltviz
from ltviz.training.engine import start
from ltviz.training.settings import RunSettings

assert tuple(int(part) for part in torch.__version__.split(".")[:2]) >= (2, 10), f"torch 2.10 is needed, not {torch.__version__}"
engine = start(RunSettings(device=sys.argv[1]))
print(f"ltviz {ltviz.__version__}, torch {torch.__version__}, {engine.describe()['name']}, {engine.memory()['total']:.0f} MiB")
PY
}

tests() { cd "$root" && "$work/venv/bin/python" -P -m pytest "tests/device/test_$1.py"; }
bench() { "$work/venv/bin/ltviz" bench train --device "$device" --seconds "$1"; }

export -f install machine tests bench
export python work wheels device root LTVIZ_DEVICE="$device" LTVIZ_HOME="$work/runs"
unset PYTHONPATH
bad=0
if stage install 120 bash -c install && stage machine 60 bash -c machine; then
  for part in losses host_waits methods graphs resume memory; do
    stage "$part" 110 bash -c "tests $part" || bad=1
  done
  stage bench 220 bash -c "bench 4" || bad=1
else
  bad=1
fi

printf '\n%-11s %7s  %s\n' check seconds result
for i in "${!names[@]}"; do printf '%-11s %7s  %s\n' "${names[$i]}" "${times[$i]}" "${results[$i]}"; done
if [[ -s "$work/bench.log" ]]; then echo; cat "$work/bench.log"; fi
exit $bad
