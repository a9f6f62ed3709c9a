import * as assert from 'uvu/assert';
import type { NodeAnnouncement, ReportResponder } from '../../../crds/node-announcement.ts';
import { quotaObject, reservationObject } from '../../../testing/config-objects.ts';
import { spec } from '../../../testing/spec.ts';
import { paintOf } from '../output.ts';
import {
  holding,
  l2Advertisement,
  l2StatusOf,
  leaderLease,
  NOW,
  node,
  pool,
  service,
  snapshotOf,
  type TestCluster,
} from '../testing/cluster.ts';
import { statusText } from './print.ts';
import { statusReport } from './status-report.ts';

const plain = paintOf({ isTerminal: false, env: {} });
const PUBLIC = pool('public', ['203.0.113.0/28']);
const counted = {
  ...PUBLIC,
  status: { assignedIPv4: 15, availableIPv4: 1, assignedIPv6: 0, availableIPv6: 0 },
};
const healthy: TestCluster = {
  pools: [counted],
  l2Advertisements: [l2Advertisement('all')],
  services: [holding(service('shop/web'), '203.0.113.1')],
  endpoints: { 'shop/web': ['node-a'] },
  more: {
    serviceL2Statuses: [l2StatusOf('shop/web', 'node-b', 'eth0')],
  },
};

const reportOf = (name: string, responder: ReportResponder): NodeAnnouncement => ({
  metadata: { name },
  announced: 0,
  inputs: { algorithmVersion: 1, alive: ['node-a', 'node-b'], interfaces: [], ignoresExcludeLabel: false },
  reasons: [],
  buckets: [],
  exceptions: [],
  exceptionCount: 0,
  responder,
});

spec('herald status', (test) => {
  test('says that all is well, who leads, how full pools are and who announces what', () => {
    const report = statusReport(snapshotOf(healthy));
    assert.equal(report.problems, []);
    assert.is(report.leader, 'herald-operator-1');
    assert.equal(report.pools, [
      {
        name: 'public',
        isReady: true,
        reason: 'Serving',
        use: [{ family: 'IPv4', used: 15, free: 1 }],
        isRemnant: false,
      },
    ]);
    assert.equal(
      report.nodes.map(({ name, announces }) => [name, announces]),
      [
        ['node-a', []],
        ['node-b', [{ address: '203.0.113.1', service: 'shop/web', protocol: 'l2' }]],
      ],
    );
    const text = statusText(report, plain);
    for (const part of ['No problems', 'herald-operator-1 leads', '15 used, 1 free', '██', '203.0.113.1 shop/web'])
      assert.match(text, part);
  });

  test('says which speakers answer in the kernel, and why others do not', () => {
    const nodeAnnouncements = [
      reportOf('node-a', { kind: 'Kernel', reason: 'ProgramLoaded', message: 'the program is loaded and pinned' }),
      reportOf('node-b', { kind: 'Packet', reason: 'KernelTooOld', message: 'the kernel is 5.15' }),
    ];
    const report = statusReport(snapshotOf({ ...healthy, more: { ...healthy.more, nodeAnnouncements } }));
    assert.equal(
      report.nodes.map(({ responder }) => responder?.reason),
      ['ProgramLoaded', 'KernelTooOld'],
    );
    assert.is(statusText(report, plain).match(/answers in the kernel/g)?.length, 1);
  });

  const problems: [name: string, cluster: TestCluster, subject: string, reason: string][] = [
    ['nobody leads', { more: { leases: [leaderLease(new Date(NOW.getTime() - 3_600_000))] } }, 'operator', 'NoLeader'],
    [
      'a leader gave its Lease back',
      { more: { leases: [{ ...leaderLease(NOW), spec: { holderIdentity: '', renewTime: NOW.toISOString() } }] } },
      'operator',
      'NoLeader',
    ],
    ['there is no Lease', { more: { leases: [] } }, 'operator', 'NoLeader'],
    [
      'Herald is not there',
      { more: { installation: { ...snapshotOf({}).installation, isFound: false } } },
      'herald',
      'NotInstalled',
    ],
    ['a kind cannot be read', { more: { unread: new Map([['nodes', 'nodes is forbidden']]) } }, 'nodes', 'Unreadable'],
    ['a pool is refused', { pools: [pool('lab', ['203.0.113.9-203.0.113.1'])] }, 'pool lab', 'InvalidAddressRange'],
    [
      'an advertisement names a pool that is not there',
      { l2Advertisements: [l2Advertisement('all', { ipAddressPools: ['nowhere'] })] },
      'l2advertisement all',
      'PoolNotFound',
    ],
    ['a node has no speaker', { withoutSpeaker: ['node-b'] }, 'node node-b', 'NoSpeaker'],
    ['a Service has no address', { services: [service('shop/api')] }, 'service shop/api', 'NoPool'],
    [
      'a Service was not looked at',
      { services: [service('shop/api')], isSilent: true },
      'service shop/api',
      'NotLookedAt',
    ],
    [
      'a Service is not announced',
      {
        pools: [PUBLIC],
        services: [
          {
            ...service('shop/api'),
            status: {
              conditions: [
                {
                  type: 'heraldlb.io/Announced',
                  status: 'False',
                  reason: 'NoEndpoints',
                  message: 'x',
                  lastTransitionTime: NOW.toISOString(),
                },
              ],
            },
          },
        ],
      },
      'service shop/api',
      'NoEndpoints',
    ],
  ];
  for (const [name, cluster, subject, reason] of problems)
    test(`tells first that ${name}`, () => {
      const report = statusReport(snapshotOf(cluster));
      const found = report.problems.some((problem) => problem.subject === subject && problem.reason === reason);
      assert.ok(found, JSON.stringify(report.problems));
      assert.match(statusText(report, plain), new RegExp(`${subject} +${reason}`));
    });

  test('says nothing about Services of other classes', () => {
    const foreign = service('shop/api', { loadBalancerClass: 'cloud.example/lb' });
    assert.equal(statusReport(snapshotOf({ services: [foreign] })).problems, []);
  });

  test('shows what is left of a deleted pool', () => {
    const snapshot = snapshotOf({
      inForce: [
        {
          namespace: 'herald-system',
          name: 'old',
          generation: 1,
          hash: 'x',
          addresses: ['203.0.113.0/28'],
          autoAssign: true,
          avoidBuggyIPs: false,
        },
      ],
      services: [
        holding(
          service('shop/web', {}, { annotations: { 'metallb.io/ip-allocated-from-pool': 'old' } }),
          '203.0.113.1',
        ),
      ],
      nodes: [node('node-a')],
    });
    const [remnant] = statusReport(snapshot).pools;
    assert.equal(remnant, {
      name: 'old',
      isReady: false,
      reason: 'PoolRemoved',
      use: [{ family: 'IPv4', used: 1, free: 0 }],
      isRemnant: true,
    });
  });

  test('shows what is kept for whom, and how full quotas are', () => {
    const ready = (reason: string) => [
      { type: 'Ready', status: 'True' as const, reason, message: 'x', lastTransitionTime: NOW.toISOString() },
    ];
    const report = statusReport(
      snapshotOf({
        more: {
          reservations: [
            {
              ...reservationObject('web', {
                addresses: ['203.0.113.7'],
                share: { pool: 'public', ipv4: 2 },
                for: { namespace: 'shop', name: 'web' },
              }),
              status: { held: 1, heldByOthers: 2, conditions: ready('Reserving') },
            },
          ],
          quotas: [
            {
              ...quotaObject('teams', { limits: [{ ipv4: 2 }, { pool: 'public', ipv6: 5 }] }),
              status: {
                used: [
                  { namespace: 'shop', ipv4: 2 },
                  { namespace: 'lab', pool: 'public', ipv6: 1 },
                ],
                full: 1,
                conditions: ready('Limiting'),
              },
            },
          ],
        },
      }),
    );
    assert.equal(report.quotas[0]?.limits, [
      { family: 'IPv4', used: 2, limit: 2, namespace: 'shop' },
      { family: 'IPv6', used: 1, limit: 5, namespace: 'lab', pool: 'public' },
    ]);
    const text = statusText(report, plain);
    for (const part of [
      /web +Reserving +203\.0\.113\.7, 2 IPv4 of pool public for shop\/web +1 held, 2 by others/,
      /teams +Limiting +namespace shop +2 of 2 IPv4/,
      /namespace lab, pool public +1 of 5 IPv6/,
    ])
      assert.match(text, part);
  });

  test('cuts long lists for people, and says so', () => {
    const services = Array.from({ length: 30 }, (_, at) => service(`shop/s${at}`));
    const report = statusReport(snapshotOf({ services }));
    assert.is(report.problems.length, 30);
    assert.match(statusText(report, plain), 'and 10 more: herald status -o json has them all');
  });
});
