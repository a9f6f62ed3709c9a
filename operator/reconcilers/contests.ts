/** Notices when somebody else changes back what we write into the status of a Service, so that two do not fight for ever. */

import { type Decision, isSameDecision } from '../allocator/decision.ts';
import type { Service } from '../cluster/objects.ts';

/** Two changes back and forth within this time are a contest. */
const WITHIN_MS = 10_000;

/** What we know to have said last in the status of a Service. */
interface Said {
  readonly uid: string | undefined;
  readonly decision: Decision;
  /** The resourceVersion that it was written upon, or seen at; whatever is newer has our words, or those of another. */
  readonly revision: number;
  /** When we last wrote over what another had written, ms. */
  readonly overwroteAt?: number | undefined;
}

/**
 * `Settled`: the status says the decision already. `Ours`: we have something new to say. `Overwrite`: another has
 * written over what we said. `Contested`: and that again, so soon after we had put it back.
 */
export type Standing = 'Settled' | 'Ours' | 'Overwrite' | 'Contested';

export class Contests {
  readonly #said = new Map<string, Said>();

  /** @param isSaid whether the status says the decision @param now ms of a monotonic clock */
  judge(key: string, service: Service, decision: Decision, isSaid: boolean, now: number): Standing {
    if (isSaid) return 'Settled';
    const said = this.#said.get(key);
    const isAnother = said?.uid !== service.metadata.uid || !isSameDecision(said?.decision ?? decision, decision);
    if (!said || isAnother || revisionOf(service) <= said.revision) return 'Ours';
    return said.overwroteAt !== undefined && now - said.overwroteAt <= WITHIN_MS ? 'Contested' : 'Overwrite';
  }

  /** The status says the decision now: it was written upon `service`, or was found there. */
  said(key: string, service: Service, decision: Decision, standing: Standing, now: number): void {
    const { uid } = service.metadata;
    const before = this.#said.get(key);
    const overwroteAt = standing === 'Overwrite' ? now : before?.uid === uid ? before?.overwroteAt : undefined;
    this.#said.set(key, { uid, decision, revision: revisionOf(service), overwroteAt });
  }

  forget(key: string): void {
    this.#said.delete(key);
  }
}

const revisionOf = ({ metadata }: Service): number => Number(metadata.resourceVersion ?? 0);
