/** Prints an explanation for people: the answer first, the chain below it, what would help last. */

import { firstSentence, type Paint, type Tone, table } from '../output.ts';
import type { Detail, Explanation, Step } from './explanation.ts';

const ANSWER_TONES: Readonly<Record<Step['answer'], Tone>> = { yes: 'good', no: 'bad', unknown: 'warn' };
const VERDICT_TONES: Readonly<Record<Detail['verdict'], Tone>> = {
  announces: 'good',
  'stands by': 'quiet',
  eligible: 'quiet',
  covers: 'good',
  serves: 'good',
  refused: 'bad',
  'not in force': 'warn',
};
const WIDTH_OF_ANSWERS = 'unknown'.length;
const WIDTH_OF_STEPS = 'advertisement'.length;

export function explanationText({ summary, reason, steps, remedies }: Explanation, paint: Paint): string {
  const head = `${paint('strong', summary)}${reason ? paint('strong', `: ${reason}`) : ''}\n`;
  const chain = steps.map((step) => stepText(step, paint)).join('');
  return `${head}${chain}${remediesText(remedies, paint)}`;
}

function stepText({ name, answer, message, details }: Step, paint: Paint): string {
  const mark = paint(ANSWER_TONES[answer], answer.padEnd(WIDTH_OF_ANSWERS));
  const rows = details.map(({ subject, verdict, reason = '', message }) => [
    subject,
    paint(VERDICT_TONES[verdict], verdict),
    reason,
    message.replace(/\.$/, ''),
  ]);
  // Without any reason there is no column for it.
  const cells = rows.some(([, , reason]) => reason !== '') ? rows : rows.map((row) => row.filter((_, at) => at !== 2));
  // What follows the first sentence are the refusals that the rows below tell one by one.
  const said = rows.length > 0 ? firstSentence(message) : message;
  return `  ${mark}  ${name.padEnd(WIDTH_OF_STEPS)}  ${said}\n${table([], cells, ' '.repeat(4))}`;
}

function remediesText(remedies: readonly string[], paint: Paint): string {
  const [only, ...more] = remedies;
  if (only === undefined) return '';
  const title = paint('strong', 'what would help:');
  if (more.length === 0) return `${title} ${only}\n`;
  return `${title}\n${remedies.map((remedy) => `  - ${remedy}\n`).join('')}`;
}
