/** What a change does to Services: addresses that come, go and move, and who answers for them then. */

import type { Decision } from '../../allocator/decision.ts';
import { holds, type Pool, permits } from '../../config/pool.ts';
import { formatIp, type IpAddress } from '../../net/address.ts';
import type { Forecast, Owner } from './forecast.ts';

/** Where an address of the Service is answered for, before and after; no node where nobody answers. */
export interface OwnerChange {
  readonly address: string;
  readonly before?: string;
  readonly after?: string;
  /** Why nobody answers afterwards. */
  readonly because?: string;
}

export interface ServiceOutcome {
  /** `namespace/name` */
  readonly service: string;
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** A clause that says why the addresses differ; empty where they do not. */
  readonly because: string;
  readonly owners: readonly OwnerChange[];
  /** Whether clients lose something: an address, or whoever answers for it. */
  readonly isBroken: boolean;
}

/** What is known about the Services that were changed themselves. */
export interface ServiceContext {
  /** Services whose own manifest changes them: they ask for what they get. */
  readonly changed: ReadonlySet<string>;
  /** By name, pools whose annotation allows that Services lose addresses. */
  readonly allowed: ReadonlySet<string>;
  readonly namespaceOf: (service: string) => string;
  readonly labelsOf: (service: string) => Readonly<Record<string, string>> | undefined;
}

/** The Services to which something happens, by name. */
export function serviceOutcomes(before: Forecast, after: Forecast, context: ServiceContext): readonly ServiceOutcome[] {
  const keys = [...new Set([...before.decisions.keys(), ...after.decisions.keys()])].sort();
  return keys.flatMap((key) => outcomeOf(key, before, after, context) ?? []);
}

function outcomeOf(
  key: string,
  before: Forecast,
  after: Forecast,
  context: ServiceContext,
): ServiceOutcome | undefined {
  const [had, has] = [before, after].map(({ decisions }) => addressesOf(decisions.get(key))) as [
    readonly IpAddress[],
    readonly IpAddress[],
  ];
  const [hadTexts, hasTexts] = [had.map(formatIp), has.map(formatIp)];
  const lost = had.filter((address) => !hasTexts.includes(formatIp(address)));
  const gained = hasTexts.filter((text) => !hadTexts.includes(text));
  const owners = hasTexts.flatMap(
    (address) =>
      ownerChange(
        address,
        hadTexts.includes(address) ? before.owners.get(key)?.get(address) : undefined,
        after.owners.get(key)?.get(address),
      ) ?? [],
  );
  const isCreated = !before.decisions.has(key);
  if (lost.length === 0 && gained.length === 0 && owners.length === 0 && !isCreated) return undefined;
  const decision = after.decisions.get(key);
  const isAsked = context.changed.has(key) && hasTexts.length > 0;
  const isAllowed = poolsOf(before.decisions.get(key)).some((pool) => context.allowed.has(pool));
  return {
    service: key,
    before: hadTexts,
    after: hasTexts,
    because: lost.length > 0 ? whyLost(key, lost, { before, after, context }) : unassignedBecause(decision),
    owners,
    isBroken: (lost.length > 0 && !isAsked && !isAllowed) || owners.some((one) => one.before && !one.after),
  };
}

const addressesOf = (decision: Decision | undefined): readonly IpAddress[] =>
  decision?.outcome === 'Assigned' ? decision.addresses : [];
const poolsOf = (decision: Decision | undefined): readonly string[] =>
  decision?.outcome === 'Assigned' ? decision.pools : [];
const unassignedBecause = (decision: Decision | undefined): string =>
  decision?.outcome === 'Unassigned' ? clauseOf(decision.message) : '';

interface Change {
  readonly before: Forecast;
  readonly after: Forecast;
  readonly context: ServiceContext;
}

function whyLost(key: string, lost: readonly IpAddress[], { before, after, context }: Change): string {
  const names = poolsOf(before.decisions.get(key));
  const name = names.join(' and ');
  const pools = after.config.pools.filter((one) => names.includes(one.name));
  const texts = lost.map(formatIp).join(' and ');
  if (context.changed.has(key)) return 'the Service is changed itself';
  if (pools.length === 0) return `there is no pool ${name} any more`;
  if (lost.some((address) => !pools.some((pool) => holds(pool, address))))
    return `pool ${name} no longer holds ${texts}`;
  if (pools.some((pool) => !mayUse(pool, key, context))) return `pool ${name} is no longer for this Service`;
  return unassignedBecause(after.decisions.get(key)) || `${texts} goes to an older Service`;
}

const mayUse = (pool: Pool, key: string, { namespaceOf, labelsOf }: ServiceContext): boolean =>
  permits(pool, { namespace: namespaceOf(key), labels: labelsOf(key) });

/** Undefined where the same node answers, or nobody does before and after. */
function ownerChange(address: string, was: Owner | undefined, is: Owner | undefined): OwnerChange | undefined {
  const [before, after] = [nodeOf(was), nodeOf(is)];
  if (was && before === after) return undefined;
  return {
    address,
    ...(before !== undefined && { before }),
    ...(after !== undefined && { after }),
    ...(is && 'reason' in is && { because: clauseOf(is.message) }),
  };
}

const nodeOf = (owner: Owner | undefined): string | undefined => (owner && 'node' in owner ? owner.node : undefined);
const clauseOf = (sentence: string): string => sentence.replace(/\.$/, '');
