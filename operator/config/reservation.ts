/** Reservations that are in force: addresses, or a share of a pool, that are kept for some Services. */

import type { AddressReservation } from '../../crds/address-reservation.ts';
import { reasons } from '../../crds/reasons.ts';
import { type AddressRange, formatRange, parseAddressOrRange, without } from '../net/range.ts';
import type { LabelledObject, Pool } from './pool.ts';
import { capacityOf } from './pool-capacity.ts';
import { merged, RangeSet } from './range-set.ts';
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
  const reservations: Reservation[] = [];
  const verdicts = new Map<ObjectRef, Verdict>();
  const poolRanges = context.pools.filter(({ isRemnant }) => !isRemnant).flatMap(({ ranges }) => ranges);
  for (const object of objects.toSorted(byAge)) {
    const reservation = reservationOf(object, context.namespaces);
    const refusal = 'reason' in reservation ? reservation : overlapRefusal(reservation, reservations);
    const ref = objectRef('AddressReservation', object.metadata);
    if (refusal) verdicts.set(ref, refused(refusal));
    else {
      reservations.push(reservation as Reservation);
      verdicts.set(ref, verdictOf(reservation as Reservation, { ...context, poolRanges, reservations }));
    }
  }
  return { reservations, verdicts };
}

function reservationOf({ metadata, spec }: AddressReservation, namespaces: readonly LabelledObject[]) {
  const ranges: AddressRange[] = [];
  for (const text of spec.addresses ?? []) {
    const range = parseAddressOrRange(text);
    if (typeof range === 'string')
      return invalid(`"${text}" in spec.addresses is neither an address, nor a CIDR, nor a range first-last.`);
    ranges.push(range);
  }
  if (ranges.length === 0 && !spec.share) return invalid('spec has neither addresses nor share.');
  const { namespace, ...rest } = spec.for ?? {};
  if (rest.name !== undefined && namespace === undefined) return invalid('spec.for.name needs a namespace beside it.');
  const selector = selectionProblem(rest);
  if (selector !== undefined) return { reason: 'InvalidSelector', message: `In spec.for: ${selector}.` } as const;
  const selection = selectionOf({ ...rest, ...(namespace !== undefined && { namespaces: [namespace] }) }, namespaces);
  const sorted = merged(ranges);
  const { share } = spec;
  return {
    key: `${metadata.namespace ?? ''}/${metadata.name}`,
    ranges: sorted,
    addresses: new RangeSet(sorted),
    ...(share && { share: { pool: share.pool, ipv4: share.ipv4 ?? 0, ipv6: share.ipv6 ?? 0 } }),
    content: [sorted.map(formatRange).join(), JSON.stringify(share ?? null), selection.content].join(' '),
    isFor: (applicant: NamedApplicant) => selection.includes(applicant),
  };
}

const invalid = (message: string): Refusal => ({ reason: 'InvalidSpec', message });

function overlapRefusal({ addresses }: Reservation, older: readonly Reservation[]): Refusal | undefined {
  for (const other of older) {
    const [, ours] = other.addresses.overlapWith(addresses) ?? [];
    if (ours)
      return {
        reason: 'OverlapsReservation',
        message: `${formatRange(ours)} overlaps the older AddressReservation ${other.key}.`,
      };
  }
  return undefined;
}

interface VerdictContext extends ReservationContext {
  readonly poolRanges: readonly AddressRange[];
  /** Those that count so far, this one included. */
  readonly reservations: readonly Reservation[];
}

function verdictOf(reservation: Reservation, context: VerdictContext): Verdict {
  const { share, ranges } = reservation;
  const { pools, poolRanges, reservations } = context;
  const isPool = (wanted: string): boolean => pools.some(({ name, isRemnant }) => name === wanted && !isRemnant);
  const missing: readonly MissingRef[] = [
    ...missingAmong(share && [share.pool], isPool, { reason: 'PoolNotFound', what: 'pool' }),
    ...outsideOfPools(ranges, poolRanges),
  ];
  const refs = resolvedRefs(missing);
  const warnings = asOne([shareWarning(share, pools, reservations)]);
  if (missing.length > 0) return waiting(refs, warnings);
  return {
    conditions: [condition('Ready', 'True', 'Reserving', reasons.Ready.Reserving), accepted(), refs, ...warnings],
  };
}

function outsideOfPools(ranges: readonly AddressRange[], poolRanges: readonly AddressRange[]): readonly MissingRef[] {
  const outside = ranges.flatMap((range) => without(range, poolRanges));
  if (outside.length === 0) return [];
  const message = `No pool has ${outside.map(formatRange).join(', ')}.`;
  return [{ reason: 'AddressNotInPool', message }];
}

function shareWarning(
  share: Reservation['share'],
  pools: readonly Pool[],
  reservations: readonly Reservation[],
): VerdictCondition | undefined {
  const pool = share && pools.find(({ name }) => name === share.pool);
  if (!pool) return undefined;
  const capacity = capacityOf(pool);
  const shares = reservations.flatMap((one) => (one.share?.pool === pool.name ? [one.share] : []));
  const tooLarge = (['ipv4', 'ipv6'] as const).filter(
    (family) => share[family] > 0 && shares.reduce((sum, one) => sum + BigInt(one[family]), 0n) > capacity[family],
  );
  if (tooLarge.length === 0) return undefined;
  const sizes = tooLarge.map((family) => `${capacity[family]} ${family === 'ipv4' ? 'IPv4' : 'IPv6'} addresses`);
  return conflicting(
    'ShareExceedsPool',
    `Pool ${pool.name} has ${sizes.join(' and ')}, fewer than reservations want of it.`,
  );
}
