import * as assert from 'uvu/assert';
import type { AddressProbe } from '../../crds/address-probe.ts';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import { ip, pool } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import type { Prospect } from '../advertising/prospect.ts';
import type { Assigned, Decision } from '../allocator/decision.ts';
import { ConflictError } from '../cluster/api-error.ts';
import type { Service } from '../cluster/objects.ts';
import { Store } from '../cluster/store.ts';
import { memoryLogger } from '../cluster/testing/waiting.ts';
import { formatIp } from '../net/address.ts';
import { DuplicateDetection } from './duplicate-detection.ts';
import { probeNameOf } from './probe-world.ts';

const KEY = 'shop/web';
const MAC = '02:00:00:00:00:c1';
const ADDRESSES = ['192.0.2.0/23', '2001:db8::/64'];
const DETECTING = pool('p', { addresses: ADDRESSES, duplicateAddressDetection: true });
const assigned = (...addresses: string[]): Assigned => ({
  outcome: 'Assigned',
  reason: 'Assigned',
  message: 'It has one.',
  pools: ['p'],
  addresses: addresses.map(ip),
});

/** A detection among nodes a and b, an API server and an allocator that a test plays. */
class Stage {
  pools = [DETECTING];
  prospect: Prospect = { node: 'a' };
  refusesWith: Error | undefined;
  /** Whoever the allocator has given the addresses to. */
  holders: readonly string[] = [];
  /** What is to happen before an AddressProbe is known to be created. */
  meanwhile = async (_probe: AddressProbe): Promise<void> => {};
  listFails = false;
  readonly probes = new Map<string, AddressProbe>();
  readonly services = new Store<Service>();
  readonly decisions = new Map<string, Decision>();
  /** What happened, in words. */
  readonly log: string[] = [];
  readonly detection: DuplicateDetection;
  #now = 0;
  #timers: { readonly at: number; readonly action: () => void }[] = [];
  #created = 0;

  constructor() {
    this.detection = new DuplicateDetection({
      world: {
        clock: () => this.#now,
        after: (milliseconds, action) => {
          const timer = { at: this.#now + milliseconds, action };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
        createProbe: async (content) => {
          if (this.refusesWith) throw this.refusesWith;
          const name = probeNameOf(content.address);
          if (this.probes.has(name)) throw new ConflictError('exists');
          this.#created += 1;
          const probe = { metadata: { name, uid: `u${this.#created}` }, ...content };
          this.probes.set(name, probe);
          await this.meanwhile(probe);
          return probe;
        },
        removeProbe: async ({ metadata }) => void this.probes.delete(metadata.name),
        listProbes: async () => {
          if (this.listFails) throw new Error('no answer');
          return [...this.probes.values()];
        },
      },
      services: this.services,
      book: {
        decisionOf: (key) => this.decisions.get(key),
        holdersOf: () => this.holders,
        withhold: (address, { message }) => this.log.push(`withhold ${formatIp(address)}: ${message}`),
        restore: (address) => this.log.push(`restore ${formatIp(address)}`),
      },
      pools: () => this.pools,
      prospectOf: () => this.prospect,
      servicesConcerned: (keys) => this.log.push(`concerned ${[...keys].join()}`),
      event: (object, type, reason, message) => this.log.push(`${type} ${reason} ${object.metadata.name}: ${message}`),
      log: memoryLogger(),
    });
  }

  /** The Service is there, with these addresses in its status. */
  put(given: Partial<Service['spec']> = {}, ips: readonly string[] = [], key = KEY): Service {
    const [namespace = '', name = ''] = key.split('/');
    const service: Service = {
      metadata: { namespace, name, uid: key },
      spec: { type: 'LoadBalancer', clusterIPs: ['10.0.0.1'], ...given },
      status: { loadBalancer: { ingress: ips.map((each) => ({ ip: each })) } },
    };
    this.services.put(key, service);
    return service;
  }
  /** What may be written of a decision, in words. */
  writable(service: Service, decision: Assigned): string {
    this.decisions.set(KEY, decision);
    const now = this.detection.provisional(service, decision);
    return now.outcome === 'Assigned' ? `${now.reason} ${now.addresses.map(formatIp).join(' ')}` : now.reason;
  }
  /** Time passes, and what was sent is answered. */
  async pass(milliseconds = 0): Promise<void> {
    await new Promise(setImmediate);
    for (const end = this.#now + milliseconds; ; ) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((x, y) => x.at - y.at)[0];
      if (!due) {
        this.#now = end;
        return;
      }
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.action();
      await new Promise(setImmediate);
    }
  }
  /** The AddressProbes that are there. */
  asked(): string[] {
    return [...this.probes.values()].map(({ address, node, service }) => `${node}: ${address} for ${service}`);
  }
  /** The node answers what it was asked about `address`. */
  answer(address: string, result: Partial<ProbeResult>): void {
    const uid = this.probes.get(probeNameOf(address))?.metadata.uid ?? '';
    this.detection.probed([{ address, uid, result: 'Free', ...result }]);
  }
}
const conflict: Partial<ProbeResult> = { result: 'Conflict', mac: MAC, interface: 'eth0' };

spec('duplicate detection', (test) => {
  test('costs nothing where no pool asks for it', async () => {
    const stage = new Stage();
    stage.pools = [pool('p', { addresses: ADDRESSES })];
    assert.is(stage.writable(stage.put(), assigned('192.0.2.1')), 'Assigned 192.0.2.1');
    await stage.pass(10_000);
    assert.equal([stage.asked(), stage.log], [[], []]);
  });
  test('asks the node that would own the addresses, and writes them together once each is free', async () => {
    const stage = new Stage();
    const service = stage.put();
    const both = assigned('192.0.2.1', '2001:db8::1');
    assert.is(stage.writable(service, both), 'ProbingAddress');
    await stage.pass();
    assert.equal(stage.asked(), [`a: 192.0.2.1 for ${KEY}`, `a: 2001:db8::1 for ${KEY}`]);
    stage.answer('2001:db8::1', {});
    assert.is(stage.writable(service, both), 'ProbingAddress');
    stage.answer('192.0.2.1', {});
    await stage.pass();
    assert.is(stage.writable(service, both), 'Assigned 192.0.2.1 2001:db8::1');
    assert.equal([stage.asked(), stage.log], [[], [`concerned ${KEY}`, `concerned ${KEY}`]]);
  });
  test('asks nothing about an address that the status has, and keeps it while another is asked for', async () => {
    const stage = new Stage();
    assert.is(stage.writable(stage.put({}, ['192.0.2.1']), assigned('192.0.2.1')), 'Assigned 192.0.2.1');
    const service = stage.put({}, ['192.0.2.1']);
    assert.is(stage.writable(service, assigned('192.0.2.1', '2001:db8::1')), 'PartlyAssigned 192.0.2.1');
    await stage.pass();
    assert.equal(stage.asked(), [`a: 2001:db8::1 for ${KEY}`]);
  });
  test('does not ask again when somebody has emptied the status', async () => {
    const stage = new Stage();
    stage.writable(stage.put({}, ['192.0.2.1']), assigned('192.0.2.1'));
    assert.is(stage.writable(stage.put(), assigned('192.0.2.1')), 'Assigned 192.0.2.1');
  });
  test('does not ask for an address that another Service has and shares', () => {
    const stage = new Stage();
    stage.put({}, ['192.0.2.1'], 'shop/other');
    stage.holders = [KEY, 'shop/other'];
    const sharer = stage.put();
    const metadata = { ...sharer.metadata, annotations: { 'metallb.io/allow-shared-ip': 'k' } };
    assert.is(stage.writable({ ...sharer, metadata }, assigned('192.0.2.1')), 'Assigned 192.0.2.1');
    assert.is(stage.writable(sharer, assigned('192.0.2.2')), 'ProbingAddress');
  });
  test('withholds an address that somebody has for ten minutes, and names the MAC address', async () => {
    const stage = new Stage();
    stage.writable(stage.put(), assigned('192.0.2.1'));
    await stage.pass();
    stage.answer('192.0.2.1', conflict);
    const why = `192.0.2.1 is in use on the network: ${MAC} has it, as node a heard on eth0.`;
    assert.equal(
      stage.log.splice(0).map((line) => line.replace(/ It is tried again.*/, '')),
      [`Warning AddressConflicts web: ${why}`, `withhold 192.0.2.1: ${why}`, `concerned ${KEY}`],
    );
    await stage.pass(599_000);
    assert.equal([stage.asked(), stage.log], [[], []]);
    await stage.pass(2_000);
    assert.equal(stage.log, ['restore 192.0.2.1']);
  });
  test('tries at once again what a Service asks for anew, and not because it was merely seen again', async () => {
    const stage = new Stage();
    const service = stage.put({ loadBalancerIP: '192.0.2.1' });
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass();
    stage.answer('192.0.2.1', conflict);
    stage.log.length = 0;
    stage.put({ loadBalancerIP: '192.0.2.1' }, []);
    stage.detection.serviceChanged(KEY);
    assert.equal(stage.log, []);
    stage.put({ loadBalancerIP: '192.0.2.1', externalTrafficPolicy: 'Local' });
    stage.detection.serviceChanged(KEY);
    stage.detection.serviceChanged(KEY);
    assert.equal(stage.log, ['restore 192.0.2.1']);
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass();
    stage.answer('192.0.2.1', {});
    assert.is(stage.writable(service, assigned('192.0.2.1')), 'Assigned 192.0.2.1');
    await stage.pass(700_000);
    assert.is(stage.log.filter((line) => line.startsWith('restore')).length, 1);
  });
  test('is not moved by a second Service that waits for the same address, and counts ten minutes from the last answer', async () => {
    const stage = new Stage();
    const both = { loadBalancerIP: '192.0.2.1' };
    const service = stage.put(both);
    const refused = async (): Promise<void> => {
      stage.writable(service, assigned('192.0.2.1'));
      await stage.pass();
      stage.answer('192.0.2.1', conflict);
      stage.log.length = 0;
    };
    await refused();
    await stage.pass(300_000);
    stage.put(both, [], 'shop/other');
    stage.detection.serviceChanged('shop/other');
    assert.equal(stage.log, ['restore 192.0.2.1']);
    await refused();
    stage.detection.serviceChanged('shop/other');
    await stage.pass(599_000);
    assert.equal(stage.log, []);
    await stage.pass(2_000);
    assert.equal(stage.log, ['restore 192.0.2.1']);
  });
  test('goes on, and says so, when no node answers in time', async () => {
    const stage = new Stage();
    const service = stage.put();
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass(7_900);
    assert.is(stage.writable(service, assigned('192.0.2.1')), 'ProbingAddress');
    await stage.pass(200);
    assert.is(stage.writable(service, assigned('192.0.2.1')), 'Assigned 192.0.2.1');
    const why = 'node a has not answered within 8 s';
    const event = `Warning AddressNotProbed web: 192.0.2.1 is given without having been asked for on the network: ${why}`;
    assert.equal([stage.log, stage.asked()], [[event, `concerned ${KEY}`], []]);
  });
  test('asks another node when the first is lost meanwhile', async () => {
    const stage = new Stage();
    const service = stage.put();
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass(1_000);
    stage.prospect = { node: 'b' };
    await stage.pass(8_000);
    assert.equal(stage.asked(), [`b: 192.0.2.1 for ${KEY}`]);
    stage.answer('192.0.2.1', {});
    assert.is(stage.writable(service, assigned('192.0.2.1')), 'Assigned 192.0.2.1');
  });
  test('waits 5 s for a node that would own the address, then goes on', async () => {
    const stage = new Stage();
    const service = stage.put();
    stage.prospect = { node: undefined, reason: 'NoAdvertisement', message: 'no L2Advertisement covers it' };
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass(4_000);
    stage.prospect = { node: 'a' };
    await stage.pass(300);
    assert.equal(stage.asked(), [`a: 192.0.2.1 for ${KEY}`]);
    stage.prospect = { node: undefined, reason: 'NoSpeaker', message: 'no speaker is alive' };
    stage.writable(service, assigned('192.0.2.2'));
    await stage.pass(5_200);
    assert.match(stage.log[0] ?? '', 'Warning AddressNotProbed web: 192.0.2.2 is given');
  });
  test('stops asking when nobody waits any more', async () => {
    const stage = new Stage();
    const service = stage.put();
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass();
    stage.writable(service, assigned('192.0.2.2'));
    await stage.pass();
    assert.equal(stage.asked(), [`a: 192.0.2.2 for ${KEY}`]);
    stage.detection.forget(KEY);
    await stage.pass();
    assert.equal(stage.asked(), []);
    await stage.pass(20_000);
    assert.equal(stage.log, []);
  });
  test('removes what a former leader left, before it asks', async () => {
    const stage = new Stage();
    for (const address of ['192.0.2.1', '192.0.2.9'])
      stage.probes.set(address, { metadata: { name: address, uid: 'old' }, address, node: 'z', service: 'x/y' });
    stage.detection.start();
    stage.writable(stage.put(), assigned('192.0.2.1'));
    await stage.pass();
    await stage.pass();
    assert.equal(stage.asked(), [`a: 192.0.2.1 for ${KEY}`]);
  });
  test('removes what a former leader left, and nothing else, when the list came late', async () => {
    const stage = new Stage();
    const left = { metadata: { name: '192.0.2.9', uid: 'old' }, address: '192.0.2.9', node: 'z', service: 'x/y' };
    stage.probes.set('192.0.2.9', left);
    stage.listFails = true;
    stage.detection.start();
    stage.writable(stage.put(), assigned('192.0.2.1'));
    await stage.pass(500);
    stage.listFails = false;
    await stage.pass(1_000);
    assert.equal(stage.asked(), [`a: 192.0.2.1 for ${KEY}`]);
  });
  test('hears an answer that came before the AddressProbe was known to be there, whoever reports after it', async () => {
    const stage = new Stage();
    stage.meanwhile = async ({ address, metadata }) => {
      stage.detection.probed([{ address, uid: metadata.uid ?? '', result: 'Conflict', mac: MAC, interface: 'eth0' }]);
      stage.detection.probed([]);
    };
    stage.writable(stage.put(), assigned('192.0.2.1'));
    await stage.pass(1);
    assert.match(stage.log.join(), /withhold 192\.0\.2\.1/);
  });
  test('asks again for what the API server did not take, and goes on after 5 s', async () => {
    const stage = new Stage();
    const service = stage.put();
    stage.refusesWith = new Error('no answer');
    stage.writable(service, assigned('192.0.2.1'));
    await stage.pass(1_000);
    stage.refusesWith = undefined;
    await stage.pass(300);
    assert.equal(stage.asked(), [`a: 192.0.2.1 for ${KEY}`]);
    stage.refusesWith = new Error('no answer');
    stage.writable(service, assigned('192.0.2.2'));
    await stage.pass(5_500);
    assert.is(stage.writable(service, assigned('192.0.2.2')), 'Assigned 192.0.2.2');
  });
  test('asks for so many addresses at once, and then for the others', async () => {
    const stage = new Stage();
    const keys = Array.from({ length: 300 }, (_, n) => `shop/web${n}`);
    for (const [n, key] of keys.entries()) {
      const decision = assigned(`192.0.${n < 200 ? 2 : 3}.${n % 200}`);
      stage.decisions.set(key, decision);
      stage.detection.provisional(stage.put({}, [], key), decision);
    }
    await stage.pass();
    assert.is(stage.probes.size, 256);
    stage.detection.probed(
      [...stage.probes.values()].map(({ address, metadata }) => ({ address, uid: metadata.uid ?? '', result: 'Free' })),
    );
    await stage.pass();
    assert.is(stage.probes.size, 44);
  });
  test('names an AddressProbe by its address, in a way that Kubernetes takes', () => {
    assert.is(probeNameOf('192.0.2.1'), '192.0.2.1');
    assert.is(probeNameOf('2001:db8::'), '2001-0db8-0000-0000-0000-0000-0000-0000');
  });
});
