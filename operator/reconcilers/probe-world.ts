/** All that asking nodes about addresses may see and do; the tests pass a world of their own. */

import type { AddressProbe } from '../../crds/address-probe.ts';
import type { ApiConnection } from '../cluster/api-connection.ts';
import { isNotFound } from '../cluster/api-error.ts';
import type { LeaderTerm } from '../cluster/leader-term.ts';
import { listAll } from '../cluster/list.ts';
import { createObject, deleteObject } from '../cluster/requests.ts';
import { resources } from '../cluster/resource.ts';
import { ADDRESS_BITS, formatIp, parseIp } from '../net/address.ts';

/** What an AddressProbe says. */
export type ProbeContent = Pick<AddressProbe, 'address' | 'node' | 'service'>;

/** Every write is one of a leader: it throws LeadershipLostError when the term does not allow it any more. */
export interface ProbeWorld {
  /** Milliseconds of a monotonic clock. */
  clock(): number;
  /** Calls `action` once after `milliseconds`, but not after the term. @returns a function that prevents it */
  after(milliseconds: number, action: () => void): () => void;
  /** @throws {ConflictError} when there is one for this address already */
  createProbe(probe: ProbeContent): Promise<AddressProbe>;
  /** Deletes that very object where its uid is given, else the one of its name; one that is gone is as good. */
  removeProbe(probe: Pick<AddressProbe, 'metadata'>): Promise<void>;
  listProbes(): Promise<readonly AddressProbe[]>;
}

/** The name of the only AddressProbe for an address: what is left of an earlier one cannot be overlooked. */
export function probeNameOf(address: string): string {
  const ip = parseIp(address);
  if (!ip || ip.family === 4) return address;
  const digits = ip.value.toString(16).padStart(ADDRESS_BITS[6] / 4, '0');
  return digits.match(/.{4}/g)?.join('-') ?? formatIp(ip);
}

/** The world of one term of leadership on a real cluster. */
export function probeWorld(connection: ApiConnection, namespace: string, term: LeaderTerm): ProbeWorld {
  const resource = { ...resources.addressProbes, namespace };
  return {
    clock: () => performance.now(),
    after(milliseconds, action) {
      const timer = setTimeout(() => {
        if (!term.signal.aborted) action();
      }, milliseconds).unref();
      return () => clearTimeout(timer);
    },
    createProbe(content) {
      const metadata = { namespace, name: probeNameOf(content.address) };
      return createObject(connection, resource, { metadata, ...content }, { fieldManager: 'herald-operator', term });
    },
    removeProbe: ({ metadata: { name, uid } }) =>
      deleteObject(connection, resource, { namespace, name, ...(uid !== undefined && { uid }) }, term),
    async listProbes() {
      try {
        return (await listAll(connection, resource, term.signal)).objects;
      } catch (error) {
        if (isNotFound(error)) return []; // its definition is not there (yet)
        throw error;
      }
    },
  };
}
