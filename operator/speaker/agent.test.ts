import { Registry } from 'prom-client';
import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import type { AdvertisingConfig, AnnouncedService } from '../advertising/snapshot.ts';
import { memoryLogger } from '../cluster/testing/waiting.ts';
import { RangeSet } from '../config/range-set.ts';
import { parseRange } from '../net/range.ts';
import { Agent } from './agent.ts';
import type { View, ViewChange } from './cluster-view.ts';
import type { FromClock, FromWire, OwnedAddress, PeerAddress, ToClock, ToWire } from './messages.ts';
import { createSpeakerMetrics } from './metrics.ts';
import type { KeptState } from './run-folder.ts';
import { ManualClock } from './wire/manual-clock.ts';

const pool = parseRange('198.51.100.0/24');
const config = (advertised = true): AdvertisingConfig => ({
  node: 'a',
  nodes: ['a', 'b'].map((name) => ({ name, labels: {}, isNetworkUnavailable: false })),
  pools:
    typeof pool === 'string'
      ? []
      : [{ name: 'public', labels: {}, addresses: new RangeSet([pool]), sharesAcrossNamespaces: false }],
  advertisements: advertised
    ? [
        {
          namespace: 'herald-system',
          name: 'all',
          pools: [],
          poolSelectors: [],
          nodeSelectors: [],
          serviceSelectors: [],
          interfaces: [],
          preferredNodeSelectors: [],
        },
      ]
    : [],
  ignoresExcludeLabel: false,
});
const service = (name: string, address: string): AnnouncedService => ({
  key: `shop/${name}`,
  createdAt: '2026-01-01T00:00:00Z',
  namespace: 'shop',
  labels: {},
  addresses: [address],
  held: 1,
  sharingKey: '',
  ports: ['TCP/80'],
  backend: '',
  externalTrafficPolicy: 'Cluster',
  hasSelector: true,
  endpoints: { anywhere: true, nodes: new Set(['a']) },
});

/** An agent between a cluster and threads that a test plays. */
class Stage {
  readonly clock = new ManualClock();
  /** kube-proxy's metrics; undefined: it is not asked. */
  proxy: string | undefined;
  readonly wire: ToWire[] = [];
  readonly clockThread: ToClock[] = [];
  readonly owned: (readonly OwnedAddress[])[] = [];
  readonly fatal: string[] = [];
  readonly log = memoryLogger();
  readonly registry = new Registry();
  readonly services = new Map<string, AnnouncedService>();
  kept: KeptState | undefined;
  loads = 0;
  saved: KeptState | undefined;
  config = config();
  peers: readonly PeerAddress[] = [{ node: 'b', address: '192.0.2.2' }];
  hasSynced = true;
  knowsPools = true;
  readonly agent: Agent;
  #onChange: (change: ViewChange) => void = () => {};
  fromWire: (message: FromWire) => void = () => {};
  fromClock: (message: FromClock) => void = () => {};

  constructor(kept?: KeptState, proxy?: string) {
    this.proxy = proxy;
    this.kept = kept;
    const stage = this;
    const view: View = {
      get hasSynced() {
        return stage.hasSynced;
      },
      get knowsPools() {
        return stage.knowsPools;
      },
      announcedService: (key) => this.services.get(key),
      config: () => this.config,
      peers: () => this.peers,
      onChange: (listener) => {
        this.#onChange = listener;
      },
    };
    this.agent = new Agent({
      node: 'a',
      excludeInterfaces: '',
      view,
      threads: {
        toWire: (message) => void this.wire.push(message),
        toClock: (message) => void this.clockThread.push(message),
        onWire: (listener) => {
          this.fromWire = listener;
        },
        onClock: (listener) => {
          this.fromClock = listener;
        },
      },
      folder: {
        load: () => {
          this.loads += 1;
          return this.kept;
        },
        save: (state) => {
          this.saved = state;
        },
      },
      clock: this.clock,
      ...(proxy !== undefined && { readProxy: async () => this.proxy ?? '' }),
      wallClock: () => 0,
      metrics: createSpeakerMetrics(this.registry, 'a'),
      log: this.log,
      onOwned: (owned) => void this.owned.push(owned),
      onFatal: (reason) => void this.fatal.push(reason),
    });
  }

  put(...services: readonly AnnouncedService[]): void {
    for (const each of services) this.services.set(each.key, each);
    for (const { key } of services) this.#onChange({ kind: 'Service', key });
  }

  remove(name: string): void {
    this.services.delete(`shop/${name}`);
    this.#onChange({ kind: 'Service', key: `shop/${name}` });
  }

  reconfigure(): void {
    this.#onChange({ kind: 'Config' });
  }

  /** What the wire thread was told to answer for, message by message. */
  desired(): string[] {
    return this.wire.flatMap((message) =>
      message.kind === 'Desired' ? [message.announcements.map(({ address }) => address).join(' ')] : [],
    );
  }

  told(kind: ToClock['kind']): ToClock[] {
    return this.clockThread.filter((message) => message.kind === kind);
  }
}

const kept: KeptState = {
  savedAt: '2026-01-01T00:00:00.000Z',
  peers: [{ node: 'b', address: '192.0.2.2' }],
  announcements: [{ service: 'shop/old', address: '198.51.100.9', candidates: ['a', 'b'], interfaces: 'all' }],
};

spec('agent', (test) => {
  test('decides about changes together, and says nothing when nothing is decided anew', () => {
    const stage = new Stage();
    stage.put(service('web', '198.51.100.1'), service('api', '198.51.100.2'));
    stage.clock.advance(10);
    assert.equal(stage.desired(), ['198.51.100.1 198.51.100.2']);
    stage.put(service('web', '198.51.100.1'));
    stage.reconfigure();
    stage.clock.advance(1_000);
    assert.is(stage.desired().length, 1);
    stage.services.delete('shop/web');
    stage.put({ ...service('api', '198.51.100.3') });
    stage.reconfigure();
    stage.clock.advance(10);
    assert.equal(stage.desired().at(-1), '198.51.100.1 198.51.100.3', 'the deletion was not told');
  });
  test('decides everything anew when the configuration changes', () => {
    const stage = new Stage();
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    stage.config = config(false);
    stage.reconfigure();
    stage.clock.advance(10);
    assert.equal(stage.desired(), ['198.51.100.1', '']);
  });
  test('tells the peers once', () => {
    const stage = new Stage();
    stage.reconfigure();
    stage.clock.advance(100);
    stage.reconfigure();
    stage.clock.advance(100);
    assert.equal(stage.told('Peers'), [{ kind: 'Peers', peers: stage.peers }]);
  });
  test('says ready to the clock only when kube-proxy forwards, and asks it only once', async () => {
    const written = (at: number): string => `kubeproxy_sync_proxy_rules_last_timestamp_seconds ${at}\n`;
    const stage = new Stage(undefined, written(0));
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    stage.fromWire({ kind: 'Ready' });
    await new Promise(setImmediate);
    assert.equal([stage.told('Ready'), stage.agent.readiness().ready], [[], false]);
    assert.match(stage.agent.readiness().why ?? '', /kube-proxy/);
    stage.proxy = written(1);
    stage.clock.advance(200);
    await new Promise(setImmediate);
    assert.is(stage.told('Ready').length, 1);
    stage.proxy = written(0);
    stage.put(service('new', '198.51.100.2'));
    stage.clock.advance(100);
    assert.is(stage.told('Ready').length, 2, 'a Service that is new to a speaker that runs is announced at once');
  });
  test('reads what was kept once, and not with every change', async () => {
    const stage = new Stage(kept, 'kubeproxy_sync_proxy_rules_last_timestamp_seconds 1\n');
    for (const name of ['web', 'api', 'new']) {
      stage.put(service(name, `198.51.100.${10 + name.length}`));
      stage.clock.advance(1_000);
    }
    assert.ok(stage.desired().length > 1);
    assert.is(stage.loads, 1);
  });
  test('believes no first sight that is still to come', async () => {
    const text =
      'kubeproxy_sync_proxy_rules_last_queued_timestamp_seconds 2\nkubeproxy_sync_proxy_rules_last_timestamp_seconds 1\n';
    const stage = new Stage({ ...kept, savedAt: '2100-01-01T00:00:00.000Z' }, text);
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    stage.fromWire({ kind: 'Ready' });
    await new Promise(setImmediate);
    assert.is(stage.told('Ready').length, 1);
  });
  test('gives everything up while it is fenced, whatever is decided meanwhile', () => {
    const stage = new Stage();
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    stage.fromWire({ kind: 'Ready' });
    stage.agent.fence(true);
    stage.put(service('new', '198.51.100.2'));
    stage.clock.advance(1_000);
    stage.agent.fence(false);
    assert.equal(
      stage.told('Ready').map((message) => message.kind === 'Ready' && message.ready),
      [true, false, true],
    );
  });
  test('gives everything up when every interface has lost its link, and not before it had one', () => {
    const stage = new Stage();
    const ready = () => stage.told('Ready').map((message) => message.kind === 'Ready' && message.ready);
    const links = (...carriers: boolean[]): void =>
      stage.fromWire({
        kind: 'Owned',
        services: [],
        interfaces: carriers.map((carrier, at) => ({ name: `eth${at}`, carrier, subnets: [] })),
      });
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    links();
    stage.fromWire({ kind: 'Ready' });
    links(false, false);
    assert.equal(ready(), [true]);
    links(true, false);
    links(false, true);
    assert.equal(ready(), [true]);
    links(false, false);
    links();
    assert.equal(ready(), [true, false]);
    assert.match(stage.agent.readiness().why ?? '', /link/);
    links(true, false);
    assert.equal(ready(), [true, false, true]);
  });
  test('hands over what only other nodes may announce by now, for as long as they do', () => {
    const stage = new Stage();
    const elsewhere = (): readonly string[] => {
      const last = stage.wire.findLast((message) => message.kind === 'Desired');
      return last?.elsewhere ?? [];
    };
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    assert.equal(elsewhere(), []);
    for (const name of ['web', 'other']) {
      const local = service(name, '198.51.100.1');
      stage.put({ ...local, externalTrafficPolicy: 'Local', endpoints: { anywhere: true, nodes: new Set(['b']) } });
      stage.clock.advance(1_000);
      assert.equal(elsewhere(), ['198.51.100.1']);
    }
    stage.remove('web');
    stage.remove('other');
    stage.clock.advance(1_000);
    assert.equal(elsewhere(), []);
  });
  test('says ready to the clock only when the wire answers', () => {
    const stage = new Stage();
    stage.reconfigure();
    stage.clock.advance(100);
    assert.equal(stage.told('Ready'), []);
    stage.fromWire({ kind: 'Ready' });
    assert.equal(stage.told('Ready'), [{ kind: 'Ready', ready: true }]);
  });
  test('is ready for the kubelet when all of it is there, and names what is missing', () => {
    const stage = new Stage();
    const why = () => stage.agent.readiness().why;
    assert.match(String(why()), 'listed');
    stage.reconfigure();
    stage.clock.advance(100);
    assert.match(String(why()), 'wire');
    stage.fromWire({ kind: 'Ready' });
    assert.match(String(why()), 'port');
    stage.fromClock({ kind: 'Listening', address: '::', port: 7946, priority: 'normal' });
    assert.match(String(why()), 'key');
    stage.agent.setKeys([new Uint8Array(32)]);
    assert.equal(stage.agent.readiness(), { ready: true });
  });
  test('keeps what it desires on the node, some time later', () => {
    const stage = new Stage();
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(500);
    assert.is(stage.saved, undefined);
    stage.clock.advance(1_000);
    assert.equal(
      stage.saved?.announcements.map(({ address }) => address),
      ['198.51.100.1'],
    );
    assert.equal(stage.saved?.peers, stage.peers);
  });
  test('goes on with what was kept when the API server does not answer, until it does', async () => {
    const stage = new Stage(kept);
    stage.hasSynced = false;
    stage.clock.advance(1_900);
    assert.equal(stage.desired(), []);
    stage.clock.advance(200);
    assert.equal(stage.desired(), ['198.51.100.9']);
    assert.equal(stage.told('Peers'), [{ kind: 'Peers', peers: kept.peers }]);
    assert.match(await stage.registry.metrics(), 'herald_speaker_stale 1');
    stage.clock.advance(5_000);
    assert.is(stage.saved, undefined, 'what is stale is not kept anew');
    stage.hasSynced = true;
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(10);
    assert.equal(stage.desired(), ['198.51.100.9', '198.51.100.1']);
    assert.match(await stage.registry.metrics(), 'herald_speaker_stale 0');
  });
  test('goes on with what was kept while nobody has said which pools are in force', () => {
    const stage = new Stage(kept);
    stage.knowsPools = false;
    stage.config = { ...config(), pools: [] };
    stage.put(service('web', '198.51.100.1'));
    stage.clock.advance(100);
    assert.equal(stage.desired(), ['198.51.100.9']);
    stage.knowsPools = true;
    stage.config = config();
    stage.reconfigure();
    stage.clock.advance(10);
    assert.equal(stage.desired(), ['198.51.100.9', '198.51.100.1']);
  });
  test('starts without pools where nothing was kept: a fresh cluster has none', () => {
    const stage = new Stage();
    stage.knowsPools = false;
    stage.reconfigure();
    stage.clock.advance(10);
    assert.equal(stage.desired(), ['']);
  });
  test('leaves in order: the successors first, then silence', async () => {
    const stage = new Stage();
    const left = stage.agent.leave();
    assert.equal(stage.clockThread, [{ kind: 'Leave' }]);
    await Promise.resolve();
    assert.equal(stage.wire, []);
    stage.fromClock({ kind: 'LeaveAcknowledged', missing: [] });
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stage.wire, [{ kind: 'Leave' }]);
    stage.fromWire({ kind: 'Left' });
    await left;
  });
  test('leaves though nobody answers', async () => {
    const stage = new Stage();
    const left = stage.agent.leave();
    stage.clock.advance(1_500);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(stage.wire, [{ kind: 'Leave' }]);
    stage.clock.advance(500);
    await left;
  });
  test('ends for a fault that is fatal, and only for such', () => {
    const stage = new Stage();
    stage.fromClock({ kind: 'Fault', reason: 'HeartbeatPortTaken', message: 'taken', fatal: false });
    stage.fromWire({ kind: 'Fault', reason: 'CapabilityMissing', message: 'NET_RAW', fatal: true });
    assert.equal(stage.fatal, ['CapabilityMissing']);
  });
  test('measures what it owns, and forgets what it no longer does', async () => {
    const stage = new Stage();
    const owned = { service: 'shop/web', address: '198.51.100.1', interfaces: ['eth0'], since: 0 };
    stage.fromWire({
      kind: 'Owned',
      services: [owned, { ...owned, address: '198.51.100.2', interfaces: [] }],
      interfaces: [],
    });
    const metrics = await stage.registry.metrics();
    assert.match(
      metrics,
      'metallb_speaker_announced{service="shop/web",protocol="layer2",node="a",ip="198.51.100.1"} 1',
    );
    assert.match(metrics, 'herald_speaker_takeovers_total 1');
    assert.not.match(metrics, '198.51.100.2');
    stage.fromWire({ kind: 'Owned', services: [], interfaces: [] });
    assert.not.match(await stage.registry.metrics(), '198.51.100.1');
    assert.is(stage.owned.length, 2);
  });
});
