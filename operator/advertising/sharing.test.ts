/** What sharing an address, and holding several of one family, means on the network. */

import * as assert from 'uvu/assert';
import { advertisement, NODES, pool, served, service } from '../../testing/announced.ts';
import { spec } from '../../testing/spec.ts';
import { ownerOf } from '../election/rank.ts';
import { desiredAnnouncements } from './announcements.ts';
import type { AdvertisingConfig, AnnouncedService } from './snapshot.ts';

const config = (more: Partial<AdvertisingConfig> = {}): AdvertisingConfig => ({
  node: 'node-b',
  nodes: NODES.map((name) => ({ name, labels: { name }, isNetworkUnavailable: false })),
  pools: [pool('public'), pool('six', '2001:db8::/64')],
  advertisements: [advertisement()],
  ignoresExcludeLabel: false,
  ...more,
});

/** 'web 10.0.0.1 node-b eth0', 'web AddressInUse': what all nodes together announce while all are alive. */
function announced(services: readonly AnnouncedService[], more: Partial<AdvertisingConfig> = {}): readonly string[] {
  const given = config(more);
  const parts = given.nodes.map(({ name }) => desiredAnnouncements({ ...given, node: name }, services));
  const owned = parts.flatMap(({ l2 }, at) =>
    l2
      .filter(({ candidates }) => ownerOf(candidates, () => true) === given.nodes[at]?.name)
      .map(({ service: key, address, interfaces }) => `${nameOf(key)} ${address} ${NODES[at]} ${interfaces}`),
  );
  const refused = parts.flatMap(({ refusals }) =>
    refusals.map(({ service: key, reason }) => `${nameOf(key)} ${reason}`),
  );
  const isNowhere = (line: string): boolean => !owned.some((one) => one.split(' ')[0] === line.split(' ')[0]);
  return [...owned.toSorted(), ...new Set(refused.filter(isNowhere))];
}
const nameOf = (key: string): string => key.replace('shop/', '');

const dns = (name: string, protocol: string, more: Partial<AnnouncedService> = {}): AnnouncedService =>
  service(name, { sharingKey: 'dns', ports: [`${protocol}/53`], ...more });
const matching = (labels: Record<string, string>) => ({ matchLabels: labels });
const local = { externalTrafficPolicy: 'Local', backend: '{"app":"dns"}' } as const;

spec('shared addresses', (test) => {
  const cases: readonly {
    readonly name: string;
    readonly services: readonly AnnouncedService[];
    readonly given?: Partial<AdvertisingConfig>;
    readonly gives: readonly string[];
  }[] = [
    {
      name: 'one node announces an address for all who share it',
      services: [dns('tcp', 'TCP'), dns('udp', 'UDP')],
      gives: ['tcp 10.0.0.1 node-b all', 'udp 10.0.0.1 node-b all'],
    },
    {
      name: 'it stays there when one of them goes',
      services: [dns('udp', 'UDP')],
      gives: ['udp 10.0.0.1 node-b all'],
    },
    {
      name: 'a port that is taken is no sharing',
      services: [dns('tcp', 'TCP'), dns('udp', 'UDP'), dns('x', 'UDP')],
      gives: ['tcp 10.0.0.1 node-b all', 'udp 10.0.0.1 node-b all', 'x AddressInUse'],
    },
    {
      name: 'nor does a key reach into another namespace',
      services: [dns('tcp', 'TCP'), dns('udp', 'UDP', { namespace: 'spy' })],
      gives: ['tcp 10.0.0.1 node-b all', 'spy/udp AddressInUse'].toSorted().reverse(),
    },
    {
      name: 'unless the pool says so',
      services: [dns('tcp', 'TCP'), dns('udp', 'UDP', { namespace: 'prod' })],
      given: { pools: [pool('public', '10.0.0.0/24', { sharesAcrossNamespaces: true })] },
      gives: ['prod/udp 10.0.0.1 node-b all', 'tcp 10.0.0.1 node-b all'],
    },
    {
      name: 'Cluster and Local do not go together',
      services: [dns('tcp', 'TCP'), dns('udp', 'UDP', local)],
      gives: ['tcp 10.0.0.1 node-b all', 'udp AddressInUse'],
    },
    {
      name: 'Local with one selector follows its pods',
      services: [
        dns('tcp', 'TCP', { ...local, endpoints: served('node-c') }),
        dns('udp', 'UDP', { ...local, endpoints: served('node-c') }),
      ],
      gives: ['tcp 10.0.0.1 node-c all', 'udp 10.0.0.1 node-c all'],
    },
    {
      name: 'serviceSelectors choose who is announced, and all who are have one owner',
      services: [dns('tcp', 'TCP', { labels: { app: 'a' } }), dns('udp', 'UDP', { labels: { app: 'b' } })],
      given: {
        advertisements: [
          advertisement({ serviceSelectors: [matching({ app: 'a' })], nodeSelectors: [matching({ name: 'node-c' })] }),
          advertisement({ serviceSelectors: [matching({ app: 'b' })], nodeSelectors: [matching({ name: 'node-a' })] }),
        ],
      },
      gives: ['tcp 10.0.0.1 node-c all', 'udp 10.0.0.1 node-c all'],
    },
    {
      name: 'who is led to a node that its own advertisement does not select is answered where the leader is',
      services: [dns('tcp', 'TCP', { labels: { app: 'a' } }), dns('udp', 'UDP', { labels: { app: 'b' } })],
      given: {
        advertisements: [
          advertisement({
            serviceSelectors: [matching({ app: 'a' })],
            nodeSelectors: [matching({ name: 'node-c' })],
            interfaces: ['eth1'],
          }),
          advertisement({ serviceSelectors: [matching({ app: 'b' })], nodeSelectors: [matching({ name: 'node-a' })] }),
        ],
      },
      gives: ['tcp 10.0.0.1 node-c eth1', 'udp 10.0.0.1 node-c eth1'],
    },
    {
      name: 'whom no advertisement selects is not announced, and does not keep the other from it',
      services: [dns('tcp', 'TCP'), dns('udp', 'UDP', { labels: { app: 'b' } })],
      given: { advertisements: [advertisement({ serviceSelectors: [matching({ app: 'b' })] })] },
      gives: ['udp 10.0.0.1 node-b all', 'tcp NoAdvertisement'],
    },
    {
      name: 'an external IP never shares what another Service was given, older and consenting as it may be',
      services: [dns('a', 'TCP', { held: 0, createdAt: '2025-01-01T00:00:00Z' }), dns('b', 'UDP')],
      gives: ['b 10.0.0.1 node-b all', 'a AddressInUse'],
    },
    {
      name: 'two external IPs share by the same rule',
      services: [dns('a', 'TCP', { held: 0 }), dns('b', 'UDP', { held: 0 }), dns('c', 'UDP', { held: 0 })],
      gives: ['a 10.0.0.1 node-b all', 'b 10.0.0.1 node-b all', 'c AddressInUse'],
    },
  ];
  for (const { name, services, given, gives } of cases)
    test(name, () => assert.equal(announced(services, given).toSorted(), gives.toSorted()));
});

spec('several addresses of a family', (test) => {
  // 10.0.0.1 is ordered b, a, c; 10.0.0.2 b, c, a; 10.0.0.3 has node-a first
  const ownersOf = (addresses: readonly string[], held = addresses.length): readonly string[] =>
    announced([service('web', { addresses, held })]).map((line) => line.split(' ').slice(1, 3).join(' '));
  test('both families of one set go to one node, as with MetalLB', () => {
    const [first] = ownersOf(['10.0.0.3', '2001:db8::1']);
    const node = first?.split(' ')[1];
    assert.equal(ownersOf(['10.0.0.3', '2001:db8::1']), [`10.0.0.3 ${node}`, `2001:db8::1 ${node}`]);
  });
  test('each further set finds its own owner, as a Service of its own would', () => {
    const alone = [...ownersOf(['10.0.0.1', '2001:db8::1']), ...ownersOf(['10.0.0.3', '2001:db8::3'])];
    assert.is(new Set(alone.map((line) => line.split(' ')[1])).size, 2, 'the two sets have different owners');
    assert.equal(ownersOf(['10.0.0.1', '2001:db8::1', '10.0.0.3', '2001:db8::3']), alone.toSorted());
  });
  test('external IPs are a set of their own', () => {
    assert.equal(ownersOf(['10.0.0.1', '10.0.0.3'], 1), [...ownersOf(['10.0.0.1']), ...ownersOf(['10.0.0.3'], 0)]);
    assert.equal(ownersOf(['10.0.0.1', '2001:db8::3'], 1), [
      ...ownersOf(['10.0.0.1']),
      ...ownersOf(['2001:db8::3'], 0),
    ]);
  });
});
