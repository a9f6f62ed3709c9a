import * as assert from 'uvu/assert';
import type { NodeAnnouncement } from '../../crds/node-announcement.ts';
import { spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from '../cluster/api-connection.ts';
import type { Lease } from '../cluster/objects.ts';
import { memoryLogger } from '../cluster/testing/waiting.ts';
import type { ViewChange } from './cluster-view.ts';
import type { FromClock, FromWire, OwnedAddress } from './messages.ts';
import { NodeReporter } from './node-reporter.ts';
import { ManualClock } from './wire/manual-clock.ts';

const eth0 = { name: 'eth0', carrier: true, subnets: ['192.0.2.2/24'] };
const owned = (service: string, address: string, interfaces: readonly string[] = ['eth0']): OwnedAddress => ({
  service,
  address,
  interfaces,
  since: 0,
});

/** A reporter between threads and a cluster that a test plays. */
class Stage {
  readonly clock = new ManualClock();
  readonly requests: ApiRequest[] = [];
  isDown = false;
  versions: Record<string, string> = {};
  fromWire: (message: FromWire) => void = () => {};
  fromClock: (message: FromClock) => void = () => {};
  tell: (change: ViewChange) => void = () => {};
  readonly reporter: NodeReporter;

  constructor() {
    const connection: ApiConnection = {
      request: async <T>(request: ApiRequest): Promise<T> => {
        this.requests.push(request);
        if (this.isDown) throw new Error('no answer');
        return {} as T;
      },
      watch: async function* () {},
      close: () => {},
    };
    this.reporter = new NodeReporter({
      connection,
      namespace: 'herald-system',
      node: 'node-a',
      threads: {
        onWire: (listener) => {
          this.fromWire = listener;
        },
        onClock: (listener) => {
          this.fromClock = listener;
        },
      },
      view: {
        service: (key) => ({
          metadata: { name: key, resourceVersion: this.versions[key] ?? '1' },
          spec: {},
        }),
        ownNode: () => ({ metadata: { name: 'node-a', uid: 'u1' } }),
        config: () => ({
          node: 'node-a',
          nodes: [{ name: 'node-a', labels: {}, isNetworkUnavailable: false }],
          pools: [],
          advertisements: [],
          ignoresExcludeLabel: false,
        }),
        onChange: (listener) => {
          this.tell = listener;
        },
      },
      ignoresExcludeLabel: false,
      readiness: () => ({ ready: true }),
      clock: this.clock,
      wallClock: () => Date.parse('2026-06-01T00:00:00Z') + this.clock.now(),
      metrics: { reported: () => {} },
      log: memoryLogger(),
    });
  }

  owns(...services: readonly OwnedAddress[]): void {
    this.fromWire({ kind: 'Owned', services, interfaces: [eth0] });
  }
  available(...nodes: readonly string[]): void {
    this.fromClock({ kind: 'Available', nodes, view: 1, announceAgain: false });
  }
  /** Time passes, and what was sent is answered. */
  async pass(milliseconds: number): Promise<void> {
    for (let left = milliseconds; left > 0; left -= 10) {
      this.clock.advance(10);
      await new Promise(setImmediate);
    }
  }
  get reports(): readonly NodeAnnouncement[] {
    return this.requests.filter(({ path }) => path.includes('/nodeannouncements/')).map(({ body }) => body as never);
  }
  get leases(): readonly Lease[] {
    return this.requests.filter(({ path }) => path.includes('/leases/')).map(({ body }) => body as Lease);
  }
}

spec('node reporter', (test) => {
  test('says nothing before the wire has spoken, then once what is owned and from which inputs', async () => {
    const stage = new Stage();
    stage.available('node-a', 'node-b');
    await stage.pass(1_000);
    assert.equal(stage.requests, []);
    stage.owns(owned('shop/web', '10.0.0.1'), owned('shop/api', '10.0.0.2', []));
    await stage.pass(1_000);
    assert.is(stage.reports.length, 1);
    const [report] = stage.reports;
    assert.is(report?.announced, 1);
    assert.equal(report?.inputs, {
      algorithmVersion: 1,
      alive: ['node-a', 'node-b'],
      interfaces: [eth0],
      ignoresExcludeLabel: false,
    });
    assert.equal(
      report?.exceptions.map(({ service, reason }) => `${service} ${reason}`),
      ['shop/api NoInterface'],
    );
    assert.equal(report?.metadata.ownerReferences, [{ apiVersion: 'v1', kind: 'Node', name: 'node-a', uid: 'u1' }]);
  });

  test('tells an answer to an AddressProbe in one write at once, and that it is over with the next', async () => {
    const stage = new Stage();
    stage.owns();
    await stage.pass(1_000);
    const free = { address: '10.0.0.1', uid: 'u7', result: 'Free' } as const;
    stage.reporter.setProbes([free], true);
    await stage.pass(60);
    assert.equal(stage.reports.at(-1)?.probes, [free]);
    const { length } = stage.reports;
    await stage.pass(1_000);
    stage.reporter.setProbes([], false);
    await stage.pass(5_000);
    assert.is(stage.reports.length, length);
    await stage.pass(10_000);
    assert.is(stage.reports.length, length + 1);
    assert.not('probes' in (stage.reports.at(-1) ?? {}));
  });
  test('writes nothing at rest but the Lease, every ten seconds', async () => {
    const stage = new Stage();
    stage.owns(owned('shop/web', '10.0.0.1'));
    await stage.pass(61_000);
    assert.is(stage.reports.length, 1);
    assert.is(stage.leases.length, 7);
    assert.match(stage.leases[1]?.spec?.renewTime ?? '', /^2026-06-01T00:00:10\.0[0-9]0000Z$/);
    assert.is(stage.leases[0]?.spec?.leaseDurationSeconds, 40);
  });

  test('writes nothing for a Service that only got another version', async () => {
    const stage = new Stage();
    stage.owns(owned('shop/web', '10.0.0.1'));
    await stage.pass(1_000);
    stage.versions['shop/web'] = '77';
    stage.tell({ kind: 'Service', key: 'shop/web' });
    stage.owns(owned('shop/web', '10.0.0.1'));
    await stage.pass(5_000);
    assert.is(stage.reports.length, 1);
    stage.owns();
    await stage.pass(1_000);
    assert.equal(
      stage.reports[1]?.buckets.map(({ count, resourceVersion }) => [count, resourceVersion]),
      [[0, '77']],
    );
  });

  test('writes a hundred changes in a second as two reports', async () => {
    const stage = new Stage();
    stage.owns();
    await stage.pass(1_000);
    for (let at = 0; at < 100; at += 1) {
      stage.owns(owned('shop/web', `10.0.0.${at}`));
      await stage.pass(10);
    }
    assert.ok(stage.reports.length <= 4, `${stage.reports.length} reports`);
    await stage.pass(500);
    assert.is(stage.reports.at(-1)?.announced, 1);
  });

  test('tells of a lost node and of what was taken over in one report, at once', async () => {
    const stage = new Stage();
    stage.available('node-a', 'node-b');
    stage.owns();
    await stage.pass(1_000);
    stage.available('node-a');
    stage.owns(owned('shop/web', '10.0.0.1'));
    await stage.pass(100);
    assert.is(stage.reports.length, 2);
    assert.equal([stage.reports[1]?.inputs.alive, stage.reports[1]?.announced], [['node-a'], 1]);
    stage.owns();
    await stage.pass(2_900);
    assert.is(stage.reports.length, 2, 'then calm for three seconds');
    await stage.pass(300);
    assert.is(stage.reports.length, 3);
  });

  test('goes on after the API server did not answer', async () => {
    const stage = new Stage();
    stage.isDown = true;
    stage.owns(owned('shop/web', '10.0.0.1'));
    await stage.pass(10_000);
    assert.ok(stage.reports.length > 2);
    stage.isDown = false;
    await stage.pass(5_000);
    const [reports, leases] = [stage.reports.length, stage.leases.length];
    await stage.pass(9_000);
    assert.is(stage.reports.length, reports);
    assert.ok(stage.leases.length <= leases + 1);
  });
});
