/*
 * What the shells run. They ask `ticklock __complete -- WORDS…`, whose last word is the one to complete, and which answers a line for each candidate: the word, a
 * tab, what it is. The single line `:files` stands for the names of files.
 */

const bash = `# Completions of ticklock for bash.
_ticklock() {
  local line=\${COMP_LINE:0:COMP_POINT} cur rest candidate # no mapfile: macOS has bash 3.2
  local -a words lines
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  cur=\${words[\${#words[@]} - 1]}
  lines=()
  while IFS= read -r candidate; do lines+=("$candidate"); done < <(ticklock __complete -- "\${words[@]:1}" 2> /dev/null)
  COMPREPLY=()
  if [[ \${lines[0]-} == :files ]]; then
    compopt -o filenames 2> /dev/null
    while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "$cur")
    return
  fi
  # bash takes what stands after the last colon for the word.
  rest=\${cur##*:}
  for candidate in "\${lines[@]}"; do
    candidate=\${candidate%%$'\\t'*}
    [[ $cur == *:* ]] && candidate=\${candidate#"\${cur%"$rest"}"}
    COMPREPLY+=("$(printf '%q' "$candidate")")
  done
}
complete -F _ticklock ticklock
`

const zsh = `#compdef ticklock
# Completions of ticklock for zsh.
_ticklock() {
  local line
  local -a lines described
  lines=("\${(@f)$(ticklock __complete -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  if [[ $lines[1] == :files ]]; then
    _files
    return
  fi
  for line in $lines; do
    [[ -n $line ]] && described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe ticklock described
}
if [[ $funcstack[1] == _ticklock ]]; then
  _ticklock "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
  compdef _ticklock ticklock
fi
`

const fish = `# Completions of ticklock for fish.
function __ticklock_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l lines (ticklock __complete -- $words[2..-1] 2> /dev/null)
    if test "$lines[1]" = :files
        __fish_complete_path (commandline -ct)
    else
        printf '%s\\n' $lines
    end
end
complete -c ticklock -f -a '(__ticklock_complete)'
`

export const completionScript = { bash, zsh, fish } as const
