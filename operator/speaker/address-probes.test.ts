import * as assert from 'uvu/assert';
import type { AddressProbe } from '../../crds/address-probe.ts';
import type { ProbeResult } from '../../crds/node-announcement.ts';
import { spec } from '../../testing/spec.ts';
import type { AdvertisingConfig } from '../advertising/snapshot.ts';
import { Store } from '../cluster/store.ts';
import { memoryLogger } from '../cluster/testing/waiting.ts';
import { type L2Advertisement, l2AdvertisementOf } from '../config/advertisements.ts';
import { RangeSet } from '../config/range-set.ts';
import { parseRange } from '../net/range.ts';
import { AddressProbes } from './address-probes.ts';
import type { ViewChange } from './cluster-view.ts';
import type { FromWire, ToWire } from './messages.ts';

const ADDRESS = '192.0.2.1';

/** Node b among probes, a wire thread and a report that a test plays. */
function make() {
  const store = new Store<AddressProbe>();
  const sent: ToWire[] = [];
  const told: string[] = [];
  let probesChanged = (): void => {};
  let wireSays = (_message: FromWire): void => {};
  let viewSays = (_change: ViewChange): void => {};
  const stage = { isWanted: false, detectsDuplicates: false, interfaces: [] as string[] };
  const range = parseRange('192.0.2.0/24');
  const config = (): AdvertisingConfig => ({
    node: 'b',
    nodes: [{ name: 'b', labels: {}, isNetworkUnavailable: false }],
    pools: [{ name: 'p', labels: {}, addresses: new RangeSet(typeof range === 'string' ? [] : [range]) }] as never,
    advertisements: [
      l2AdvertisementOf({
        apiVersion: 'metallb.io/v1beta1',
        kind: 'L2Advertisement',
        metadata: { name: 'l2' },
        spec: { ipAddressPools: ['p'], interfaces: stage.interfaces },
      }) as L2Advertisement,
    ],
    ignoresExcludeLabel: false,
  });
  new AddressProbes({
    source: {
      store,
      onChange: (listener) => {
        probesChanged = listener;
      },
      want: (isWanted) => {
        stage.isWanted = isWanted;
      },
    },
    node: 'b',
    excludeInterfaces: '^lo$',
    view: {
      get detectsDuplicates() {
        return stage.detectsDuplicates;
      },
      service: () => undefined,
      config,
      onChange: (listener) => {
        viewSays = listener;
      },
    },
    threads: {
      toWire: (message) => sent.push(message),
      onWire: (listener) => {
        wireSays = listener;
      },
    },
    onResults: (results, isNews) =>
      told.push(`${isNews ? 'news' : 'later'}: ${results.map(({ uid, result }) => `${uid} ${result}`).join()}`),
    log: memoryLogger(),
  });
  return Object.assign(stage, {
    told,
    put: (uid: string, node = 'b', address = ADDRESS) => {
      store.put(uid, { metadata: { name: uid, uid }, address, node, service: 'shop/web' });
      probesChanged();
    },
    remove: (uid: string) => {
      store.put(uid, undefined);
      probesChanged();
    },
    configChanges: () => viewSays({ kind: 'Config' }),
    probed: (...results: Pick<ProbeResult, 'uid' | 'result'>[]) =>
      wireSays({ kind: 'Probed', results: results.map((each) => ({ address: ADDRESS, ...each })) }),
    /** What the wire was told since the last call. */
    sent: () =>
      sent.splice(0).map((message) => {
        if (message.kind !== 'Probe') return message.kind;
        return `${message.excludeInterfaces} ${message.probes.map(({ uid, interfaces }) => `${uid} ${interfaces}`)}`;
      }),
  });
}

spec('address probes of a node', (test) => {
  test('are watched only while some pool in force asks for it', () => {
    const stage = make();
    stage.configChanges();
    assert.is(stage.isWanted, false);
    stage.detectsDuplicates = true;
    stage.configChanges();
    assert.is(stage.isWanted, true);
    stage.detectsDuplicates = false;
    stage.configChanges();
    assert.is(stage.isWanted, false);
  });
  test('reach the wire thread as the whole set, those of other nodes left out', () => {
    const stage = make();
    stage.put('u1');
    stage.put('u2', 'a');
    stage.put('u3');
    assert.equal(stage.sent(), ['^lo$ u1 all', '^lo$ u1 all,u3 all']);
    stage.remove('u1');
    stage.remove('u2');
    assert.equal(stage.sent(), ['^lo$ u3 all']);
  });
  test('ask on the interfaces on which the address would be announced', () => {
    const stage = make();
    stage.interfaces = ['eth1'];
    stage.put('u1');
    assert.equal(stage.sent(), ['^lo$ u1 eth1']);
  });
  test('are answered once, and no more when they are gone', () => {
    const stage = make();
    stage.put('u1');
    stage.put('u2');
    stage.probed({ uid: 'u1', result: 'Free' });
    stage.probed({ uid: 'u1', result: 'Free' });
    stage.probed({ uid: 'u1', result: 'Free' }, { uid: 'u2', result: 'Conflict' });
    stage.remove('u1');
    stage.probed({ uid: 'u1', result: 'Free' }, { uid: 'u2', result: 'Conflict' });
    assert.equal(stage.told, ['news: u1 Free', 'news: u1 Free,u2 Conflict', 'later: u2 Conflict']);
  });
});
