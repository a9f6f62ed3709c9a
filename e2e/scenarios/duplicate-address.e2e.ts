/** Somebody on the network has addresses of a pool already: with duplicateAddressDetection no Service gets them, and the MAC address is told. */

import * as assert from 'uvu/assert';
import { NAMESPACE } from '../lib/herald.ts';
import { herald, heraldJson } from '../lib/herald-command.ts';
import { collection } from '../lib/kube-api.ts';
import { exec, tryExec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';
import { waitFor } from '../lib/wait-for.ts';
import { familyOf, type World } from '../lib/world.ts';

/** Asking the network takes up to 5 s; a conflict is heard within one, and the next address is asked for. */
const WITHIN_MS = 20_000;

/** The first address of each family, which the pool would give. */
const taken = (world: World): string[] => [world.free.IPv4.addresses[0] ?? '', world.free.IPv6.addresses[0] ?? ''];

function onClient(how: 'add' | 'del', address: string): string[] {
  const [bits, flags] = familyOf(address) === 'IPv4' ? [32, []] : [128, how === 'add' ? ['nodad'] : []];
  return ['ip', 'addr', how, `${address}/${bits}`, 'dev', 'eth0', ...flags];
}
/** The client gives up what it may have, from this run or one that was killed. */
async function release(world: World): Promise<void> {
  for (const address of taken(world)) await tryExec('client', onClient('del', address));
}
/** Runs `body`; whatever becomes of it, the client has no address of the pool afterwards unless `keeps`. */
async function step(world: World, body: () => Promise<void>, keeps = true): Promise<void> {
  let isDone = false;
  try {
    await body();
    isDone = keeps;
  } finally {
    if (!isDone) await release(world);
  }
}

async function notesOf(world: World, reason: string): Promise<string[]> {
  const events = await world.api.list(collection('events.k8s.io/v1', 'Event', world.namespace));
  return events.filter((event) => event['reason'] === reason).map((event) => String(event['note']));
}

scenario('duplicate-address', (test) => {
  test('a Service gets the next addresses, of both families, and the MAC address of the other is told', async (world) => {
    await release(world);
    await step(world, async () => {
      for (const address of taken(world)) await exec('client', onClient('add', address));
      const mac = (await exec('client', ['cat', '/sys/class/net/eth0/address'])).trim();
      await world.pool({ duplicateAddressDetection: true });
      await world.advertise();
      await world.service({ name: 'shop', app: 'web' });
      await world.says('shop', 'ProbingAddress', WITHIN_MS);
      const addresses = await world.addressesOf('shop', WITHIN_MS);
      // Of two families the one that was settled first comes first.
      assert.equal(addresses.toSorted(), [world.free.IPv4.addresses[1], world.free.IPv6.addresses[1]]);
      const notes = await waitFor(
        'events tell both conflicts',
        { withinMs: 10_000 },
        () => notesOf(world, 'AddressConflicts'),
        ({ length }) => length === 2,
      );
      for (const address of taken(world))
        assert.ok(
          notes.some((note) => note.startsWith(`${address} is in use`) && note.includes(mac)),
          notes.join('\n'),
        );
      assert.equal(await notesOf(world, 'AddressNotProbed'), []);
    });
  });

  test('one that asks for exactly such an address is refused, and explain says who has it', async (world) => {
    await step(world, async () => {
      const [address = ''] = taken(world);
      const mac = (await exec('client', ['cat', '/sys/class/net/eth0/address'])).trim();
      const annotations = { 'metallb.io/loadBalancerIPs': address };
      await world.service({ name: 'exact', app: 'web', families: ['IPv4'], annotations });
      const condition = await world.says('exact', 'AddressConflicts', WITHIN_MS);
      assert.is(condition?.status, 'False');
      assert.ok(condition?.message.includes(mac), condition?.message);
      const name = `${world.namespace}/exact`;
      const { reason } = await heraldJson<{ reason?: string }>('explain', name);
      assert.is(reason, 'AddressConflicts');
      const { stdout } = await herald('explain', name);
      console.log(stdout);
      assert.ok(stdout.includes(mac), stdout);
    });
  });

  test('it gets the address when the other has given it up and the Service asks anew', async (world) => {
    await step(
      world,
      async () => {
        await release(world);
        await world.api.patch(world.servicePath('exact'), { spec: { sessionAffinity: 'ClientIP' } });
        const [address = ''] = taken(world);
        assert.equal(await world.addressesOf('exact', WITHIN_MS), [address]);
      },
      false,
    );
  });

  test('no AddressProbe is left, and a Service that asks for nothing special is served', async (world) => {
    await world.web();
    for (const address of await world.addressesNow('shop')) await world.fetchSoon(address);
    await waitFor(
      'every AddressProbe is gone',
      { withinMs: 5_000 },
      () => world.api.list(collection('heraldlb.io/v1alpha1', 'AddressProbe', NAMESPACE)),
      ({ length }) => length === 0,
    );
  });
});
