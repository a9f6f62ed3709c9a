import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from '../cluster/api-connection.ts';
import { ApiError } from '../cluster/api-error.ts';
import type { Service } from '../cluster/objects.ts';
import { keyOf } from '../cluster/objects.ts';
import { CommandError } from './command.ts';
import { announcersByService } from './explain/announcers.ts';
import { configLists, explainConfigObject } from './explain/config-object.ts';
import { explanationText } from './explain/print.ts';
import { explainService } from './explain/service.ts';
import { explain } from './explain.ts';
import type { ClusterSnapshot } from './gather.ts';
import { paintOf } from './output.ts';
import { holding, l2Advertisement, l2StatusOf, node, pool, service, snapshotOf } from './testing/cluster.ts';
import { memoryIo } from './testing/memory-io.ts';

const plain = paintOf({ isTerminal: false, env: {} });
const PUBLIC = pool('public', ['203.0.113.0/28']);
const condition = (status: 'True' | 'False', reason: string, message: string) => ({
  type: 'heraldlb.io/Announced',
  status,
  reason,
  message,
  lastTransitionTime: '2026-03-01T11:00:00Z',
});

const EXTERNAL = 'heraldlb.io/ExternalIPsAccepted';

/** shop/web is announced by node-b; what was written about that is a parameter. */
function announced(written: Partial<ClusterSnapshot>, conditions: readonly ReturnType<typeof condition>[] = []) {
  const web = { ...service('shop/web'), status: { conditions } };
  const snapshot = snapshotOf({
    pools: [PUBLIC],
    l2Advertisements: [l2Advertisement('all')],
    services: [web],
    endpoints: { 'shop/web': ['node-a', 'node-b'] },
    nodes: [node('node-a'), node('node-b')],
    more: written,
  });
  const [found] = snapshot.services;
  return explainService(found as Service, snapshot);
}

const SERVICE_ANNOUNCEMENT = {
  metadata: { namespace: 'shop', name: 'web' },
  addresses: ['203.0.113.0'],
  addressList: '203.0.113.0',
  announcers: [{ protocol: 'l2' as const, node: 'node-b', address: '203.0.113.0', since: '2026-03-01T11:00:00Z' }],
  by: 'l2:node-b',
  status: { conditions: [] },
};
const L2_STATUS = l2StatusOf('shop/web', 'node-b', 'eth0');

spec('explain a Service that works', (test) => {
  test('by its external IPs alone, where it is no load balancer', () => {
    const accepted = { ...condition('True', 'Accepted', '203.0.113.5 may be announced.'), type: EXTERNAL };
    const web = service('shop/web', { type: 'ClusterIP', externalIPs: ['203.0.113.5'] });
    const asked = { ...web, status: { conditions: [accepted, condition('True', 'Announced', 'It is announced.')] } };
    const cluster = snapshotOf({
      pools: [PUBLIC],
      l2Advertisements: [l2Advertisement('all')],
      endpoints: { 'shop/web': ['node-a'] },
    });
    const externalIPs = [{ address: '203.0.113.5', service: 'shop/web' }];
    const poolSets = cluster.poolSets.map((poolSet) => ({ ...poolSet, externalIPs }));
    const { summary, steps } = explainService(asked, { ...cluster, poolSets });
    assert.is(summary, 'shop/web has 203.0.113.5, and it is announced');
    assert.equal(
      steps.map(({ name, answer }) => `${name} ${answer}`),
      ['service yes', 'external IPs yes', 'advertisement yes', 'endpoints yes', 'nodes yes', 'announced yes'],
    );
  });
  test('by the whole chain, and who answers by what was written', () => {
    const explanation = announced({ serviceAnnouncements: [SERVICE_ANNOUNCEMENT], serviceL2Statuses: [L2_STATUS] }, [
      condition('True', 'Announced', 'Every address of the Service is announced.'),
    ]);
    assert.equal(
      explanation.steps.map(({ name, answer }) => `${name} ${answer}`),
      ['service yes', 'address yes', 'advertisement yes', 'endpoints yes', 'nodes yes', 'announced yes'],
    );
    assert.is(explanation.reason, undefined);
    assert.equal(explanation.remedies, []);
    const text = explanationText(explanation, plain);
    assert.match(text, 'shop/web has 203.0.113.0, and it is announced');
    assert.match(text, '203.0.113.0 by node-b (l2 on eth0, for 60m)');
    assert.match(text, /node node-b +announces/);
    assert.match(text, /node node-a +stands by +(first|number 2) in order/);
  });

  test('by its ServiceL2Status where there is nothing else', () => {
    const explanation = announced({ serviceL2Statuses: [L2_STATUS] });
    assert.is(explanation.steps.at(-1)?.message, 'by node-b (l2 on eth0)');
  });

  test('by the speaker that took over, while the operator still names the one before', () => {
    const explanation = announced({
      serviceAnnouncements: [SERVICE_ANNOUNCEMENT],
      serviceL2Statuses: [l2StatusOf('shop/web', 'node-a', 'eth0')],
    });
    assert.is(explanation.steps.at(-1)?.message, 'by node-a (l2 on eth0)');
  });

  test('and not by a speaker that owns the address and can answer for it nowhere', () => {
    const said = condition('False', 'NoInterface', 'none of the interfaces of its advertisements can announce');
    const web = { ...service('shop/web'), status: { conditions: [said] } };
    const snapshot = snapshotOf({ services: [web], more: { serviceL2Statuses: [L2_STATUS] } });
    assert.is(announcersByService(snapshot).size, 0);
  });

  test('and says that it does not know where nobody reported anything', () => {
    const explanation = announced({});
    assert.is(explanation.reason, 'NotReported');
    assert.match(explanation.summary, 'whether it is announced is not known');
  });

  test('and does not repeat a report that is over', () => {
    const explanation = announced({}, [condition('False', 'NoEndpoints', 'no endpoint serves')]);
    const last = explanation.steps.at(-1);
    assert.is(last?.answer, 'unknown');
    assert.is(last?.message, 'no endpoint serves; by now nothing stands in the way');
  });
});

spec('explain a refusal', (test) => {
  const bad = pool('bad', ['198.51.100.9-198.51.100.1']);
  const subjectsFor = (annotations: Readonly<Record<string, string>>): readonly string[] => {
    const snapshot = snapshotOf({
      pools: [pool('full', ['203.0.113.1/32']), bad, pool('far', ['2001:db8::/64', 'x'])],
      services: [
        service('shop/web', {}, { creationTimestamp: '2026-01-01T00:00:00Z' }),
        service('shop/api', {}, { annotations }),
      ],
    });
    const asked = snapshot.services.find(({ metadata }) => metadata.name === 'api') as Service;
    return (explainService(asked, snapshot).steps.at(-1)?.details ?? []).map(({ subject }) => subject);
  };

  test('names the pools that are not in force where any would do', () => {
    assert.equal(subjectsFor({}), ['pool full', 'pool bad', 'pool far']);
  });
  test('names none that was not asked for by name', () => {
    assert.equal(subjectsFor({ 'metallb.io/address-pool': 'full' }), ['pool full']);
    assert.equal(subjectsFor({ 'metallb.io/address-pool': 'bad' }), ['pool bad']);
  });
  test('names none that has not the address', () => {
    assert.equal(subjectsFor({ 'metallb.io/loadBalancerIPs': '203.0.113.1' }), ['pool full']);
  });
});

spec('explain what was written and what is now', (test) => {
  test('in the words that were written, with the node that says no now', () => {
    const web = {
      ...service('shop/web'),
      status: { conditions: [condition('False', 'NoEligibleNode', '203.0.113.0: labels exclude every node')] },
    };
    const snapshot = snapshotOf({
      pools: [PUBLIC],
      l2Advertisements: [l2Advertisement('all', { nodeSelectors: [{ matchLabels: { zone: 'x' } }] })],
      services: [web],
      endpoints: { 'shop/web': ['node-a'] },
    });
    const last = explainService(snapshot.services[0] as Service, snapshot).steps.at(-1);
    assert.is(last?.source, 'speakers');
    assert.is(last?.message, '203.0.113.0: labels exclude every node');
  });

  test('and says so where the two differ', () => {
    const web = {
      ...service('shop/web'),
      status: { conditions: [condition('False', 'NoEndpoints', 'no endpoint serves')] },
    };
    const snapshot = snapshotOf({ pools: [PUBLIC], services: [web], endpoints: { 'shop/web': ['node-a'] } });
    const last = explainService(snapshot.services[0] as Service, snapshot).steps.at(-1);
    assert.is(last?.message, 'no endpoint serves; by now: no L2Advertisement covers pool public for this Service');
  });
});

spec('explain an object of the configuration', (test) => {
  test('that serves, with the Services that use it and those that it refuses', () => {
    const snapshot = snapshotOf({
      pools: [pool('public', ['203.0.113.1/32'])],
      services: [holding(service('shop/web'), '203.0.113.1'), service('shop/api')],
    });
    const [object] = snapshot.pools;
    const explanation = explainConfigObject('pool', object as typeof PUBLIC, snapshot);
    assert.is(explanation.summary, 'pool/public works');
    assert.equal(
      explanation.steps.at(-1)?.details.map(({ subject, verdict }) => [subject, verdict]),
      [
        ['shop/web', 'serves'],
        ['shop/api', 'refused'],
      ],
    );
  });

  test('that is refused, by the word and the sentence of the operator, and what would help', () => {
    const snapshot = snapshotOf({ pools: [pool('lab', ['203.0.113.9-203.0.113.1'])] });
    const explanation = explainConfigObject('pool', snapshot.pools[0] as typeof PUBLIC, snapshot);
    assert.is(explanation.reason, 'InvalidAddressRange');
    assert.match(explanationText(explanation, plain), '"203.0.113.9-203.0.113.1" ends before it starts');
    assert.equal(explanation.remedies, ['correct spec.addresses of the pool']);
  });

  test('that nobody has looked at', () => {
    const snapshot = snapshotOf({ more: { pools: [PUBLIC], leases: [] } });
    const explanation = explainConfigObject('pool', PUBLIC, snapshot);
    assert.is(explanation.reason, 'NoLeader');
  });
});

/** An API server that has one Service of type ClusterIP and nothing else. */
const connection: ApiConnection = {
  async request<T>({ path }: ApiRequest): Promise<T> {
    if (path === '/api/v1/namespaces/shop/services/db') return service('shop/db', { type: 'ClusterIP' }) as T;
    if (path === '/api/v1/services') return { metadata: { resourceVersion: '1' }, items: [service('shop/web')] } as T;
    throw new ApiError(404, 'NotFound', path);
  },
  watch: () => {
    throw new Error('nobody watches here');
  },
  close: () => undefined,
};

spec('herald explain', (test) => {
  for (const args of [['shop/db'], ['-n', 'shop', 'db'], ['svc/db', '-n', 'shop']])
    test(`finds a Service of any type: ${args.join(' ')}`, async () => {
      const io = memoryIo({ connection });
      assert.is(await explain.run([...args, '-o', 'json'], io), 0);
      assert.is((JSON.parse(io.printed.stdout) as { reason: string }).reason, 'NotLoadBalancer');
    });

  const mistakes: [args: string[], says: string][] = [
    [[], 'the Service is missing'],
    [['shop/wbe'], 'there is no Service shop/wbe: did you mean shop/web?'],
    [['web'], 'there is no Service default/web: did you mean shop/web?'],
    [['pool/public'], 'there is no pool public'],
    [['a/b/c'], 'a/b/c is no name of a Service: write NAMESPACE/NAME'],
  ];
  for (const [args, says] of mistakes)
    test(`says what is wrong: ${args.join(' ')}`, async () => {
      const { message } = await rejection(CommandError, () => explain.run(args, memoryIo({ connection })));
      assert.is(message, says);
    });

  test('says what it had to do without', async () => {
    const forbidden: ApiConnection = {
      ...connection,
      async request<T>(request: ApiRequest): Promise<T> {
        if (request.path === '/api/v1/nodes') throw new ApiError(403, 'Forbidden', 'nodes is forbidden');
        return connection.request<T>(request);
      },
    };
    const io = memoryIo({ connection: forbidden });
    await explain.run(['shop/web'], io);
    assert.is(io.printed.stderr, 'herald: the answer does without nodes: nodes is forbidden\n');
  });

  test('completes the names of Services', async () => {
    assert.equal(await explain.complete?.([''], memoryIo({ connection })), ['shop/web']);
  });

  test('knows every kind of configuration by a word', () => {
    assert.equal(Object.keys(configLists).length, new Set(Object.values(configLists)).size);
    assert.is(keyOf(PUBLIC), 'herald-system/public');
  });
});
