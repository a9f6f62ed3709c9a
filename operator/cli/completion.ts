/** `herald completion`: scripts that let a shell complete; all of them ask `herald __complete`. */

import { nearest } from '../settings/nearest.ts';
import { onlyArgument, readArguments } from './arguments.ts';
import { type Command, CommandError, type CommandIo } from './command.ts';

/** The last line of what `__complete` prints tells whether files are meant too. */
const BASH = `# bash: source <(herald completion bash)
_herald() {
  local out line
  COMPREPLY=()
  out=$(herald __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null) || return
  while IFS= read -r line; do
    case "$line" in
      :0) ;;
      :*) compopt +o default ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done <<<"$out"
}
complete -o default -F _herald herald
`;

const ZSH = `#compdef herald
# zsh: source <(herald completion zsh), or put it into a folder of fpath as _herald
_herald() {
  local -a out
  out=("\${(@f)$(herald __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  local directive=\${out[-1]}
  out[-1]=()
  if (( \${#out} )); then compadd -a out
  elif [[ $directive == :0 ]]; then _files
  fi
}
if [[ \${funcstack[1]} == _herald ]]; then _herald; else compdef _herald herald; fi
`;

const FISH = `# fish: herald completion fish | source
function __herald_complete
  set -l words (commandline -opc) (commandline -ct)
  for line in (herald __complete $words[2..-1] 2>/dev/null)
    switch $line
      case ':0'
        __fish_complete_path (commandline -ct)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c herald -f -a '(__herald_complete)'
`;

const KUBECTL = `#!/bin/sh
# kubectl: save it as kubectl_complete-herald in a folder of PATH and make it executable
exec herald __complete "$@"
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH, kubectl: KUBECTL };

export const completion: Command = {
  name: 'completion',
  summary: 'a script that lets bash, zsh, fish or kubectl complete these commands',
  usage: Object.keys(SCRIPTS).join(' | '),
  options: {},
  complete: async (positionals) => (positionals.length === 1 ? Object.keys(SCRIPTS) : []),
  async run(args: readonly string[], io: CommandIo): Promise<number> {
    const shell = onlyArgument(readArguments(args, {}).positionals, 'the shell');
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined;
    if (script === undefined) {
      const meant = nearest(shell, Object.keys(SCRIPTS));
      const known = `it must be one of ${Object.keys(SCRIPTS).join(', ')}`;
      throw new CommandError(`${shell} is not known: ${meant ? `did you mean ${meant}?` : known}`);
    }
    io.stdout(script);
    return 0;
  },
};
