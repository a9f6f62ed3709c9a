/** The leader is killed, told to stop, and frozen past its lease: addresses come in time, and none comes twice. */

import * as assert from 'uvu/assert';
import { type HeraldProcess, LEASE, leader, processOf, ready, signal } from '../lib/herald.ts';
import { BENCHMARK_RANGE, createServices, plainService, servicesIn } from '../lib/many-services.ts';
import { Observer } from '../lib/observer.ts';
import { scenario } from '../lib/scenario.ts';
import { pause, waitFor } from '../lib/wait-for.ts';
import { addressesIn, type World } from '../lib/world.ts';

const AFTER_KILL_MS = 4_000;
const AFTER_STOP_MS = 300;

/** Creates a Service every `everyMs` while `event` happens and for `forMs` after; how long each took to its address. */
async function createThrough(world: World, prefix: string, count: number, everyMs: number, event: () => Promise<void>) {
  const observer = await Observer.start(world.api, servicesIn(world.namespace));
  const createdAt = new Map<string, number>();
  const happening = event();
  for (let number = 0; number < count; number += 1) {
    const name = `${prefix}-${number}`;
    createdAt.set(`${world.namespace}/${name}`, performance.now());
    await world.api.create(plainService(world.namespace, name));
    await pause(everyMs);
  }
  await happening;
  const hasAddress = (key: string): boolean => observer.firstTimes((object) => addressesIn(object).length > 0).has(key);
  await waitFor(
    'every Service has its address',
    { withinMs: 20_000 },
    () => [...createdAt.keys()].filter((key) => !hasAddress(key)),
    (without) => without.length === 0,
  );
  const times = observer.firstTimes((object) => addressesIn(object).length > 0);
  observer.stop();
  return [...createdAt].map(([key, at]) => (times.get(key) ?? Number.NaN) - at);
}

async function assertNoneTwice(world: World): Promise<void> {
  const held = (await world.api.list(servicesIn(world.namespace))).flatMap(addressesIn);
  assert.is(new Set(held).size, held.length, 'no address is held twice');
}

const worst = (times: readonly number[]): number => times.reduce((a, b) => Math.max(a, b));

scenario(
  'leader-failover',
  (test) => {
    test('a leader assigns', async (world) => {
      await world.pool({ addresses: [BENCHMARK_RANGE] });
      await world.api.create(plainService(world.namespace, 'first'));
      await world.addressesOf('first');
    });

    test('killed: a Service created then has its address within 4 s', async (world) => {
      const victim = await processOf(await leader(world.api));
      await signal(victim, 'KILL');
      const [took = Number.NaN] = await createThrough(world, 'killed', 1, 0, () => Promise.resolve());
      console.log(`address ${took.toFixed(0)} ms after the Service was created, the leader just killed`);
      assert.ok(took <= AFTER_KILL_MS, `${took.toFixed(0)} ms`);
      await assertNoneTwice(world);
      await ready(world.api);
    });

    test('told to stop: Services created meanwhile have their address within 300 ms', async (world) => {
      const victim = await processOf(await leader(world.api));
      const times = await createThrough(world, 'stopped', 40, 25, () => signal(victim, 'TERM'));
      console.log(`40 Services around a SIGTERM to the leader: the slowest address took ${worst(times).toFixed(0)} ms`);
      assert.ok(worst(times) <= AFTER_STOP_MS, times.map((time) => time.toFixed(0)).join(' '));
      await assertNoneTwice(world);
      await ready(world.api);
    });

    test('frozen past its lease and woken: nothing is assigned twice and nothing moves', async (world) => {
      const frozen = await processOf(await leader(world.api));
      try {
        // Work is under way when it freezes: what it had decided, it may try to write when it wakes.
        const creating = createServices(world.api, world.namespace, 60);
        await pause(50);
        await signal(frozen, 'STOP');
        await creating;
        await successor(world, frozen);
        await waitFor(
          'the successor has assigned them all',
          { withinMs: 20_000 },
          async () =>
            (await world.api.list(servicesIn(world.namespace))).filter((one) => addressesIn(one).length === 0).length,
          (without) => without === 0,
        );
      } finally {
        await signal(frozen, 'CONT');
      }
      const observer = await Observer.start(world.api, servicesIn(world.namespace));
      const before = await addressTable(world);
      await pause(8_000);
      observer.stop();
      assert.equal(await addressTable(world), before, 'no address moved when the old leader woke');
      for (const { object } of observer.sightings) assert.is(before[object.metadata.name], `${addressesIn(object)}`);
      await assertNoneTwice(world);
      await ready(world.api);
    });
  },
  180_000,
);

/** Waits until the Lease has another holder than the frozen one. */
async function successor(world: World, frozen: HeraldProcess): Promise<void> {
  const holder = async (): Promise<string> => (await world.api.get(LEASE))['spec'].holderIdentity ?? '';
  const first = await holder();
  await waitFor(
    `another operator leads than the one frozen on ${frozen.node}`,
    { withinMs: 15_000 },
    holder,
    (now) => now !== '' && now !== first,
  );
}

async function addressTable(world: World): Promise<Record<string, string>> {
  const services = await world.api.list(servicesIn(world.namespace));
  return Object.fromEntries(services.map((service) => [service.metadata.name, `${addressesIn(service)}`]));
}
