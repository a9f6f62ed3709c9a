/** What a pool keeps and for whom: reservations that outlive their Service, quotas, exclusions, a cool-down and a drain. */

import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { heraldJson } from '../lib/herald-command.ts';
import { collection, type KubeObject } from '../lib/kube-api.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { type ConfigKind, conditionOf, METALLB, type World } from '../lib/world.ts';

const HERALD = 'heraldlb.io/v1alpha1';
const WITHIN_MS = 10_000;
const COOL_DOWN_MS = 4_000;

/** The n-th IPv4 address of the scenario; the first two are excluded from its pool. */
const at = (world: World, n: number): string => world.free.IPv4.addresses[n] ?? '';
const pool = (world: World, more: Record<string, unknown> = {}): Promise<KubeObject> =>
  world.pool({
    addresses: [world.free.IPv4.range],
    exclude: [`${at(world, 0)}-${at(world, 1)}`],
    ...more,
  });
const rule = (world: World, kind: ConfigKind, spec: Record<string, unknown>): Promise<KubeObject> =>
  world.api.apply(world.configObject(kind, world.name, spec));

const service = (world: World, name: string, asksFor?: string): Promise<KubeObject> =>
  world.service({
    name,
    families: ['IPv4'],
    ...(asksFor !== undefined && { annotations: { 'metallb.io/loadBalancerIPs': asksFor } }),
  });
const remove = (world: World, name: string): Promise<unknown> => world.api.delete(world.servicePath(name));

/** An object of the configuration, once it is as wanted. */
const config = (world: World, kind: ConfigKind, what: string, isSo: (object: KubeObject) => boolean) => {
  const version = kind === 'IPAddressPool' ? METALLB : HERALD;
  return waitFor(
    `${kind} ${what}`,
    { withinMs: WITHIN_MS, everyMs: 50 },
    () => world.api.get(`${collection(version, kind, NAMESPACE)}/${world.name}`),
    isSo,
  );
};
const saysReady =
  (reason: string) =>
  (object: KubeObject): boolean =>
    conditionOf(object, 'Ready')?.reason === reason &&
    object['status'].observedGeneration === object.metadata.generation;

scenario('reservations', (test) => {
  test('an address that is kept for a Service is given to it alone, whenever it comes', async (world) => {
    await pool(world);
    await rule(world, 'AddressReservation', {
      addresses: [at(world, 2)],
      for: { namespace: world.namespace, name: 'kept' },
    });
    await config(world, 'AddressReservation', 'reserves', saysReady('Reserving'));
    await service(world, 'other');
    assert.equal(await world.addressesOf('other'), [at(world, 3)], 'neither what is excluded nor what is kept');
    await service(world, 'kept');
    assert.equal(await world.addressesOf('kept'), [at(world, 2)]);
    await config(world, 'AddressReservation', 'counts one', ({ status }) => status.held === 1);
  });

  test('it outlives the Service', async (world) => {
    await remove(world, 'kept');
    await config(world, 'AddressReservation', 'counts none', ({ status }) => status.held === 0);
    await service(world, 'third');
    assert.equal(await world.addressesOf('third'), [at(world, 4)]);
    await service(world, 'greedy', at(world, 2));
    const refusal = await world.says('greedy', 'AddressReserved');
    assert.match(refusal?.message ?? '', `AddressReservation ${NAMESPACE}/${world.name}`);
    await service(world, 'kept');
    assert.equal(await world.addressesOf('kept'), [at(world, 2)]);
    await remove(world, 'greedy');
  });

  test('a quota refuses one more, and serves it when there is room', async (world) => {
    const quota = { for: { namespaces: [world.namespace] }, limits: [{ pool: world.name, ipv4: 3 }] };
    await rule(world, 'AddressQuota', quota);
    await config(world, 'AddressQuota', 'is full', ({ status }) => status.full === 1);
    await service(world, 'fourth');
    await world.says('fourth', 'QuotaExceeded');
    const { reason } = await heraldJson<{ reason?: string }>('explain', `${world.namespace}/fourth`);
    assert.is(reason, 'QuotaExceeded');
    await remove(world, 'third');
    assert.equal(await world.addressesOf('fourth'), [at(world, 4)]);
  });

  test('a quota that is lowered takes nothing away', async (world) => {
    await rule(world, 'AddressQuota', { for: { namespaces: [world.namespace] }, limits: [{ ipv4: 1 }] });
    const quota = await config(
      world,
      'AddressQuota',
      'is exceeded',
      (object) => conditionOf(object, 'Conflicting') !== undefined,
    );
    assert.is(conditionOf(quota, 'Conflicting')?.reason, 'OverQuota');
    assert.equal(quota['status'].used, [{ namespace: world.namespace, ipv4: 3 }]);
    for (const [name, n] of [
      ['other', 3],
      ['kept', 2],
      ['fourth', 4],
    ] as const)
      assert.equal(await world.addressesNow(name), [at(world, n)]);
    await world.api.delete(`${collection(HERALD, 'AddressQuota', NAMESPACE)}/${world.name}`);
  });

  test('an address that is let go of rests', async (world) => {
    await pool(world, { coolDown: `${COOL_DOWN_MS}ms` });
    await config(world, 'IPAddressPool', 'serves', saysReady('Serving'));
    const beganAt = performance.now();
    await remove(world, 'fourth');
    await service(world, 'exact', at(world, 4));
    await world.says('exact', 'CoolingDown');
    assert.equal(await world.addressesOf('exact', COOL_DOWN_MS + WITHIN_MS), [at(world, 4)]);
    const tookMs = performance.now() - beganAt;
    assert.ok(tookMs >= COOL_DOWN_MS, `${tookMs} ms`);
  });

  test('what is in use cannot be excluded', async (world) => {
    await pool(world, { exclude: [at(world, 3)] });
    const refused = await config(world, 'IPAddressPool', 'refuses', saysReady('WouldBreakServices'));
    assert.match(conditionOf(refused, 'Ready')?.message ?? '', `${at(world, 3)} of ${world.namespace}/other`);
    assert.equal(refused['status'].inForce.exclude, [`${at(world, 0)}-${at(world, 1)}`]);
    assert.equal(await world.addressesNow('other'), [at(world, 3)]);
  });

  test('a pool that drains keeps what it gave, and gives nothing', async (world) => {
    await pool(world, { drain: true });
    await config(world, 'IPAddressPool', 'drains', saysReady('Draining'));
    await service(world, 'late');
    const refusal = await world.says('late', 'NoPoolFits');
    assert.match(refusal?.message ?? '', world.name);
    assert.equal(await world.addressesNow('other'), [at(world, 3)]);
    await pool(world);
    assert.equal(await world.addressesOf('late'), [at(world, 5)]);
  });
});
