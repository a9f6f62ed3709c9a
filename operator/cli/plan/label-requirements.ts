/** Label selectors as kubectl's -l takes them: `key=value`, `key!=value`, `key`, `!key`, separated by commas. */

import { CommandError } from '../command.ts';

type Labels = Readonly<Record<string, string>> | undefined;

const REQUIREMENT = /^(!?)([A-Za-z0-9][\w./-]*)(?:(==|=|!=)([\w.-]*))?$/;

/** A predicate that holds where all requirements do; of no requirements it always does. @throws {CommandError} */
export function labelRequirements(text: string): (labels: Labels) => boolean {
  const requirements = text
    .split(',')
    .map((part) => part.trim())
    .filter(Boolean)
    .map(requirementOf);
  return (labels) => requirements.every((isMet) => isMet(labels ?? {}));
}

function requirementOf(text: string): (labels: Readonly<Record<string, string>>) => boolean {
  const [, not, key = '', operator, value] = REQUIREMENT.exec(text) ?? [];
  if (key === '' || (not && operator))
    throw new CommandError(`--selector=${text} is no label selector: write key=value, key!=value, key or !key`);
  if (operator === '!=') return (labels) => labels[key] !== value;
  if (operator) return (labels) => labels[key] === value;
  return (labels) => Object.hasOwn(labels, key) !== (not === '!');
}
