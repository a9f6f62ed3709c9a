/** Tells pools what was decided about them, what is in force, and how much of it is used: the counters at a calm pace. */

import type { IpAddressPool, IpAddressPoolStatus } from '../../crds/ip-address-pool.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { resources } from '../cluster/resource.ts';
import { isSame } from '../cluster/status-writer.ts';
import { capacityOf, countOf } from '../config/pool-capacity.ts';
import { objectRef } from '../config/verdict.ts';
import type { AddressBook } from './address-book.ts';
import { CalmPace } from './calm-pace.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { LOOK_AGAIN, OwnWrites } from './own-writes.ts';
import { commonStatusOf } from './verdict-status.ts';
import type { World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };

type PoolStatus = Pick<IpAddressPoolStatus, 'inForce'> & { readonly [name: string]: unknown };

export class AddressPoolReconciler implements Reconciler {
  readonly name = 'address-pool';
  readonly #world: World;
  readonly #keeper: ConfigKeeper;
  readonly #book: AddressBook;
  readonly #writes = new OwnWrites();
  readonly #pace: CalmPace;

  constructor(world: World, keeper: ConfigKeeper, book: AddressBook) {
    this.#world = world;
    this.#keeper = keeper;
    this.#book = book;
    this.#pace = new CalmPace(() => world.clock());
  }

  async reconcile(key: string): Promise<Outcome> {
    const pool = this.#world.stores.pools.get(key);
    const verdict = pool && this.#keeper.verdictOf(objectRef('IPAddressPool', pool.metadata), pool.metadata);
    if (!pool || !verdict) {
      this.#forget(key);
      return DONE;
    }
    if (this.#writes.isReplaced(pool)) return LOOK_AGAIN;
    const common = { ...commonStatusOf(pool, verdict, this.#world.now()), ...this.#inForceOf(key) };
    const counters = this.#countersOf(key);
    const waitMs = isOnlyCounters(pool, common, counters) ? this.#pace.waitOf(key) : 0;
    if (waitMs > 0) return { next: 'RetryAfter', milliseconds: waitMs, because: 'counters are written at a calm pace' };
    const result = await this.#world.applyStatus<PoolStatus>(pool, resources.ipAddressPools, {
      status: { ...common, ...counters },
    });
    if (result === 'Unchanged') {
      this.#pace.isCurrent(key);
      return DONE;
    }
    this.#pace.wrote(key);
    this.#writes.wrote(pool);
    return DONE;
  }

  #inForceOf(key: string): Pick<IpAddressPoolStatus, 'inForce'> {
    const entry = this.#keeper.entryOf(key);
    if (!entry || entry.deleted) return {};
    const { addresses, exclude, hash, generation } = entry;
    return { inForce: { addresses: [...addresses], ...(exclude && { exclude: [...exclude] }), hash, generation } };
  }

  #countersOf(key: string): Record<string, number> {
    const pool = this.#keeper.poolOf(key);
    const { ipv4, ipv6 } = this.#book.useOf(key);
    const capacity = pool && !pool.isRemnant ? capacityOf(pool) : { ipv4: 0n, ipv6: 0n };
    return {
      assignedIPv4: ipv4,
      assignedIPv6: ipv6,
      availableIPv4: countOf(capacity.ipv4 - BigInt(ipv4)),
      availableIPv6: countOf(capacity.ipv6 - BigInt(ipv6)),
    };
  }

  #forget(key: string): void {
    this.#writes.forget(key);
    this.#pace.forget(key);
  }
}

/** Whether the counters differ from the status, and nothing else does; counters that were never written cannot wait. */
function isOnlyCounters({ status }: IpAddressPool, common: object, counters: Record<string, number>): boolean {
  if (status?.assignedIPv4 === undefined) return false;
  const { assignedIPv4, assignedIPv6, availableIPv4, availableIPv6, ...rest } = status;
  const written = { assignedIPv4, assignedIPv6, availableIPv4, availableIPv6 };
  return isSame(rest, common) && !isSame(written, counters);
}
