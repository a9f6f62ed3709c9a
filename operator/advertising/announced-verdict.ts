/** What is said of a Service, and how long it must have held: reports of many nodes do not come at once. */

import type { ReasonOf } from '../../crds/reasons.ts';
import type { Announcer, RollUpOutcome } from './roll-up.ts';

/** What the condition `heraldlb.io/Announced` and the ServiceAnnouncement say. */
export interface AnnouncedVerdict {
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: ReasonOf<'heraldlb.io/Announced'>;
  readonly message: string;
  readonly announcers: readonly Announcer[];
  /** Milliseconds for which it must have held before it is said. */
  readonly settleMs: number;
}

/** Endpoints come a moment after their Service, and what moves from node to node is nowhere for a moment. */
const NO_SETTLE_MS = 2_000;
const UNKNOWN_SETTLE_MS = 5_000;
/** Beyond the 40 s after which the report of a lost node counts no more. */
const PENDING_SETTLE_MS = 45_000;

export function verdictOf(outcome: RollUpOutcome): AnnouncedVerdict {
  switch (outcome.state) {
    case 'Announced':
      return {
        status: 'True',
        reason: 'Announced',
        message: 'every address is announced',
        announcers: outcome.announcers,
        settleMs: 0,
      };
    case 'NotAnnounced': {
      const { reason, message, announcers } = outcome;
      return { status: 'False', reason, message, announcers, settleMs: NO_SETTLE_MS };
    }
    case 'Unknown': {
      const { reason, message, announcers } = outcome;
      return { status: 'Unknown', reason, message, announcers, settleMs: UNKNOWN_SETTLE_MS };
    }
    case 'Pending': {
      const { message } = outcome;
      return { status: 'Unknown', reason: 'ReportsDiffer', message, announcers: [], settleMs: PENDING_SETTLE_MS };
    }
  }
}
