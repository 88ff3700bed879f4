import { caseTables, quote, type Dialect } from "./case-tables.ts";
import type { CommandWords, ValueKind } from "./command-words.ts";

const DIALECT: Dialect = {
  offerWords: (words) => {
    const described = words.map(({ name, description }) =>
      quote(`${name.replaceAll(":", String.raw`\:`)}:${description}`),
    );
    return `described=(${described.join(" ")}) && _describe ashlar described`;
  },
  offerValue,
};

/** Zsh 5, with its completion system (compinit). */
export function zshScript(commands: readonly CommandWords[]): string {
  return `#compdef ashlar
# Completion of ashlar for Zsh. Written by \`ashlar completion zsh\`, which says where it belongs.
${caseTables(commands, DIALECT)}
_ashlar() {
  local at before operands lab
  local -a described
  _ashlar_walk "\${(@)words[2,CURRENT-1]}"
  if [ -n "$before" ]; then
    _ashlar_value "$at $before"
    return
  fi
  case "\${words[CURRENT]}" in
    -*) _ashlar_options "$at" ;;
    *) _ashlar_operand "$at" "$operands" ;;
  esac
}
# As a file in fpath it is called; sourced, it registers itself.
if [ "$funcstack[1]" = _ashlar ]; then _ashlar "$@"; else compdef _ashlar ashlar; fi
`;
}

function offerValue(kind: ValueKind): string {
  switch (kind) {
    case "file":
      return "_files";
    case "directory":
      return "_files -/";
    case "lab":
      return 'compadd -- ${(f)"$(ashlar completion --values labs 2>/dev/null)"}';
    case "node":
      return 'compadd -- ${(f)"$(ashlar completion --values nodes --name "$lab" 2>/dev/null)"}';
    case "nodeproof":
      return 'compadd -- ${(f)"$(ashlar completion --values nodeproofs 2>/dev/null)"}';
    case "rollout":
      return 'compadd -- ${(f)"$(ashlar completion --values rollouts 2>/dev/null)"}';
    case "none":
      return ":";
    default:
      return `compadd -- ${kind.map(quote).join(" ")}`;
  }
}
