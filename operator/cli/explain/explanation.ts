/** What `herald explain` finds: a chain of answers up to the first "no", each with who said so and the detail behind it. */

import type { Reason } from '../../../crds/reasons.ts';

/** Who said it: a status that somebody wrote, or this command by the same code, where nobody wrote anything. */
export type Source = 'operator' | 'speakers' | 'computed';

/** One thing that was asked, for instance a pool or a node. */
export interface Detail {
  /** `pool public`, `node node-a`, `l2advertisement lab`. */
  readonly subject: string;
  /** One or two words. */
  readonly verdict: 'announces' | 'stands by' | 'eligible' | 'covers' | 'refused' | 'not in force' | 'serves';
  readonly reason?: Reason;
  /** A sentence or a part of one. */
  readonly message: string;
}

/** One link of the chain. */
export interface Step {
  readonly name:
    | 'service'
    | 'operator'
    | 'address'
    | 'external IPs'
    | 'advertisement'
    | 'endpoints'
    | 'nodes'
    | 'announced'
    | 'accepted'
    | 'use';
  readonly answer: 'yes' | 'no' | 'unknown';
  readonly reason?: Reason;
  readonly message: string;
  readonly source: Source;
  readonly details: readonly Detail[];
}

export interface Explanation {
  /** `shop/web`, `pool/public`. */
  readonly object: string;
  /** One sentence. */
  readonly summary: string;
  /** Of the first "no"; missing where all is well. */
  readonly reason?: Reason;
  /** Up to the first "no", and not beyond. */
  readonly steps: readonly Step[];
  /** What somebody could do, as sentences without a full stop. */
  readonly remedies: readonly string[];
}

export const step = (
  name: Step['name'],
  answer: Step['answer'],
  message: string,
  more: Partial<Pick<Step, 'reason' | 'source' | 'details'>> = {},
): Step => ({ name, answer, message, source: 'computed', details: [], ...more });
