/** What a change does to objects of the configuration, and what the operator says of them then. */

import { splitKey } from '../../cluster/objects.ts';
import { objectRef, type Verdict, type VerdictCondition } from '../../config/verdict.ts';
import type { ObjectChange } from './changed-snapshot.ts';
import type { Forecast } from './forecast.ts';

export interface ObjectOutcome extends Omit<ObjectChange, 'action'> {
  /** `Keep`: the object stays, and the operator says something else of it. */
  readonly action: ObjectChange['action'];
  /** What the operator will say; absent where the object is none of the configuration, or is gone. */
  readonly verdict?: { readonly ready: string; readonly reason: string; readonly message: string };
  /** Whether the operator refuses what the change asks for. */
  readonly isRefused: boolean;
}

/** Not the user's to mend: the kind is read, and this version does not act upon it. */
const WITHOUT_BACKEND = 'BackendMissing';

/** The objects that change, and those of which the operator says something else because of that. */
export function objectOutcomes(
  changes: readonly ObjectChange[],
  before: Forecast,
  after: Forecast,
): readonly ObjectOutcome[] {
  const listed = new Set(changes.map(({ kind, key }) => refOf(kind, key)));
  const others = [...after.config.verdicts.keys()].filter((ref) => !listed.has(ref)).map(keptOf);
  return [...changes, ...others].flatMap((change) => {
    const ref = refOf(change.kind, change.key);
    const [was, is] = [before.config.verdicts.get(ref), after.config.verdicts.get(ref)];
    const isTold = change.action !== 'Delete' && wordsOf(was) !== wordsOf(is);
    if (change.action === 'Keep' && !isTold) return [];
    const isRefused = isRefusal(is) && (change.action !== 'Keep' || !isRefusal(was));
    return [{ ...change, ...(change.action !== 'Delete' && summaryOf(is)), isRefused }];
  });
}

function refOf(kind: string, key: string): string {
  return objectRef(kind, splitKey(key));
}

function keptOf(ref: string): ObjectChange {
  const [kind = '', ...key] = ref.split('/');
  return { action: 'Keep', kind, key: key.join('/'), fields: [] };
}

/** Why the operator does not take an object, if whoever wrote it can mend that. */
export const refusalOf = (verdict: Verdict | undefined): VerdictCondition | undefined =>
  verdict?.conditions.find(({ type, reason }) => type === 'Stalled' && reason !== WITHOUT_BACKEND);
const isRefusal = (verdict: Verdict | undefined): boolean => refusalOf(verdict) !== undefined;

const wordsOf = (verdict: Verdict | undefined): string =>
  JSON.stringify(verdict?.conditions.map(({ type, status, reason }) => [type, status, reason]) ?? []);

function summaryOf(verdict: Verdict | undefined): Pick<ObjectOutcome, 'verdict'> {
  const ready = verdict?.conditions.find(({ type }) => type === 'Ready');
  return ready ? { verdict: { ready: ready.status, reason: ready.reason, message: ready.message } } : {};
}
