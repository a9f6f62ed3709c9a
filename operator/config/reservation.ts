/** Reservations that are in force: addresses, or a share of a pool, that are kept for some Services. */

import type { AddressReservation } from '../../crds/address-reservation.ts';
import { reasons } from '../../crds/reasons.ts';
import { type AddressRange, formatRange, parseAddressOrRange, without } from '../net/range.ts';
import type { LabelledObject, Pool } from './pool.ts';
import { capacityOf } from './pool-capacity.ts';
import { merged, OwnedRanges, RangeSet } from './range-set.ts';
import { type MissingRef, missingAmong, resolvedRefs, waiting } from './refs.ts';
import { byAge } from './scope.ts';
import { type NamedApplicant, selectionOf, selectionProblem } from './service-selection.ts';
import {
  accepted,
  asOne,
  condition,
  conflicting,
  type ObjectRef,
  objectRef,
  type Refusal,
  refused,
  type Verdict,
  type VerdictCondition,
} from './verdict.ts';

export interface Reservation {
  /** 'namespace/name' of the object. */
  readonly key: string;
  /** Ascending within a family; no two reservations have an address in common. */
  readonly ranges: readonly AddressRange[];
  readonly addresses: RangeSet;
  /** So many addresses of the pool of this name, whichever. */
  readonly share?: { readonly pool: string; readonly ipv4: number; readonly ipv6: number };
  /** Tells two contents apart, as they are resolved now. */
  readonly content: string;
  isFor(applicant: NamedApplicant): boolean;
}

export interface ReservationContext {
  readonly pools: readonly Pool[];
  readonly namespaces: readonly LabelledObject[];
}

export interface JudgedReservations {
  /** The oldest first. */
  readonly reservations: readonly Reservation[];
  readonly verdicts: ReadonlyMap<ObjectRef, Verdict>;
}

/** Of two that reserve one address the older counts; the other is disabled as a whole. */
export function judgeReservations(
  objects: readonly AddressReservation[],
  context: ReservationContext,
): JudgedReservations {
  const verdicts = new Map<ObjectRef, Verdict>();
  const beside = new Accepted(context);
  for (const object of objects.toSorted(byAge)) {
    const judged = reservationOf(object, context.namespaces);
    const verdict = 'reason' in judged ? refused(judged) : beside.judge(judged);
    verdicts.set(objectRef('AddressReservation', object.metadata), verdict);
  }
  return { reservations: beside.reservations, verdicts };
}

type Share = NonNullable<Reservation['share']>;

function reservationOf(
  { metadata, spec }: AddressReservation,
  namespaces: readonly LabelledObject[],
): Reservation | Refusal {
  const problem = specProblem(spec);
  if (problem) return problem;
  const { addresses = [], share, for: who } = spec;
  const { namespace, ...rest } = who;
  const selection = selectionOf({ ...rest, ...(namespace !== undefined && { namespaces: [namespace] }) }, namespaces);
  const parsed = addresses.map(parseAddressOrRange).filter((range) => typeof range !== 'string');
  const ranges = merged(parsed);
  return {
    key: `${metadata.namespace ?? ''}/${metadata.name}`,
    ranges,
    addresses: new RangeSet(ranges),
    ...(share && { share: { pool: share.pool, ipv4: share.ipv4 ?? 0, ipv6: share.ipv6 ?? 0 } }),
    content: [ranges.map(formatRange).join(), JSON.stringify(share ?? null), selection.content].join(' '),
    isFor: (applicant: NamedApplicant) => selection.includes(applicant),
  };
}

function specProblem({ addresses = [], share, for: who }: AddressReservation['spec']): Refusal | undefined {
  const unread = addresses.find((text) => typeof parseAddressOrRange(text) === 'string');
  if (unread !== undefined)
    return invalid(`"${unread}" in spec.addresses is neither an address, nor a CIDR, nor a range first-last.`);
  if (addresses.length === 0 && !share) return invalid('spec has neither addresses nor share.');
  if (who.name !== undefined && who.namespace === undefined)
    return invalid('spec.for.name needs a namespace beside it.');
  const selector = selectionProblem(who);
  return selector === undefined ? undefined : { reason: 'InvalidSelector', message: `In spec.for: ${selector}.` };
}

const invalid = (message: string): Refusal => ({ reason: 'InvalidSpec', message });

/** Those that count so far: the next one is judged beside them. */
class Accepted {
  readonly reservations: Reservation[] = [];
  readonly #kept = new OwnedRanges<string>();
  readonly #shares = new Map<string, Share[]>();
  readonly #pools: readonly Pool[];
  readonly #poolRanges: readonly AddressRange[];

  constructor({ pools }: ReservationContext) {
    this.#pools = pools;
    this.#poolRanges = pools.filter(({ isRemnant }) => !isRemnant).flatMap(({ ranges }) => ranges);
  }

  judge(reservation: Reservation): Verdict {
    const { key, ranges, share } = reservation;
    const overlap = overlapRefusal(ranges, this.#kept);
    if (overlap) return refused(overlap);
    this.reservations.push(reservation);
    for (const range of ranges) this.#kept.add(range, key);
    if (share) this.#shares.set(share.pool, [...(this.#shares.get(share.pool) ?? []), share]);
    return this.#verdictOf(reservation);
  }

  #verdictOf({ share, ranges }: Reservation): Verdict {
    const isPool = (wanted: string): boolean =>
      this.#pools.some(({ name, isRemnant }) => name === wanted && !isRemnant);
    const missing: readonly MissingRef[] = [
      ...missingAmong(share && [share.pool], isPool, { reason: 'PoolNotFound', what: 'pool' }),
      ...outsideOfPools(ranges, this.#poolRanges),
    ];
    const refs = resolvedRefs(missing);
    const warnings = asOne([shareWarning(share, this.#pools, this.#shares)]);
    if (missing.length > 0) return waiting(refs, warnings);
    const ready = condition('Ready', 'True', 'Reserving', reasons.Ready.Reserving);
    return { conditions: [ready, accepted(), refs, ...warnings] };
  }
}

function overlapRefusal(ranges: Reservation['ranges'], older: OwnedRanges<string>): Refusal | undefined {
  for (const range of ranges) {
    const owner = older.ownerOf(range);
    if (owner !== undefined)
      return {
        reason: 'OverlapsReservation',
        message: `${formatRange(range)} overlaps the older AddressReservation ${owner}.`,
      };
  }
  return undefined;
}

function outsideOfPools(ranges: readonly AddressRange[], poolRanges: readonly AddressRange[]): readonly MissingRef[] {
  const outside = ranges.flatMap((range) => without(range, poolRanges));
  if (outside.length === 0) return [];
  const message = `No pool has ${outside.map(formatRange).join(', ')}.`;
  return [{ reason: 'AddressNotInPool', message }];
}

function shareWarning(
  share: Share | undefined,
  pools: readonly Pool[],
  shares: ReadonlyMap<string, readonly Share[]>,
): VerdictCondition | undefined {
  const pool = share && pools.find(({ name }) => name === share.pool);
  if (!pool) return undefined;
  const capacity = capacityOf(pool);
  const all = shares.get(pool.name) ?? [];
  const tooLarge = (['ipv4', 'ipv6'] as const).filter(
    (family) => share[family] > 0 && all.reduce((sum, one) => sum + BigInt(one[family]), 0n) > capacity[family],
  );
  if (tooLarge.length === 0) return undefined;
  const sizes = tooLarge.map((family) => `${capacity[family]} ${family === 'ipv4' ? 'IPv4' : 'IPv6'} addresses`);
  return conflicting(
    'ShareExceedsPool',
    `Pool ${pool.name} has ${sizes.join(' and ')}, fewer than reservations want of it.`,
  );
}
