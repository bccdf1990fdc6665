# For the scripts beside it: `step NAME COMMAND...` runs and counts one step, `finish` says how all went.
# Sourced, not run.

export LC_ALL=C.UTF-8
export CCACHE_DIR="${CCACHE_DIR:-${HOME:-$PWD/build}/.cache/ccache}"
steps_passed=0
steps_failed=()
steps_said=

step() {
  local name="$1" started=$SECONDS said status writer
  shift
  [ -n "$steps_said" ] || { steps_said=$(mktemp -d) && trap 'rm -rf "$steps_said"' EXIT; }
  echo "== $name"
  # Not a pipe, which would wait for whatever a step left running.
  exec {said}> >(exec tee "$steps_said/${#steps_failed[@]}")
  writer=$!
  "$@" >&"$said" 2>&1 {said}>&-
  status=$?
  exec {said}>&-
  for _ in {1..40}; do
    kill -0 "$writer" 2>/dev/null || break
    sleep 0.05
  done
  if [ "$status" -eq 0 ]; then
    steps_passed=$((steps_passed + 1))
    echo "== $name: passed in $((SECONDS - started)) s"
  else
    steps_failed+=("$name")
    echo "== $name: FAILED after $((SECONDS - started)) s"
  fi
}

# Says again how each failed step ended, then prints the closing line; its status is the script's.
finish() {
  local number
  for number in ${steps_failed[@]+"${!steps_failed[@]}"}; do
    echo "FAILED: ${steps_failed[$number]}; it ended with"
    tail -n 40 "$steps_said/$number" | sed 's/^/  | /'
  done
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
