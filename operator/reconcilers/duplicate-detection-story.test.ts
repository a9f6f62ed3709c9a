/** The leader asks for the addresses of a pool before it writes them: from the Service to its status. */

import * as assert from 'uvu/assert';
import type { AddressProbe } from '../../crds/address-probe.ts';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import type { ProbeWorld } from './probe-world.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service, settled } from './testing/stories.ts';

const MAC = '02:00:00:00:00:c1';

/** Nodes that are asked for addresses; whoever is `taken` is somebody else's. */
class Nodes {
  readonly probes = new Map<string, AddressProbe>();
  readonly asked: string[] = [];
  readonly taken = new Set<string>();
  readonly timers: (() => void)[] = [];
  readonly world: FakeWorld;

  constructor(world: FakeWorld) {
    this.world = world;
  }

  get probeWorld(): ProbeWorld {
    return {
      clock: () => performance.now(),
      after: (_milliseconds, action) => {
        this.timers.push(action);
        return () => this.timers.splice(this.timers.indexOf(action), 1);
      },
      createProbe: async (content) => {
        const uid = `u${this.asked.push(content.address)}`;
        const probe = { metadata: { name: content.address, uid }, ...content };
        this.probes.set(uid, probe);
        setTimeout(() => this.#answer(probe), 20);
        return probe;
      },
      removeProbe: async ({ metadata }) => void this.probes.delete(metadata.uid ?? ''),
      listProbes: async () => [],
    };
  }

  #answer({ address, metadata: { uid = '' } }: AddressProbe): void {
    const found: Partial<ProbeResult> = this.taken.has(address)
      ? { result: 'Conflict', mac: MAC, interface: 'eth0' }
      : { result: 'Free' };
    this.world.probed([{ address, uid, result: 'Free', ...found }]);
  }
}

/** A leader with one pool that asks for duplicate address detection. */
function leading(more = { duplicateAddressDetection: true }): { world: FakeWorld; nodes: Nodes } {
  const world = new FakeWorld();
  const nodes = new Nodes(world);
  world.put(world.stores.pools, poolObject('a', ['10.0.0.1-10.0.0.9'], more));
  world.lead({}, { probes: { world: nodes.probeWorld, prospectOf: () => ({ node: 'node-a' }) } });
  return { world, nodes };
}
const hasAddress = (world: FakeWorld, key: string, address: string): Promise<void> =>
  eventually(`${key} has ${address}`, () => world.addressesOf(key).join() === address);

spec('a pool with duplicate address detection', (test) => {
  test('gives an address after it was asked for: one write says so, one gives it, one event tells it', async () => {
    const { world, nodes } = leading();
    world.put(world.stores.services, service('web'));
    await hasAddress(world, 'shop/web', '10.0.0.1');
    await settled(world);
    assert.equal(nodes.asked, ['10.0.0.1']);
    assert.is(nodes.probes.size, 0);
    assert.is(world.writes.filter((write) => write === 'services shop/web').length, 2);
    assert.equal(world.events, ['Normal IPAllocated shop/web: Assigned IP ["10.0.0.1"]']);
    await world.die();
  });
  test('gives the next address where somebody has the first, and nobody the first for ten minutes', async () => {
    const { world, nodes } = leading();
    nodes.taken.add('10.0.0.1');
    world.put(world.stores.services, service('web'));
    await hasAddress(world, 'shop/web', '10.0.0.2');
    world.put(world.stores.services, service('api'));
    await hasAddress(world, 'shop/api', '10.0.0.3');
    assert.equal(nodes.asked, ['10.0.0.1', '10.0.0.2', '10.0.0.3']);
    assert.match(world.events[0] ?? '', `Warning AddressConflicts shop/web: 10.0.0.1 is in use on the network: ${MAC}`);
    nodes.taken.clear();
    for (const action of nodes.timers.splice(0)) action();
    world.put(world.stores.services, service('more'));
    await hasAddress(world, 'shop/more', '10.0.0.1');
    await world.die();
  });
  test('refuses who asks for exactly that address, and tries again when it asks anew', async () => {
    const { world, nodes } = leading();
    nodes.taken.add('10.0.0.5');
    const asking = service('web', { annotations: { 'metallb.io/loadBalancerIPs': '10.0.0.5' } });
    world.put(world.stores.services, asking);
    await eventually('it is refused', () => world.reasonOf('shop/web') === 'AddressConflicts');
    const told = world.stores.services.get('shop/web')?.status?.conditions?.[0];
    assert.match(told?.message ?? '', MAC);
    await settled(world);
    assert.is(nodes.asked.length, 1);
    nodes.taken.clear();
    const stored = world.stores.services.get('shop/web') ?? asking;
    world.put(world.stores.services, { ...stored, spec: { ...stored.spec, sessionAffinity: 'ClientIP' } });
    await hasAddress(world, 'shop/web', '10.0.0.5');
    await world.die();
  });
  test('asks nothing for what the status of a Service has, and writes nothing', async () => {
    const { world, nodes } = leading();
    world.put(world.stores.services, service('web'));
    await hasAddress(world, 'shop/web', '10.0.0.1');
    await settled(world);
    await world.die();
    const before = world.writes.length;
    world.lead({}, { probes: { world: nodes.probeWorld, prospectOf: () => ({ node: 'node-a' }) } });
    await settled(world);
    assert.equal([nodes.asked.length, world.writes.length], [1, before]);
    await world.die();
  });
  test('that does not say so gives at once', async () => {
    const { world, nodes } = leading({ duplicateAddressDetection: false });
    world.put(world.stores.services, service('web'));
    await hasAddress(world, 'shop/web', '10.0.0.1');
    assert.equal(nodes.asked, []);
    await world.die();
  });
});
