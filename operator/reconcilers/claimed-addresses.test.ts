import * as assert from 'uvu/assert';
import { AddressServer } from '../../testing/address-server.ts';
import { poolObject } from '../../testing/config-objects.ts';
import { spec } from '../../testing/spec.ts';
import { eventually } from '../cluster/testing/waiting.ts';
import { FakeWorld } from './testing/fake-world.ts';
import { service, settled } from './testing/stories.ts';

const RANGES = ['10.0.0.0/24', '2001:db8::/64'];
const DUAL = {
  clusterIPs: ['10.96.0.1', 'fd00::1'],
  ipFamilies: ['IPv4', 'IPv6'],
  ipFamilyPolicy: 'RequireDualStack',
} as const;

interface Story {
  readonly world: FakeWorld;
  readonly server: AddressServer;
  /** The addresses in the status of Services of `shop`, sorted: 'web 10.0.0.1'. */
  readonly assigned: () => string;
  readonly claimed: () => string;
  readonly messageOf: (name: string) => string;
}

async function telling(
  body: (story: Story) => Promise<void>,
  addresses: readonly string[] = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', '2001:db8::1'],
): Promise<void> {
  const server = await new AddressServer({ addresses }).start();
  const world = new FakeWorld();
  world.put(world.stores.pools, poolObject('office', RANGES, { source: { http: { url: server.url } } }));
  const ofServices = (): readonly string[] =>
    world.stores.services
      .list()
      .flatMap(({ metadata: { namespace, name } }) =>
        world.addressesOf(`${namespace}/${name}`).map((address) => `${name} ${address}`),
      );
  const ofClaims = (): readonly string[] =>
    [...server.claims.values()].map(({ service: { name }, address }) => `${name} ${address}`);
  const messageOf = (name: string): string => {
    const { conditions = [] } = world.stores.services.get(`shop/${name}`)?.status ?? {};
    const { reason, message } = conditions.find(({ type }) => type === 'heraldlb.io/AddressAssigned') ?? {};
    return `${reason}: ${message}`;
  };
  const inWords = (list: readonly string[]): string => list.toSorted().join(', ');
  try {
    await body({ world, server, assigned: () => inWords(ofServices()), claimed: () => inWords(ofClaims()), messageOf });
  } finally {
    await world.die();
    await server.stop();
  }
}

const becomes = async (what: () => string, words: string): Promise<void> => {
  try {
    await eventually(words, () => what() === words);
  } catch (error) {
    throw new Error(`${(error as Error).message}, but ${what()}`);
  }
};

const asking = (address: string) => ({
  annotations: { 'metallb.io/loadBalancerIPs': address, 'metallb.io/allow-shared-ip': 'key' },
});

function annotate(world: FakeWorld, name: string, { annotations }: ReturnType<typeof asking>): void {
  const now = world.stores.services.get(`shop/${name}`);
  if (!now) throw new Error(`there is no ${name}`);
  const metadata = { ...now.metadata, annotations: { ...now.metadata.annotations, ...annotations } };
  world.put(world.stores.services, { ...now, metadata });
}

spec('a pool with an external source', (test) => {
  test('gives Services what the source gives, and gives it back', () =>
    telling(async ({ world, assigned, claimed }) => {
      world.lead();
      world.put(world.stores.services, service('one'));
      await becomes(assigned, 'one 10.0.0.1');
      world.put(world.stores.services, service('both', { spec: DUAL }));
      world.put(world.stores.services, service('asks', { annotations: { 'metallb.io/loadBalancerIPs': '10.0.0.4' } }));
      const all = 'asks 10.0.0.4, both 10.0.0.2, both 2001:db8::1, one 10.0.0.1';
      await becomes(assigned, all);
      await becomes(claimed, all);
      world.remove(world.stores.services, 'shop/one');
      world.changeType('shop/asks');
      await becomes(claimed, 'both 10.0.0.2, both 2001:db8::1');
    }));

  test('says that it waits, why it cannot be asked, and what the source refuses', () =>
    telling(async ({ world, server, assigned, messageOf }) => {
      await server.stop();
      world.lead();
      world.put(world.stores.services, service('web'));
      await eventually('it is told', () => messageOf('web').startsWith('SourceUnreachable: The source of pool office'));
      assert.match(messageOf('web'), /ECONNREFUSED/);
      server.refuses = 'the office has moved';
      await server.start();
      await eventually('it is told', () => messageOf('web').startsWith('SourceRefused: '));
      assert.match(messageOf('web'), /Pool office: The source refuses: the office has moved\./);
      server.refuses = undefined;
      world.put(world.stores.pools, poolObject('spare', ['10.9.0.0/24']));
      await becomes(assigned, 'web 10.9.0.0');
    }));

  test('keeps, in another term, what Services hold, and loses and doubles nothing that was under way', () =>
    telling(async ({ world, server, assigned, claimed }) => {
      world.lead();
      for (const name of ['a', 'b']) world.put(world.stores.services, service(name));
      await becomes(assigned, 'a 10.0.0.1, b 10.0.0.2');
      server.fault = { mode: 'lost' };
      world.put(world.stores.services, service('c'));
      await eventually('c is claimed', () => claimed().includes('c 10.0.0.3'));
      await world.die();
      server.fault = { mode: 'none' };
      world.remove(world.stores.services, 'shop/b');
      world.writes.splice(0);
      world.lead();
      await becomes(assigned, 'a 10.0.0.1, c 10.0.0.3');
      await becomes(claimed, 'a 10.0.0.1, c 10.0.0.3');
      assert.not.ok(world.writes.includes('services shop/a'));
    }));

  test('is claimed from for what Services hold when a pool gets its source, and left alone when it loses it', () =>
    telling(async ({ world, server, assigned, claimed }) => {
      world.put(world.stores.pools, poolObject('office', RANGES));
      world.put(world.stores.services, service('web', { annotations: { 'metallb.io/loadBalancerIPs': '10.0.0.3' } }));
      world.lead();
      await becomes(assigned, 'web 10.0.0.3');
      const metadata = { generation: 2 };
      world.put(world.stores.pools, poolObject('office', RANGES, { metadata, source: { http: { url: server.url } } }));
      await becomes(claimed, 'web 10.0.0.3');
      world.put(world.stores.services, service('new'));
      await becomes(assigned, 'new 10.0.0.1, web 10.0.0.3');
      world.put(world.stores.pools, poolObject('office', RANGES, { metadata: { generation: 3 } }));
      world.put(world.stores.services, service('third'));
      await becomes(assigned, 'new 10.0.0.1, third 10.0.0.0, web 10.0.0.3');
      await becomes(claimed, 'new 10.0.0.1, web 10.0.0.3');
    }));

  test('that is deleted gives back what its last Services let go of', () =>
    telling(async ({ world, assigned, claimed }) => {
      world.lead();
      for (const name of ['a', 'b']) world.put(world.stores.services, service(name));
      await becomes(assigned, 'a 10.0.0.1, b 10.0.0.2');
      world.remove(world.stores.pools, 'herald-system/office');
      world.remove(world.stores.services, 'shop/a');
      await becomes(claimed, 'b 10.0.0.2');
      assert.is(assigned(), 'b 10.0.0.2');
      world.remove(world.stores.services, 'shop/b');
      await becomes(claimed, '');
    }));

  test('asks for who was refused when an address goes back', () =>
    telling(
      async ({ world, server, assigned, messageOf }) => {
        world.lead();
        world.put(world.stores.services, service('first'));
        await becomes(assigned, 'first 10.0.0.1');
        world.put(world.stores.services, service('both', { spec: DUAL }));
        await eventually('it is refused', () => messageOf('both').startsWith('SourceRefused'));
        world.put(world.stores.services, service('second'));
        await eventually('it is refused', () => messageOf('second').startsWith('SourceRefused'));
        const asked = server.done.length;
        world.remove(world.stores.services, 'shop/first');
        // The first that was refused lacks the other family too.
        await eventually('it was asked for', () => server.done.length > asked + 2);
        await settled(world);
        assert.ok(server.done.length < asked + 8, server.done.slice(asked).join(', '));
      },
      ['10.0.0.1'],
    ));

  test('keeps the claim of an address while it rests, for the Service that had it', () =>
    telling(async ({ world, server, assigned, claimed }) => {
      const source = { http: { url: server.url } };
      world.now = () => new Date();
      world.put(world.stores.pools, poolObject('office', RANGES, { source, coolDown: '600ms' }));
      world.lead();
      world.put(world.stores.services, service('web'));
      await becomes(assigned, 'web 10.0.0.1');
      world.changeType('shop/web');
      world.put(world.stores.services, service('other'));
      await becomes(assigned, 'other 10.0.0.2');
      assert.is(claimed(), 'other 10.0.0.2, web 10.0.0.1');
      world.formerServices.delete('shop/web');
      world.put(world.stores.services, service('web'));
      await becomes(assigned, 'other 10.0.0.2, web 10.0.0.1');
      world.remove(world.stores.services, 'shop/web');
      await becomes(claimed, 'other 10.0.0.2');
    }));

  test('gives back what a Service had before it asked for another address, then claims that one', () =>
    telling(async ({ world, assigned, claimed }) => {
      world.lead();
      world.put(world.stores.services, service('web', asking('10.0.0.4')));
      await becomes(assigned, 'web 10.0.0.4');
      annotate(world, 'web', asking('10.0.0.2'));
      await becomes(assigned, 'web 10.0.0.2');
      await becomes(claimed, 'web 10.0.0.2');
    }));

  test('keeps what others share of a Service that asks for another address', () =>
    telling(async ({ world, server, assigned, claimed, messageOf }) => {
      world.lead();
      for (const [name, port] of [['first', 80] as const, ['second', 81] as const])
        world.put(world.stores.services, service(name, { ...asking('10.0.0.4'), spec: { ports: [{ port }] } }));
      await becomes(assigned, 'first 10.0.0.4, second 10.0.0.4');
      const [owner = '', sharer = ''] = claimed().startsWith('first') ? ['first', 'second'] : ['second', 'first'];
      const asked = server.done.length;
      annotate(world, owner, asking('10.0.0.2'));
      await eventually('it is told', () => messageOf(owner).startsWith('SourceRefused'));
      assert.match(messageOf(owner), new RegExp(`is that of an address which shop/${sharer} shares`));
      await settled(world);
      assert.equal([claimed(), server.done.slice(asked)], [`${owner} 10.0.0.4`, []]);
      world.remove(world.stores.services, `shop/${sharer}`);
      await becomes(assigned, `${owner} 10.0.0.2`);
      await becomes(claimed, `${owner} 10.0.0.2`);
    }));

  test('whose url was mended gives and gets back at the new one what was asked for in vain at the old one', () =>
    telling(async ({ world, server, assigned, claimed, messageOf }) => {
      const nobody = { http: { url: 'http://127.0.0.1:1' } };
      world.put(world.stores.pools, poolObject('office', RANGES, { source: nobody }));
      world.lead();
      world.put(world.stores.services, service('web'));
      await eventually('it is told', () => messageOf('web').startsWith('SourceUnreachable'));
      const source = { http: { url: server.url } };
      world.put(world.stores.pools, poolObject('office', RANGES, { metadata: { generation: 2 }, source }));
      await becomes(assigned, 'web 10.0.0.1');
      assert.equal(world.report()?.sources[0]?.claims, { Granted: 1, Pending: 0, Releasing: 0 });
      world.remove(world.stores.services, 'shop/web');
      await becomes(claimed, '');
    }));

  test('asks for the next who was refused where the first of them is gone', () =>
    telling(
      async ({ world, assigned, messageOf }) => {
        world.lead();
        world.put(world.stores.services, service('first'));
        await becomes(assigned, 'first 10.0.0.1');
        for (const name of ['second', 'third']) {
          world.put(world.stores.services, service(name));
          await eventually('it is refused', () => messageOf(name).startsWith('SourceRefused'));
        }
        world.remove(world.stores.services, 'shop/second');
        world.remove(world.stores.services, 'shop/first');
        await becomes(assigned, 'third 10.0.0.1');
      },
      ['10.0.0.1'],
    ));

  test('counts its claims', () =>
    telling(async ({ world, server, assigned }) => {
      world.lead();
      world.put(world.stores.services, service('web'));
      await becomes(assigned, 'web 10.0.0.1');
      await server.stop();
      world.put(world.stores.services, service('new'));
      await eventually('it is down', () => world.report()?.sources[0]?.isUp === false);
      assert.equal(world.report()?.sources[0]?.claims, { Granted: 1, Pending: 1, Releasing: 0 });
    }));
});
