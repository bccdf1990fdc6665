# For the scripts beside it: `step NAME COMMAND...` runs and counts one step, `finish` says how all went.
# Sourced, not run.

export LC_ALL=C.UTF-8
export CCACHE_DIR="${CCACHE_DIR:-${HOME:-$PWD/build}/.cache/ccache}"
steps_passed=0
steps_failed=()

step() {
  local name="$1" started=$SECONDS
  shift
  echo "== $name"
  if "$@"; then
    steps_passed=$((steps_passed + 1))
    echo "== $name: passed in $((SECONDS - started)) s"
  else
    steps_failed+=("$name")
    echo "== $name: FAILED after $((SECONDS - started)) s"
  fi
}

# Prints the closing line; its status is the script's.
finish() {
  local name
  for name in ${steps_failed[@]+"${steps_failed[@]}"}; do echo "FAILED: $name"; done
  echo "$steps_passed passed, ${#steps_failed[@]} failed"
  [ "${#steps_failed[@]}" -eq 0 ]
}

# build PRESET TARGET...: configures and builds; what the build says is shown only when it fails.
build() {
  local preset="$1" log="build/$1.log"
  shift
  mkdir -p build
  if cmake --preset "$preset" >"$log" 2>&1 && cmake --build --preset "$preset" --target "$@" >>"$log" 2>&1; then
    return 0
  fi
  grep -E 'error|FAILED|undefined reference|CMake Error' -A3 "$log" | head -60
  echo "the build failed; all of its output is in $log"
  return 1
}
