import * as assert from 'uvu/assert';
import { pool } from '../../testing/allocation.ts';
import { spec } from '../../testing/spec.ts';
import { l2AdvertisementOf } from '../config/advertisements.ts';
import { rank } from '../election/rank.ts';
import { announcedServiceOf } from './announced-service.ts';
import { claimOf } from './announcements.ts';
import { Coverage } from './coverage.ts';
import { prospectOf } from './prospect.ts';
import type { AdvertisingConfig } from './snapshot.ts';

const NODES = ['node-a', 'node-b', 'node-c'];
const ADDRESS = '192.0.2.1';

function coverageOf(more: Partial<AdvertisingConfig> = {}): Coverage {
  const advertisement = l2AdvertisementOf({
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata: { name: 'l2' },
    spec: {},
  });
  if ('reason' in advertisement) throw new Error(advertisement.message);
  return new Coverage({
    node: '',
    nodes: NODES.map((name) => ({ name, labels: {}, isNetworkUnavailable: false })),
    pools: [pool('a')],
    advertisements: [advertisement],
    ignoresExcludeLabel: false,
    ...more,
  });
}
function service(policy: 'Cluster' | 'Local', ...servedOn: string[]) {
  const endpoints = servedOn.map((nodeName) => ({ nodeName, conditions: { ready: true } }));
  const announced = announcedServiceOf(
    {
      metadata: { namespace: 'shop', name: 'web' },
      spec: { type: 'LoadBalancer', selector: { app: 'web' }, externalTrafficPolicy: policy },
      status: { loadBalancer: { ingress: [{ ip: ADDRESS }] } },
    },
    [{ metadata: { name: 's' }, endpoints }],
    '',
  );
  if (!announced) throw new Error('it holds no address');
  return announced;
}
const order = rank(NODES, ADDRESS);
const [first = '', second = '', third = ''] = order;
const everybody = (): boolean => true;

spec('who would own an address', (test) => {
  test('is who owns it once the Service has it', () => {
    const web = service('Cluster', third);
    const claim = claimOf(web, ADDRESS, coverageOf(), [web]);
    assert.equal('candidates' in claim && claim.candidates, order);
    assert.equal(prospectOf(web, ADDRESS, coverageOf(), everybody), { node: first });
    assert.equal(
      prospectOf(web, ADDRESS, coverageOf(), (node) => node !== first),
      { node: second },
    );
    assert.equal(prospectOf(service('Local', third), ADDRESS, coverageOf(), everybody), { node: third });
  });
  test('is found before any endpoint serves', () => {
    for (const policy of ['Cluster', 'Local'] as const)
      assert.equal(prospectOf(service(policy), ADDRESS, coverageOf(), everybody), { node: first });
  });
  test('is nobody where nobody would announce it, and says why', () => {
    const reasonOf = (coverage: Coverage, isAlive = everybody): string => {
      const prospect = prospectOf(service('Cluster'), ADDRESS, coverage, isAlive);
      return prospect.node === undefined ? prospect.reason : prospect.node;
    };
    assert.is(reasonOf(coverageOf({ advertisements: [] })), 'NoAdvertisement');
    assert.is(reasonOf(coverageOf({ pools: [] })), 'NoPool');
    assert.is(reasonOf(coverageOf({ nodes: [] })), 'NoEligibleNode');
    assert.is(
      reasonOf(coverageOf(), () => false),
      'NoSpeaker',
    );
  });
});
