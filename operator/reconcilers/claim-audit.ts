/** Holds what a source has claimed for this cluster against what Services hold and wait for. */

import { formatIp } from '../net/address.ts';
import { type AddressSource, type GrantedClaim, SourceError } from '../sources/address-source.ts';
import { claimOf } from './claim-id.ts';
import type { ClaimTaker, SourceWorld } from './claim-taker.ts';
import type { ClaimRecord, Claims } from './claims.ts';
import { inOrder } from './in-order.ts';
import type { SourceLine } from './source-line.ts';

/** Not the id of a claim: the list of all claims. */
export const LIST = 'list';
/** Its uid is that of the cluster. */
const CLUSTER_NAMESPACE = 'kube-system';

export interface ClaimAuditParts {
  readonly world: SourceWorld;
  readonly book: ClaimTaker;
  readonly claims: Claims;
  /** Whether a pool has a source of its own, which looks after its claims. */
  readonly hasLine: (pool: string) => boolean;
}

export class ClaimAudit {
  readonly #parts: ClaimAuditParts;
  #lists = 0;

  constructor(parts: ClaimAuditParts) {
    this.#parts = parts;
  }

  /** How many lists were begun. */
  get lists(): number {
    return this.#lists;
  }

  cluster(): string {
    const uid = this.#parts.world.stores.namespaces.get(CLUSTER_NAMESPACE)?.metadata.uid;
    if (!uid) throw new SourceError('BadAnswer', `the namespace ${CLUSTER_NAMESPACE} is not known yet`);
    return uid;
  }

  /** @throws {SourceError} */
  async run(line: SourceLine, source: AddressSource, signal: AbortSignal): Promise<void> {
    const { claims } = this.#parts;
    const cluster = this.cluster();
    this.#adopt(line);
    this.#lists += 1;
    const number = this.#lists;
    // A source that tells of others' claims too shall not make us release them.
    const listed = (await source.list(cluster, signal)).filter((claim) => claim.cluster === cluster);
    for (const claim of listed) await this.#hear(line, claim, source, signal);
    const ids = new Set(listed.map(({ id }) => id));
    for (const record of claims.of(line)) {
      const isMissing =
        record.wants === 'Claim' && record.address && record.since < number && !ids.has(record.claim.id);
      if (isMissing) this.#claimAgain(record);
    }
  }

  /** Says on the Service that the source does not agree; once for each thing that it says. */
  dispute(record: ClaimRecord, words: string): void {
    const { world } = this.#parts;
    const { claim, line, address, dispute } = record;
    if (dispute === words || !address) return;
    record.dispute = words;
    const service = world.stores.services.get(`${claim.service.namespace}/${claim.service.name}`);
    if (!service) return;
    const message = `The Service keeps ${formatIp(address)}, which the source of pool ${line.pool.name} does not confirm: ${words}`;
    world.event(service, 'Warning', 'SourceRefused', message);
  }

  /** What Services hold of the pool by their status, and nobody claimed in this term. */
  #adopt(line: SourceLine): void {
    const { world, book, claims } = this.#parts;
    for (const { service: key, address } of book.heldOf(line.key)) {
      const service = world.stores.services.get(key);
      if (!service || claims.withAddress(line, address)) continue;
      const claim = claimOf(this.cluster(), line.key, service, address.family);
      if (claims.get(claim.id)) continue;
      claims.put({ claim, line, wants: 'Claim', address, exact: address, isConfirmed: false, since: this.#lists });
    }
  }

  async #hear(line: SourceLine, claim: GrantedClaim, source: AddressSource, signal: AbortSignal): Promise<void> {
    const { claims, book, hasLine } = this.#parts;
    const known = claims.get(claim.id);
    if (known) {
      await this.#compare(known, claim, source, signal);
      return;
    }
    const holder = claims.withAddress(line, claim.address);
    if (holder) {
      // Claimed for a Service that shared the address and is gone, or under a former name of the pool.
      claims.delete(holder.claim.id);
      claims.put({ ...holder, claim, isConfirmed: true });
      return;
    }
    if (book.holdersOf(claim.address).length > 0) return;
    if (claim.pool !== line.key && hasLine(claim.pool)) return;
    if (await this.#mayBeNeeded(claim)) return;
    const { address } = claim;
    claims.put({ claim, line, wants: 'Release', address, isFreed: true, isConfirmed: false, since: this.#lists });
    line.add(claim.id);
  }

  async #compare(record: ClaimRecord, listed: GrantedClaim, source: AddressSource, signal: AbortSignal): Promise<void> {
    // Whose request is still to be made hears it then.
    if (record.wants === 'Release' || !record.address) return;
    if (record.address.value === listed.address.value) {
      record.isConfirmed = true;
      record.dispute = undefined;
      return;
    }
    // The Service keeps what it has: the claim has to follow.
    await inOrder(this.#parts.world.sources, (order) => source.release(listed.id, order, signal));
    this.#claimAgain(record);
  }

  #claimAgain(record: ClaimRecord): void {
    record.isConfirmed = false;
    record.exact = record.address;
    record.line.add(record.claim.id);
  }

  /** Whether the Service lives and was not looked at yet: stores may be behind the leader that claimed for it. */
  async #mayBeNeeded({ service: { namespace, name, uid } }: GrantedClaim): Promise<boolean> {
    const key = `${namespace}/${name}`;
    const { world } = this.#parts;
    if (world.stores.services.get(key)?.metadata.uid === uid) return false;
    const service = await world.readService(key);
    return service?.metadata.uid === uid && service.spec.type === 'LoadBalancer';
  }
}
