/**
 * Which addresses of spec.externalIPs are announced: those that a pool gives up for it, to namespaces that it names, and
 * that nobody else has. Whoever may write Services could else answer for any address of the network (CVE-2020-8554).
 */

import type { ReasonOf } from '../../crds/reasons.ts';
import { allowsNamespace, holds, type Pool, selectsService } from '../config/pool.ts';
import { type SharingTerms, sharingConflict } from '../config/sharing.ts';
import { formatIp, type IpAddress } from '../net/address.ts';

/** One Service that names external IPs, and that kube-proxy forwards: it has a cluster address. */
export interface ExternalIpClaim extends SharingTerms {
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** RFC 3339, whole seconds: as text it sorts by time. */
  readonly createdAt: string;
  /** Each once. */
  readonly addresses: readonly IpAddress[];
}

/** One external IP that is announced. */
export interface ExternalIpGrant {
  /** Canonical text. */
  readonly address: string;
  /** 'namespace/name' */
  readonly service: string;
}

/** What the operator says about the external IPs of one Service, of those that lie in a pool. */
export interface ExternalIpVerdict {
  readonly status: 'True' | 'False';
  readonly reason: ReasonOf<'heraldlb.io/ExternalIPsAccepted'>;
  readonly message: string;
}

export interface ExternalIpSurroundings {
  /** The pools in force, remnants last. */
  readonly pools: readonly Pool[];
  /** What was announced so far: it stays with whom it is while it is permitted. */
  readonly before: readonly ExternalIpGrant[];
  /** What the cluster itself uses an address for, in words; undefined for nothing. */
  clusterUseOf(address: IpAddress): string | undefined;
  /** The Services that have an address in their status, or are about to. */
  holdersOf(address: IpAddress): readonly string[];
  /** Who else an address is kept for, in words; undefined for nobody. */
  keptFor(address: IpAddress, claim: ExternalIpClaim): string | undefined;
}

export interface ExternalIpDecision {
  /** By address and Service. */
  readonly grants: readonly ExternalIpGrant[];
  /** By 'namespace/name'; none for a Service whose external IPs lie in no pool: they are none of ours. */
  readonly verdicts: ReadonlyMap<string, ExternalIpVerdict>;
}

type Refusal = Pick<ExternalIpVerdict, 'reason' | 'message'>;

/** Decides about all claims at once. Pure, and the same in whatever order they come. */
export function decideExternalIps(
  claims: readonly ExternalIpClaim[],
  surroundings: ExternalIpSurroundings,
): ExternalIpDecision {
  const holding = new Set(surroundings.before.map(idOf));
  const asked = claims
    .flatMap((claim) => claim.addresses.map((address) => ({ claim, address, text: formatIp(address) })))
    .map((each) => ({ ...each, isHeld: holding.has(idOf({ service: each.claim.key, address: each.text })) }))
    .toSorted((a, b) => Number(b.isHeld) - Number(a.isHeld) || byAgeThenKey(a.claim, b.claim));
  const granted = new Map<string, ExternalIpClaim[]>();
  const answers = new Map<string, (Refusal | string)[]>();
  for (const { claim, address, text, isHeld } of asked) {
    const pool = surroundings.pools.find((one) => holds(one, address));
    // It is announced already, as what the Service has got.
    if (!pool || surroundings.holdersOf(address).includes(claim.key)) continue;
    const others = granted.get(text) ?? [];
    const refusal = refusalOf(claim, address, { pool, others, isHeld, surroundings });
    if (!refusal) granted.set(text, [...others, claim]);
    answers.set(claim.key, [...(answers.get(claim.key) ?? []), refusal ?? text]);
  }
  return { grants: grantsOf(granted), verdicts: new Map([...answers].map(([key, all]) => [key, verdictOf(all)])) };
}

interface Question {
  readonly pool: Pool;
  /** Who has been granted the address already. */
  readonly others: readonly ExternalIpClaim[];
  readonly isHeld: boolean;
  readonly surroundings: ExternalIpSurroundings;
}

function refusalOf(claim: ExternalIpClaim, address: IpAddress, question: Question): Refusal | undefined {
  const { surroundings, others, pool } = question;
  const text = formatIp(address);
  const closed = poolRefusal(claim, question);
  if (closed) return { ...closed, message: `${text}: ${closed.message}` };
  const use = surroundings.clusterUseOf(address);
  if (use !== undefined) return { reason: 'ClusterAddress', message: `${text} ${use}` };
  const [holder] = surroundings.holdersOf(address);
  if (holder !== undefined) return { reason: 'AddressInUse', message: `${text} is held by ${holder}` };
  const kept = surroundings.keptFor(address, claim);
  if (kept !== undefined) return { reason: 'AddressReserved', message: `${text} is kept for ${kept}` };
  const [conflict] = others.flatMap((other) => sharingConflict(claim, other, pool) ?? []);
  return (
    conflict && {
      reason: 'AddressInUse',
      message: `${text} is an external IP of another Service already: ${conflict.message}`,
    }
  );
}

/** Why the pool does not give the address up for this Service. */
function poolRefusal(claim: ExternalIpClaim, { pool, isHeld }: Question): Refusal | undefined {
  if (pool.isRemnant || !pool.announcesExternalIPs)
    return { reason: 'PoolWithoutExternalIPs', message: `pool ${pool.name} does not say externalIPs: true` };
  if (pool.source)
    return {
      reason: 'PoolWithoutExternalIPs',
      message: `pool ${pool.name} claims each address from its source, which knows of no external IPs`,
    };
  // A pool for everybody selects nobody: who lends addresses out says to whom.
  if (pool.namespaces === undefined || !allowsNamespace(pool, claim))
    return {
      reason: 'NamespaceNotSelected',
      message: `serviceAllocation of pool ${pool.name} does not select namespace ${claim.namespace}, as external IPs need`,
    };
  if (!selectsService(pool, claim))
    return {
      reason: 'ServiceNotSelected',
      message: `serviceAllocation of pool ${pool.name} does not select the labels of the Service`,
    };
  if (pool.isDraining && !isHeld)
    return { reason: 'PoolDraining', message: `pool ${pool.name} is being drained and gives nothing new` };
  return undefined;
}

/** The first refusal says why, all of them what. */
function verdictOf(answers: readonly (Refusal | string)[]): ExternalIpVerdict {
  const refusals = answers.filter((answer) => typeof answer !== 'string');
  const accepted = answers.filter((answer) => typeof answer === 'string').join(', ');
  const [first] = refusals;
  if (!first) return { status: 'True', reason: 'Accepted', message: `${accepted} may be announced.` };
  const also = accepted === '' ? '' : ` ${accepted} may be announced.`;
  return {
    status: 'False',
    reason: first.reason,
    message: `${refusals.map(({ message }) => message).join('; ')}.${also}`,
  };
}

const grantsOf = (granted: ReadonlyMap<string, readonly ExternalIpClaim[]>): readonly ExternalIpGrant[] =>
  [...granted]
    .flatMap(([address, claims]) => claims.map(({ key }) => ({ address, service: key })))
    .toSorted((a, b) => compareText(idOf(a), idOf(b)));

/** The external IPs that each Service may have announced, by 'namespace/name'. */
export function grantsByService(grants: readonly ExternalIpGrant[]): ReadonlyMap<string, readonly string[]> {
  const byService = new Map<string, readonly string[]>();
  for (const { service, address } of grants) byService.set(service, [...(byService.get(service) ?? []), address]);
  return byService;
}

const idOf = ({ address, service }: ExternalIpGrant): string => `${address} ${service}`;
const byAgeThenKey = (a: ExternalIpClaim, b: ExternalIpClaim): number =>
  compareText(a.createdAt, b.createdAt) || compareText(a.key, b.key);
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
