/** Asks the segment for an address again and again through an event, and tells when nobody answered. */

import { exec, put, startOn } from './lab.ts';
import { answersIn } from './neighbour-answers.ts';
import { askNeighbour } from './world.ts';

/** What one round of asking heard. */
export interface Round {
  readonly address: string;
  readonly macs: readonly string[];
}

export interface AnswerWatch {
  /** Ends the watch and returns its rounds in order. */
  stop(): Promise<readonly Round[]>;
}

const BETWEEN_ROUNDS = '0.1';
const MARK = '@round';

/** Starts asking for all addresses in turn, from the client; several times a second. */
export async function watchAnswers(addresses: readonly string[]): Promise<AnswerWatch> {
  const place = `/tmp/answer-watch-${process.pid}-${Math.round(performance.now())}`;
  const asks = addresses.map((address) => `echo '${MARK} ${address}'; ${quoted(askNeighbour(address, 1))} 2>&1`);
  const script = `touch ${place}.on\nwhile [ -e ${place}.on ]; do\n${asks.join('\n')}\nsleep ${BETWEEN_ROUNDS}\ndone\nrm -f ${place}.sh\n`;
  await put('client', `${place}.sh`, script);
  const { ended } = await startOn('client', ['sh', `${place}.sh`]);
  return {
    stop: async () => {
      await exec('client', ['rm', '-f', `${place}.on`]);
      return roundsIn((await ended).stdout);
    },
  };
}

const quoted = (argv: readonly string[]): string => argv.map((word) => `'${word}'`).join(' ');

/** Splits the output of the watch into its rounds. */
export function roundsIn(output: string): Round[] {
  return output
    .split(`${MARK} `)
    .slice(1)
    .map((text) => ({ address: text.split('\n', 1)[0]?.trim() ?? '', macs: [...new Set(answersIn(text))] }));
}
