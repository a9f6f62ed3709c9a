import * as assert from 'uvu/assert';
import type { PoolSet } from '../../crds/pool-set.ts';
import { rejection, spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from '../cluster/api-connection.ts';
import { ApiError, ConflictError } from '../cluster/api-error.ts';
import { EventRecorder } from '../cluster/events.ts';
import { LeadershipLostError, type LeaderTerm } from '../cluster/leader-term.ts';
import { StatusWriter } from '../cluster/status-writer.ts';
import { Store } from '../cluster/store.ts';
import { memoryLogger } from '../cluster/testing/waiting.ts';
import { ClusterWorld } from './cluster-world.ts';

/** What a request sent. */
const bodyOf = (request: ApiRequest | undefined): Record<string, unknown> =>
  (request?.body ?? {}) as Record<string, unknown>;
const keyIn = (request: ApiRequest | undefined): string => (bodyOf(request)['data'] as { key: string }).key;

/** A connection that answers from a table of `METHOD path`, a status code or an object, and keeps what was asked. */
function world(answers: Readonly<Record<string, object | number>>, mayWrite = true) {
  const asked: ApiRequest[] = [];
  const connection: ApiConnection = {
    async request<T>(request: ApiRequest): Promise<T> {
      request.guard?.();
      asked.push(request);
      const answer = answers[`${request.method} ${request.path}`] ?? 404;
      if (typeof answer === 'number')
        throw new ApiError(answer, answer === 404 ? 'NotFound' : 'AlreadyExists', request.path);
      return answer as T;
    },
    watch: () => {
      throw new Error('nobody watches here');
    },
    close: () => undefined,
  };
  const log = memoryLogger();
  const term: LeaderTerm = {
    signal: new AbortController().signal,
    mayWrite: () => mayWrite,
    number: 7,
    assertMayWrite: () => {
      if (!mayWrite) throw new LeadershipLostError('over');
    },
    during: (write) => write(),
  };
  const store = new Store<never>();
  const stores = {
    services: store,
    externalServices: store,
    namespaces: store,
    pools: store,
    l2Advertisements: store,
    bgpAdvertisements: store,
    bgpPeers: store,
    bfdProfiles: store,
    communities: store,
    reservations: store,
    quotas: store,
    nodes: store,
    serviceCidrs: store,
    configurationStates: store,
    poolSets: store,
  };
  const recorder = new EventRecorder(connection, { component: 'herald-operator', instance: 'x', log });
  const writer = new StatusWriter(connection, { fieldManager: 'herald-operator' });
  return {
    asked,
    world: new ClusterWorld({ connection, writer, recorder, stores, namespace: 'herald-system', term, log }),
  };
}

const SECRETS = '/api/v1/namespaces/herald-system/secrets';
const POOL_SETS = '/apis/heraldlb.io/v1alpha1/namespaces/herald-system/poolsets';
const stored: PoolSet = {
  apiVersion: 'heraldlb.io/v1alpha1',
  kind: 'PoolSet',
  metadata: { name: 'herald', namespace: 'herald-system', resourceVersion: '7' },
  pools: [],
};

spec('the member key', (test) => {
  test('is created with 32 random octets', async () => {
    const { asked, world: it } = world({ [`POST ${SECRETS}`]: {} });
    assert.is(await it.ensureMemberKey(), 'Created');
    assert.equal(bodyOf(asked.at(-1))['metadata'], { namespace: 'herald-system', name: 'herald-memberkey' });
    assert.is(Buffer.from(keyIn(asked.at(-1)), 'base64').length, 32);
  });
  test('is another one each time', async () => {
    const keyOf = async () => {
      const { asked, world: it } = world({ [`POST ${SECRETS}`]: {} });
      await it.ensureMemberKey();
      return keyIn(asked.at(-1));
    };
    assert.is.not(await keyOf(), await keyOf());
  });
  test('is never written over', async () => {
    const { asked, world: it } = world({ [`GET ${SECRETS}/herald-memberkey`]: { metadata: {} } });
    assert.is(await it.ensureMemberKey(), 'Exists');
    assert.equal(
      asked.map(({ method }) => method),
      ['GET'],
    );
  });
  test('is that of whoever was faster', async () => {
    const { world: it } = world({ [`POST ${SECRETS}`]: 409 });
    assert.is(await it.ensureMemberKey(), 'Exists');
  });
  test('is not created by a leader whose term is over', async () => {
    const { asked, world: it } = world({ [`POST ${SECRETS}`]: {} }, false);
    await rejection(LeadershipLostError, () => it.ensureMemberKey());
    assert.equal(
      asked.map(({ method }) => method),
      ['GET'],
    );
  });
});

spec('the Secret of a peer', (test) => {
  const name = { namespace: 'herald-system', name: 'bgp' };
  const secret = (password: string, type = 'kubernetes.io/basic-auth') => ({
    metadata: name,
    type,
    data: { password: Buffer.from(password).toString('base64') },
  });
  for (const [what, answer, fact] of [
    ['that is there', secret('p4ssw0rd'), 'Usable'],
    ['that is missing', 404, 'Missing'],
    ['that our rights do not reach', 403, 'Unreadable'],
    ['of another type', secret('p4ssw0rd', 'Opaque'), 'WrongType'],
    ['with an empty password', secret(''), 'NoPassword'],
    ['without a password', { metadata: name, type: 'kubernetes.io/basic-auth' }, 'NoPassword'],
    ['with a password that the kernel does not take', secret('x'.repeat(81)), 'PasswordTooLong'],
  ] as const)
    test(`${what} is ${fact}`, async () => {
      const { asked, world: it } = world({ [`GET ${SECRETS}/bgp`]: answer });
      assert.is(await it.readSecretFact(name), fact);
      assert.is(asked.length, 1);
    });
  test('is tried again where the API server fails', async () => {
    const { world: it } = world({ [`GET ${SECRETS}/bgp`]: 500 });
    await rejection(ApiError, () => it.readSecretFact(name));
  });
});

spec('the pods', (test) => {
  test('are those that live and have addresses of their own', async () => {
    const pod = {
      metadata: { namespace: 'shop', name: 'web-0' },
      status: { podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }] },
    };
    const starting = { metadata: { namespace: 'shop', name: 'web-1' } };
    const { asked, world: it } = world({
      'GET /api/v1/pods': { metadata: { resourceVersion: '1' }, items: [pod, starting] },
    });
    assert.equal(await it.readPodAddresses(), [
      { pod: 'shop/web-0', address: '10.0.0.1' },
      { pod: 'shop/web-0', address: 'fd00::1' },
    ]);
    assert.is(
      asked[0]?.query?.['fieldSelector'],
      'spec.hostNetwork=false,status.phase!=Succeeded,status.phase!=Failed',
    );
  });
});

spec('the ConfigurationState', (test) => {
  const STATES = '/apis/metallb.io/v1beta1/namespaces/herald-system/configurationstates';
  test("is created under MetalLB's name and label", async () => {
    const { asked, world: it } = world({ [`POST ${STATES}`]: {} });
    assert.is(await it.createConfigurationState(), 'Created');
    assert.equal(bodyOf(asked[0])['metadata'], {
      namespace: 'herald-system',
      name: 'controller',
      labels: { 'metallb.io/component-type': 'controller' },
    });
  });
  for (const [status, result] of [
    [409, 'Exists'],
    [404, 'NotServed'],
  ] as const)
    test(`answers ${result} to ${status}`, async () =>
      assert.is(await world({ [`POST ${STATES}`]: status }).world.createConfigurationState(), result));
});

spec('the PoolSet', (test) => {
  test('is created where there is none', async () => {
    const { asked, world: it } = world({ [`POST ${POOL_SETS}`]: stored });
    assert.is(await it.storePoolSet(undefined, []), stored);
    assert.equal(bodyOf(asked[0])['pools'], []);
  });
  test('is replaced as a whole list, and only if it is still what was read', async () => {
    const { asked, world: it } = world({ [`PATCH ${POOL_SETS}/herald`]: stored });
    await it.storePoolSet(stored, []);
    assert.is(asked[0]?.contentType, 'application/merge-patch+json');
    assert.equal(asked[0]?.body, { metadata: { resourceVersion: '7' }, pools: [] });
  });
  test('that changed meanwhile is a conflict', async () => {
    const { world: it } = world({ [`PATCH ${POOL_SETS}/herald`]: 409 });
    await rejection(ConflictError, () => it.storePoolSet(stored, []));
  });
  test('that went meanwhile, alone or with its definition, is a conflict too', async () => {
    const { world: it } = world({});
    await rejection(ConflictError, () => it.storePoolSet(stored, []));
  });
  test('gets its external IPs beside whatever else it says, and loses the list with the last of them', async () => {
    const { asked, world: it } = world({ [`PATCH ${POOL_SETS}/herald`]: stored });
    const externalIPs = [{ address: '192.0.2.1', service: 'shop/web' }];
    await it.storeExternalIps(externalIPs);
    await it.storeExternalIps([]);
    assert.equal(
      asked.map(({ body }) => body),
      [{ externalIPs }, { externalIPs: null }],
    );
  });
  test('is not written by a leader whose term is over', async () => {
    const { asked, world: it } = world({ [`PATCH ${POOL_SETS}/herald`]: stored }, false);
    await rejection(LeadershipLostError, () => it.storePoolSet(stored, []));
    await rejection(LeadershipLostError, () => it.storeExternalIps([]));
    assert.is(asked.length, 0);
  });
});
