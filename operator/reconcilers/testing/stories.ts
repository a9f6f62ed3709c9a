/** What stories about a leader begin with, and how they wait. */

import * as assert from 'uvu/assert';
import { poolObject } from '../../../testing/config-objects.ts';
import type { Service, ServiceSpec } from '../../cluster/objects.ts';
import { FakeWorld } from './fake-world.ts';

export function service(
  name: string,
  more: { spec?: ServiceSpec; annotations?: Record<string, string>; born?: string } = {},
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace: 'shop',
      name,
      uid: `uid-${name}`,
      creationTimestamp: more.born ?? '2026-01-01T00:00:00Z',
      ...(more.annotations && { annotations: more.annotations }),
    },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ...more.spec },
  };
}

/** A world that leads and has one pool in force, and as many Services with addresses. */
export async function serving(
  count: number,
  addresses: readonly string[] = ['10.0.0.0/24'],
  lead: Parameters<FakeWorld['lead']>[0] = {},
): Promise<FakeWorld> {
  const world = new FakeWorld();
  world.put(world.stores.pools, poolObject('a', addresses));
  for (let at = 0; at < count; at++) world.put(world.stores.services, service(`s${at}`));
  world.lead(lead);
  await settled(world);
  for (let at = 0; at < count; at++) assert.is(world.addressesOf(`shop/s${at}`).length, 1, `s${at}`);
  return world;
}

/** Until nothing was written for a while. */
export async function settled(world: FakeWorld, quietMs = 120): Promise<void> {
  let before = -1;
  while (before !== world.writes.length || world.writes.length === 0) {
    before = world.writes.length;
    await new Promise((resolve) => setTimeout(resolve, quietMs));
  }
}
