# Completion of `rnnc` for bash: `. tools/rnnc-completion.bash`, or copy it to
# /usr/share/bash-completion/completions/rnnc. Commands and options are those that `rnnc --help` and
# `rnnc COMMAND --help` list, so nothing here has to follow the program.
_rnnc() {
  local program="${COMP_WORDS[0]}" word="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD - 1]}"
  local command="${COMP_WORDS[1]}" words
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="$("$program" --help 2>/dev/null | sed -n 's/^  rnnc \([a-z]*\) .*/\1/p') --help"
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    return
  fi
  case "$before" in
    --target) words="host avx512 avx2 sse2" ;;
    --on) words="train valid test" ;;
    --mode) words="train infer" ;;
    --emit) words="ast model graph fused plan llvm asm dot" ;;
    --data) mapfile -t COMPREPLY < <(compgen -d -- "$word"); return ;;
    --metrics | --plot | --gradients | --trace) mapfile -t COMPREPLY < <(compgen -f -- "$word"); return ;;
    --threads | --seed | --set | --epochs | --steps | --checkpoint | --buckets | --batch | --time-steps | --repeat) return ;;
    *) words= ;;
  esac
  if [ -z "$words" ] && [[ "$word" == -* ]]; then
    words="$("$program" "$command" --help 2>/dev/null | sed -n 's/^  \(--[a-z-]*\).*/\1/p') --help"
  fi
  if [ -n "$words" ]; then
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    return
  fi
  local extension=rnn
  [ "$command" = opt ] && extension=ir
  [ "$before" = --model ] && extension=model
  mapfile -t COMPREPLY < <(compgen -f -X "!*.$extension" -- "$word"; compgen -d -S / -- "$word")
  compopt -o filenames 2>/dev/null
}
complete -F _rnnc rnnc
