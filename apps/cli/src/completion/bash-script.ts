import { caseTables, quote, type Dialect } from "./case-tables.ts";
import type { CommandWords, ValueKind } from "./command-words.ts";

const DIALECT: Dialect = {
  offerWords: (words) => `_ashlar_words ${quote(words.map(({ name }) => name).join(" "))}`,
  offerValue,
};

/** Bash 4.4 and later; it does not need the package bash-completion. */
export function bashScript(commands: readonly CommandWords[]): string {
  return `# Completion of ashlar for Bash. Written by \`ashlar completion bash\`, which says where it belongs.
${caseTables(commands, DIALECT)}
_ashlar_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$word"); }
_ashlar_paths() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "$1" -- "$word")
}
_ashlar() {
  local word=\${COMP_WORDS[COMP_CWORD]} at before operands lab
  COMPREPLY=()
  _ashlar_walk "\${COMP_WORDS[@]:1:COMP_CWORD-1}"
  if [ -n "$before" ]; then
    _ashlar_value "$at $before"
    return
  fi
  case "$word" in
    -*) _ashlar_options "$at" ;;
    *) _ashlar_operand "$at" "$operands" ;;
  esac
}
complete -F _ashlar ashlar
`;
}

function offerValue(kind: ValueKind): string {
  switch (kind) {
    case "file":
      return "_ashlar_paths -f";
    case "directory":
      return "_ashlar_paths -d";
    case "lab":
      return '_ashlar_words "$(ashlar completion --values labs 2>/dev/null)"';
    case "node":
      return '_ashlar_words "$(ashlar completion --values nodes --name "$lab" 2>/dev/null)"';
    case "nodeproof":
      return '_ashlar_words "$(ashlar completion --values nodeproofs 2>/dev/null)"';
    case "rollout":
      return '_ashlar_words "$(ashlar completion --values rollouts 2>/dev/null)"';
    case "none":
      return ":";
    default:
      return `_ashlar_words ${quote(kind.join(" "))}`;
  }
}
