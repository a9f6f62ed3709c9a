/** The whole contract for one responder, as a suite. */

import { spec } from '../../../../testing/spec.ts';
import { answers } from './answers.ts';
import { lifetime } from './lifetime.ts';
import { refusals } from './refusals.ts';

/** A node is started for each test, on a machine that may be busy. */
const TIMEOUT_MS = 60_000;

/** Tells it with a node that must choose this responder. */
export function tellContract(choice: 'kernel' | 'packet'): void {
  spec(
    `responder ${choice}`,
    (test) => {
      answers(test, choice);
      refusals(test, choice);
      lifetime(test, choice);
    },
    { timeoutMs: TIMEOUT_MS },
  );
}
