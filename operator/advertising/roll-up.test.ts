import fc from 'fast-check';
import * as assert from 'uvu/assert';
import type { NodeAnnouncement } from '../../crds/node-announcement.ts';
import { advertisement, EXCLUDE, NODES, pool, service, someService } from '../../testing/announced.ts';
import { spec } from '../../testing/spec.ts';
import type { L2Advertisement } from '../config/advertisements.ts';
import { ownerOf } from '../election/rank.ts';
import { desiredAnnouncements } from './announcements.ts';
import type { ClusterConfig } from './cluster-config.ts';
import { NodeReport, type OwnedHere } from './node-report.ts';
import { bucketOf } from './report-digest.ts';
import { RollUp, type RollUpOutcome } from './roll-up.ts';
import type { AnnouncedService } from './snapshot.ts';

const config = (more: Partial<ClusterConfig> & { readonly excluded?: readonly string[] } = {}): ClusterConfig => ({
  nodes: NODES.map((name) => ({
    name,
    labels: more.excluded?.includes(name) ? EXCLUDE : {},
    isNetworkUnavailable: false,
  })),
  pools: [pool('four', '10.0.0.0/24'), pool('six', '2001:db8::/64')],
  advertisements: [advertisement()],
  ...more,
});

/** Speakers that work, and what they would report: the truth that the roll-up is held against. */
class Cluster {
  readonly services = new Map<string, AnnouncedService>();
  readonly reports = new Map<string, NodeReport>();
  /** The last report of each node that the roll-up took in. */
  readonly heard = new Map<string, NodeAnnouncement>();
  config: ClusterConfig = config();
  alive: readonly string[] = NODES;
  /** Names of the interfaces of every node. */
  interfaces: readonly string[] = ['eth0'];
  ignoresExcludeLabel = false;
  /** With sticky ownership: the node that keeps an address although another is first by the order. */
  keeps: ReadonlyMap<string, string> = new Map();
  #revision = 0;

  /** What `node` owns, and where it answers. */
  owned(node: string): readonly OwnedHere[] {
    const { config: given, alive, interfaces, ignoresExcludeLabel } = this;
    const services = [...this.services.values()];
    const { l2 } = desiredAnnouncements({ ...given, node, ignoresExcludeLabel }, services);
    return l2
      .filter(({ candidates, address }) => {
        const keeper = this.keeps.get(address) ?? '';
        const owner = alive.includes(keeper) ? keeper : ownerOf(candidates, (name) => alive.includes(name));
        return owner === node;
      })
      .map((each) => ({
        service: each.service,
        address: each.address,
        interfaces:
          each.interfaces === 'all' ? interfaces : interfaces.filter((name) => each.interfaces.includes(name)),
      }));
  }

  report(node: string): NodeAnnouncement {
    const inputs = {
      algorithmVersion: 1,
      alive: [...this.alive],
      interfaces: this.interfaces.map((name) => ({ name, carrier: true, subnets: [] })),
      ignoresExcludeLabel: this.ignoresExcludeLabel,
      keeps: [...this.keeps].flatMap(([address, keeper]) => (keeper === node ? [address] : [])),
    };
    const report = this.reports.get(node) ?? new NodeReport(inputs);
    this.reports.set(node, report);
    report.setInputs(inputs);
    report.setOwned(this.owned(node));
    this.#revision += 1;
    return { metadata: { name: node, resourceVersion: String(this.#revision) }, ...report.content() };
  }

  /** 'shop/web Announced', or the state and reason of what is not. */
  truth(key: string): string | undefined {
    const found = this.services.get(key);
    if (!found) return undefined;
    if (this.alive.length === 0) return 'Unknown NoReport';
    const announced = new Set(
      this.alive.flatMap((node) =>
        this.owned(node).flatMap((each) => (each.service === key && each.interfaces.length > 0 ? [each.address] : [])),
      ),
    );
    return found.addresses.every((address) => announced.has(address)) ? 'Announced' : 'NotAnnounced';
  }
}

const inWords = (outcome: RollUpOutcome | undefined): string | undefined =>
  outcome && (outcome.state === 'Unknown' ? `Unknown ${outcome.reason}` : outcome.state);
const reasonOf = (outcome: RollUpOutcome | undefined): string =>
  outcome && 'reason' in outcome ? `${outcome.state} ${outcome.reason}` : (outcome?.state ?? 'none');

/** A roll-up that has heard all of a cluster. */
function rolledUp(cluster: Cluster): RollUp {
  const rollUp = new RollUp(cluster.config);
  for (const [key, each] of cluster.services) rollUp.setService(key, each);
  for (const node of cluster.alive) rollUp.setReport(node, cluster.report(node));
  rollUp.settle();
  return rollUp;
}
function clusterOf(more: Partial<Cluster>, ...services: readonly AnnouncedService[]): Cluster {
  const cluster = Object.assign(new Cluster(), more);
  for (const each of services) cluster.services.set(each.key, each);
  return cluster;
}

const cases: readonly (readonly [name: string, cluster: Cluster, outcome: string])[] = [
  ['a Service that a node announces', clusterOf({}, service('web')), 'Announced'],
  [
    'no advertisement',
    clusterOf({ config: config({ advertisements: [] }) }, service('web')),
    'NotAnnounced NoAdvertisement',
  ],
  [
    'no endpoint',
    clusterOf({}, service('web', { endpoints: { anywhere: false, nodes: new Set() } })),
    'NotAnnounced NoEndpoints',
  ],
  [
    'no endpoint on a node that may announce',
    clusterOf(
      { config: config({ excluded: ['node-a'] }) },
      service('web', { externalTrafficPolicy: 'Local', endpoints: { anywhere: true, nodes: new Set(['node-a']) } }),
    ),
    'NotAnnounced NoLocalEndpoints',
  ],
  [
    'every node excluded',
    clusterOf({ config: config({ excluded: NODES }) }, service('web')),
    'NotAnnounced NodeExcluded',
  ],
  [
    'every node excluded, and speakers that do not mind',
    clusterOf({ config: config({ excluded: NODES }), ignoresExcludeLabel: true }, service('web')),
    'Announced',
  ],
  [
    'an interface that no node has',
    clusterOf({ config: config({ advertisements: [advertisement({ interfaces: ['eth9'] })] }) }, service('web')),
    'NotAnnounced NoInterface',
  ],
  [
    'the only node that may announce is dead',
    clusterOf(
      { alive: ['node-b', 'node-c'] },
      service('web', { externalTrafficPolicy: 'Local', endpoints: { anywhere: true, nodes: new Set(['node-a']) } }),
    ),
    'NotAnnounced NoSpeaker',
  ],
  ['no speaker at all', clusterOf({ alive: [] }, service('web')), 'Unknown NoReport'],
];

spec('roll-up', (test) => {
  for (const [name, cluster, outcome] of cases)
    test(`says the true reason: ${name}`, () => assert.is(reasonOf(rolledUp(cluster).outcomeOf('shop/web')), outcome));

  test('says nothing while a report is behind, and what is true when it comes', () => {
    const cluster = clusterOf({}, service('web'));
    const rollUp = rolledUp(cluster);
    rollUp.take();
    cluster.services.set('shop/web', service('web', { addresses: ['10.0.0.2'] }));
    rollUp.setService('shop/web', cluster.services.get('shop/web'));
    rollUp.settle();
    assert.is(rollUp.outcomeOf('shop/web')?.state, 'Pending');
    assert.equal([...rollUp.take()], ['shop/web']);
    for (const node of NODES) rollUp.setReport(node, cluster.report(node));
    assert.equal([...rollUp.take()], ['shop/web']);
    assert.is(rollUp.outcomeOf('shop/web')?.state, 'Announced');
  });

  test('counts an address once that several share, and knows each of them by its own', () => {
    const sharing = { sharingKey: 'k' };
    const cluster = clusterOf({}, service('tcp', sharing), service('udp', sharing));
    const rollUp = rolledUp(cluster);
    const announced = NODES.map((node) => cluster.report(node).announced);
    assert.equal(announced.toSorted(), [0, 0, 1]);
    for (const key of ['shop/tcp', 'shop/udp']) assert.is(rollUp.outcomeOf(key)?.state, 'Announced', key);
    cluster.services.delete('shop/tcp');
    rollUp.setService('shop/tcp', undefined);
    for (const node of NODES) rollUp.setReport(node, cluster.report(node));
    rollUp.settle();
    assert.is(rollUp.outcomeOf('shop/tcp'), undefined);
    assert.is(rollUp.outcomeOf('shop/udp')?.state, 'Announced');
  });

  test('does not doubt an address while it moves from a dead node to the next', () => {
    const cluster = clusterOf({}, service('web'));
    const rollUp = rolledUp(cluster);
    const before = rollUp.outcomeOf('shop/web');
    assert.equal(before, { state: 'Announced', announcers: [{ node: 'node-b', address: '10.0.0.1' }] });
    cluster.alive = ['node-a', 'node-c'];
    rollUp.setReport('node-c', cluster.report('node-c'));
    assert.is(rollUp.outcomeOf('shop/web')?.state, 'Announced', 'one node has heard of it');
    rollUp.setReport('node-a', cluster.report('node-a'));
    assert.equal(rollUp.outcomeOf('shop/web'), {
      state: 'Announced',
      announcers: [{ node: 'node-a', address: '10.0.0.1' }],
    });
  });

  test('finds the address where a node keeps it though another is first by the order', () => {
    const cluster = clusterOf({}, service('web'), service('other', { addresses: ['10.0.0.2'] }));
    const rollUp = rolledUp(cluster);
    for (const [keeps, node] of [
      [new Map([['10.0.0.1', 'node-c']]), 'node-c'],
      [new Map(), 'node-b'],
    ] as const) {
      cluster.keeps = keeps;
      for (const each of NODES) rollUp.setReport(each, cluster.report(each));
      assert.ok(rollUp.take().has('shop/web'));
      assert.equal(rollUp.outcomeOf('shop/web'), { state: 'Announced', announcers: [{ node, address: '10.0.0.1' }] });
    }
  });

  test('forgets a node whose Lease is old', () => {
    const rollUp = rolledUp(clusterOf({}, service('web')));
    for (const node of NODES) rollUp.setFresh(node, false);
    assert.is(reasonOf(rollUp.outcomeOf('shop/web')), 'Unknown NoReport');
    rollUp.setFresh('node-b', true);
    assert.is(rollUp.outcomeOf('shop/web')?.state, 'Announced');
  });

  test('tells of a Service whose bucket agrees again because of another one', () => {
    const inBucket = Array.from({ length: 2_000 }, (_, at) => `s${at}`).filter(
      (name) => bucketOf(`shop/${name}`) === 7,
    );
    const [one = '', other = ''] = inBucket;
    const cluster = clusterOf({}, service(one), service(other, { addresses: ['10.0.0.2'] }));
    const rollUp = rolledUp(cluster);
    rollUp.setService(`shop/${one}`, service(one, { addresses: ['10.0.0.3'] }));
    rollUp.take();
    assert.is(rollUp.outcomeOf(`shop/${other}`)?.state, 'Pending');
    rollUp.setService(`shop/${one}`, service(one));
    assert.ok(rollUp.take().has(`shop/${other}`));
    assert.is(rollUp.outcomeOf(`shop/${other}`)?.state, 'Announced');
  });

  test('names no more than 200 exceptions and knows the others by the interfaces', () => {
    const many = Array.from({ length: 700 }, (_, at) =>
      service(`s${at}`, { addresses: [`10.0.${1 + (at >> 8)}.${at & 255}`] }),
    );
    const wide = config({
      pools: [pool('wide', '10.0.0.0/16')],
      advertisements: [advertisement({ interfaces: ['eth9'] })],
    });
    const cluster = clusterOf({ config: wide }, ...many);
    const rollUp = rolledUp(cluster);
    const report = cluster.report('node-a');
    assert.is(report.exceptions.length, 200);
    assert.ok(report.exceptionCount > 200);
    for (const { key } of many) assert.is(reasonOf(rollUp.outcomeOf(key)), 'NotAnnounced NoInterface', key);
  });
});

const someConfig: fc.Arbitrary<ClusterConfig> = fc
  .record({
    excluded: fc.subarray(NODES),
    ad: fc.constantFrom<Partial<L2Advertisement>>(
      {},
      { serviceSelectors: [{ matchLabels: { app: 'a' } }] },
      { pools: ['four'] },
      { interfaces: ['eth1'] },
    ),
  })
  .map(({ excluded, ad }) => config({ excluded, advertisements: [advertisement(ad)] }));

type Step = (cluster: Cluster, rollUp: RollUp) => void;
const put = (each: AnnouncedService): Step => {
  return (cluster, rollUp) => {
    cluster.services.set(each.key, each);
    rollUp.setService(each.key, each);
  };
};
const remove = (key: string): Step => {
  return (cluster, rollUp) => {
    cluster.services.delete(key);
    rollUp.setService(key, undefined);
  };
};
const configure = (given: ClusterConfig): Step => {
  return (cluster, rollUp) => {
    cluster.config = given;
    rollUp.setConfig(given);
  };
};
/** Reports come late and one by one. */
const hear = (node: string): Step => {
  return (cluster, rollUp) => {
    if (!cluster.alive.includes(node)) return;
    const report = cluster.report(node);
    cluster.heard.set(node, report);
    rollUp.setReport(node, report);
  };
};
const live = (alive: readonly string[]): Step => {
  return (cluster) => {
    cluster.alive = alive;
  };
};
const plug = (interfaces: readonly string[]): Step => {
  return (cluster) => {
    cluster.interfaces = interfaces;
  };
};
const ignore = (ignores: boolean): Step => {
  return (cluster) => {
    cluster.ignoresExcludeLabel = ignores;
  };
};
const someStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: someService.map(put) },
  { weight: 1, arbitrary: fc.constantFrom('s/a', 's/b', 's/c').map(remove) },
  { weight: 1, arbitrary: someConfig.map(configure) },
  { weight: 3, arbitrary: fc.constantFrom(...NODES).map(hear) },
  { weight: 1, arbitrary: fc.subarray(NODES, { minLength: 1 }).map(live) },
  { weight: 1, arbitrary: fc.constantFrom(['eth0'], ['eth0', 'eth1'], []).map(plug) },
  { weight: 1, arbitrary: fc.boolean().map(ignore) },
);

/** Takes the steps; what was told about each Service on the way. */
function happen(steps: readonly Step[]) {
  const [cluster, rollUp] = [new Cluster(), new RollUp(config())];
  const told = new Map<string, RollUpOutcome | undefined>();
  for (const step of steps) {
    step(cluster, rollUp);
    for (const key of rollUp.take()) told.set(key, rollUp.outcomeOf(key));
  }
  return { cluster, rollUp, told };
}

function saysWhatSpeakersDo(steps: readonly Step[]): void {
  const { cluster, rollUp } = happen(steps);
  // Whoever is dead is forgotten by its Lease; whoever lives reports.
  for (const node of NODES) if (!cluster.alive.includes(node)) rollUp.setReport(node, undefined);
  for (const node of cluster.alive) rollUp.setReport(node, cluster.report(node));
  rollUp.settle();
  for (const key of cluster.services.keys()) assert.is(inWords(rollUp.outcomeOf(key)), cluster.truth(key), key);
}

function isWhatStartsAnew(steps: readonly Step[]): void {
  const { cluster, rollUp, told } = happen(steps);
  const anew = new RollUp(cluster.config);
  for (const [key, each] of cluster.services) anew.setService(key, each);
  for (const report of cluster.heard.values()) anew.setReport(report.metadata.name, report);
  anew.settle();
  for (const key of cluster.services.keys()) {
    const outcome = reasonOf(rollUp.outcomeOf(key));
    assert.is(outcome, reasonOf(anew.outcomeOf(key)), key);
    if (outcome !== 'Pending') assert.is(reasonOf(told.get(key)), outcome, `${key} was told about`);
  }
}

spec('roll-up properties', (test) => {
  const someSteps = fc.array(someStep, { maxLength: 25 });
  test('once every living node has reported, the roll-up says what the speakers do, for every Service', () =>
    fc.assert(fc.property(someSteps, saysWhatSpeakersDo), { numRuns: 300 }));
  test('at any time the incremental roll-up is the one that starts anew, and tells of every change', () =>
    fc.assert(fc.property(someSteps, isWhatStartsAnew), { numRuns: 300 }));
});
