# Completion of flowrun for bash; made by `flowrun completions bash`.
_flowrun() {
  local word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" place="-" next i words
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${COMP_WORDS[i]}"
    [ "$place" = "-" ] || next="$place $next"
    case "$next" in
        'run') ;;
        'check') ;;
        'explain') ;;
        'show') ;;
        'new') ;;
        'test') ;;
        'eval') ;;
        'operators') ;;
        'schema') ;;
        'plugin') ;;
        'plugin list') ;;
        'plugin check') ;;
        'plugin new') ;;
        'simulate') ;;
        'simulate watches') ;;
        'simulate heart') ;;
        'simulate quotes') ;;
        'simulate wikimedia') ;;
        'completions') ;;
        *) continue ;;
    esac
    place="$next"
  done
  case "$place $before" in
    '- --help'|'- -h') COMPREPLY=(); return ;;
    '- --version') COMPREPLY=(); return ;;
    'run --help'|'run -h') COMPREPLY=(); return ;;
    'run --set') COMPREPLY=(); return ;;
    'run --only') COMPREPLY=(); return ;;
    'run --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'run --epochs') COMPREPLY=(); return ;;
    'run --for') COMPREPLY=(); return ;;
    'run --threads') COMPREPLY=(); return ;;
    'run --memory') COMPREPLY=(); return ;;
    'run --capture') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'run --progress') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'run --quiet') COMPREPLY=(); return ;;
    'run --log-format') COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
    'run --chunking') COMPREPLY=(); return ;;
    'run --restart-state') COMPREPLY=(); return ;;
    'check --help'|'check -h') COMPREPLY=(); return ;;
    'check --set') COMPREPLY=(); return ;;
    'check --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'check --format') COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
    'check --connect') COMPREPLY=(); return ;;
    'check --deny-warnings') COMPREPLY=(); return ;;
    'explain --help'|'explain -h') COMPREPLY=(); return ;;
    'explain --set') COMPREPLY=(); return ;;
    'explain --only') COMPREPLY=(); return ;;
    'explain --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'explain --schema') COMPREPLY=(); return ;;
    'explain --yaml') COMPREPLY=(); return ;;
    'show --help'|'show -h') COMPREPLY=(); return ;;
    'show --rows') COMPREPLY=(); return ;;
    'show --truncate') COMPREPLY=($(compgen -W 'true false' -- "$word")); return ;;
    'show --vertical') COMPREPLY=(); return ;;
    'show --for') COMPREPLY=(); return ;;
    'show --set') COMPREPLY=(); return ;;
    'show --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'new --help'|'new -h') COMPREPLY=(); return ;;
    'new --from') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'new --schema-only') COMPREPLY=(); return ;;
    'new --for') COMPREPLY=(); return ;;
    'test --help'|'test -h') COMPREPLY=(); return ;;
    'test --update') COMPREPLY=(); return ;;
    'test --watch') COMPREPLY=(); return ;;
    'test --junit') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'test --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'eval --help'|'eval -h') COMPREPLY=(); return ;;
    'eval --expressions') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'eval --schema') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'eval --input') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'eval --timezone') COMPREPLY=(); return ;;
    'eval --format') COMPREPLY=($(compgen -W 'text json' -- "$word")); return ;;
    'operators --help'|'operators -h') COMPREPLY=(); return ;;
    'operators --markdown') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'operators --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'schema --help'|'schema -h') COMPREPLY=(); return ;;
    'schema --plugin') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'plugin --help'|'plugin -h') COMPREPLY=(); return ;;
    'plugin list --help'|'plugin list -h') COMPREPLY=(); return ;;
    'plugin check --help'|'plugin check -h') COMPREPLY=(); return ;;
    'plugin check --seed') COMPREPLY=(); return ;;
    'plugin new --help'|'plugin new -h') COMPREPLY=(); return ;;
    'plugin new --kind') COMPREPLY=($(compgen -W 'transform stateful source sink function' -- "$word")); return ;;
    'plugin new --folder') COMPREPLY=($(compgen -f -- "$word")); return ;;
    'simulate --help'|'simulate -h') COMPREPLY=(); return ;;
    'simulate watches --help'|'simulate watches -h') COMPREPLY=(); return ;;
    'simulate watches --port') COMPREPLY=(); return ;;
    'simulate watches --host') COMPREPLY=(); return ;;
    'simulate watches --rate') COMPREPLY=(); return ;;
    'simulate watches --seed') COMPREPLY=(); return ;;
    'simulate watches --count') COMPREPLY=(); return ;;
    'simulate watches --drop-every') COMPREPLY=(); return ;;
    'simulate watches --nulls') COMPREPLY=(); return ;;
    'simulate watches --late') COMPREPLY=(); return ;;
    'simulate watches --slow') COMPREPLY=($(compgen -W 'wait drop' -- "$word")); return ;;
    'simulate watches --quiet') COMPREPLY=(); return ;;
    'simulate heart --help'|'simulate heart -h') COMPREPLY=(); return ;;
    'simulate heart --port') COMPREPLY=(); return ;;
    'simulate heart --host') COMPREPLY=(); return ;;
    'simulate heart --rate') COMPREPLY=(); return ;;
    'simulate heart --seed') COMPREPLY=(); return ;;
    'simulate heart --count') COMPREPLY=(); return ;;
    'simulate heart --drop-every') COMPREPLY=(); return ;;
    'simulate heart --nulls') COMPREPLY=(); return ;;
    'simulate heart --late') COMPREPLY=(); return ;;
    'simulate heart --slow') COMPREPLY=($(compgen -W 'wait drop' -- "$word")); return ;;
    'simulate heart --quiet') COMPREPLY=(); return ;;
    'simulate quotes --help'|'simulate quotes -h') COMPREPLY=(); return ;;
    'simulate quotes --port') COMPREPLY=(); return ;;
    'simulate quotes --host') COMPREPLY=(); return ;;
    'simulate quotes --rate') COMPREPLY=(); return ;;
    'simulate quotes --seed') COMPREPLY=(); return ;;
    'simulate quotes --count') COMPREPLY=(); return ;;
    'simulate quotes --drop-every') COMPREPLY=(); return ;;
    'simulate quotes --nulls') COMPREPLY=(); return ;;
    'simulate quotes --slow') COMPREPLY=($(compgen -W 'wait drop' -- "$word")); return ;;
    'simulate quotes --quiet') COMPREPLY=(); return ;;
    'simulate wikimedia --help'|'simulate wikimedia -h') COMPREPLY=(); return ;;
    'simulate wikimedia --port') COMPREPLY=(); return ;;
    'simulate wikimedia --host') COMPREPLY=(); return ;;
    'simulate wikimedia --rate') COMPREPLY=(); return ;;
    'simulate wikimedia --seed') COMPREPLY=(); return ;;
    'simulate wikimedia --count') COMPREPLY=(); return ;;
    'simulate wikimedia --drop-every') COMPREPLY=(); return ;;
    'simulate wikimedia --lines') COMPREPLY=(); return ;;
    'simulate wikimedia --burst') COMPREPLY=(); return ;;
    'simulate wikimedia --late') COMPREPLY=(); return ;;
    'simulate wikimedia --slow') COMPREPLY=($(compgen -W 'wait drop' -- "$word")); return ;;
    'simulate wikimedia --quiet') COMPREPLY=(); return ;;
    'completions --help'|'completions -h') COMPREPLY=(); return ;;
  esac
  case "$place" in
    '-') words='run check explain show new test eval operators schema plugin simulate completions --help -h --version' ;;
    'run') words='--help -h --set --only --plugin --epochs --for --threads --memory --capture --progress --quiet --log-format --chunking --restart-state' ;;
    'check') words='--help -h --set --plugin --format --connect --deny-warnings' ;;
    'explain') words='--help -h --set --only --plugin --schema --yaml' ;;
    'show') words='--help -h --rows --truncate --vertical --for --set --plugin' ;;
    'new') words='--help -h --from --schema-only --for' ;;
    'test') words='--help -h --update --watch --junit --plugin' ;;
    'eval') words='--help -h --expressions --schema --input --timezone --format' ;;
    'operators') words='--help -h --markdown --plugin' ;;
    'schema') words='--help -h --plugin' ;;
    'plugin') words='list check new --help -h' ;;
    'plugin list') words='--help -h' ;;
    'plugin check') words='--help -h --seed' ;;
    'plugin new') words='--help -h --kind --folder' ;;
    'simulate') words='watches heart quotes wikimedia --help -h' ;;
    'simulate watches') words='--help -h --port --host --rate --seed --count --drop-every --nulls --late --slow --quiet' ;;
    'simulate heart') words='--help -h --port --host --rate --seed --count --drop-every --nulls --late --slow --quiet' ;;
    'simulate quotes') words='--help -h --port --host --rate --seed --count --drop-every --nulls --slow --quiet' ;;
    'simulate wikimedia') words='--help -h --port --host --rate --seed --count --drop-every --lines --burst --late --slow --quiet' ;;
    'completions') words='--help -h bash zsh fish man' ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}
complete -o filenames -F _flowrun flowrun
