import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { ApiConnection, ApiRequest } from './api-connection.ts';
import { ApiError, ConflictError } from './api-error.ts';
import { LeadershipLostError, Term } from './leader-term.ts';
import type { KubernetesObject, Service, ServiceStatus } from './objects.ts';
import { resources } from './resource.ts';
import { isSame, StatusWriter } from './status-writer.ts';

const POOL = 'metallb.io/ip-allocated-from-pool';
const assigned = { loadBalancer: { ingress: [{ ip: '192.0.2.1', ipMode: 'VIP' }] } } satisfies ServiceStatus;
const condition = {
  type: 'heraldlb.io/AddressAssigned',
  status: 'True',
  reason: 'Assigned',
  message: 'The Service has its address.',
  lastTransitionTime: '2026-01-01T00:00:00Z',
} as const;

const service = (parts: Partial<Service> = {}, metadata: Partial<Service['metadata']> = {}): Service => ({
  metadata: { name: 'web', namespace: 'shop', resourceVersion: '7', ...metadata },
  spec: { type: 'LoadBalancer' },
  ...parts,
});

/** A writer, and what it sent; every answer is `answer`, or what it throws. */
function writing(
  answer: (request: ApiRequest) => KubernetesObject = () => service({}, { resourceVersion: '8' }),
  more: { readonly leavesOut?: (plural: string) => Promise<boolean> } = {},
) {
  const sent: ApiRequest[] = [];
  const connection = {
    request: async (request: ApiRequest) => {
      request.guard?.();
      sent.push(request);
      return answer(request);
    },
  } as unknown as ApiConnection;
  return { writer: new StatusWriter(connection, { fieldManager: 'herald-operator', ...more }), sent };
}

spec('status writer', (test) => {
  test('applies status and annotation in one request, by force, on the version decided upon', async () => {
    const { writer, sent } = writing();
    const change = { status: { ...assigned, conditions: [condition] }, annotations: { [POOL]: 'public' } };
    assert.is(await writer.apply(service(), resources.services, change), 'Written');
    assert.is(sent.length, 1);
    const [{ method, path, query, contentType, body }] = sent as [ApiRequest];
    assert.equal(
      [method, path, contentType],
      ['PATCH', '/api/v1/namespaces/shop/services/web/status', 'application/apply-patch+yaml'],
    );
    assert.equal(query, { fieldManager: 'herald-operator', force: 'true' });
    assert.equal(body, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'shop', resourceVersion: '7', annotations: { [POOL]: 'public' } },
      status: { ...assigned, conditions: [condition] },
    });
  });

  test('names nothing but conditions where the addresses are left to others', async () => {
    const { writer, sent } = writing();
    const alone = { ...resources.services, statusFields: { status: [] } };
    const theirs = service(
      { status: { ...assigned, conditions: [{ ...condition, type: 'x.io/Y' }] } },
      { annotations: { [POOL]: 'public' } },
    );
    await writer.apply(theirs, alone, { status: { conditions: [condition] } });
    const [{ body } = { body: undefined }] = sent;
    const { status, metadata } = body as Service;
    assert.equal(status, { conditions: [condition] });
    assert.is(metadata.annotations, undefined);
    const told = service({ status: { ...assigned, conditions: [condition] } });
    assert.is(await writer.apply(told, alone, { status: { conditions: [condition] } }), 'Unchanged');
  });

  test('writes nothing to kinds that it leaves out', async () => {
    const { writer, sent } = writing(undefined, { leavesOut: async (plural) => plural === 'ipaddresspools' });
    const pool = { metadata: { name: 'a', namespace: 'h' } };
    assert.is(await writer.apply(pool, resources.ipAddressPools, { status: { assignedIPv4: 1 } }), 'Unchanged');
    assert.is(sent.length, 0);
  });

  test('writes nothing when nothing differs', async () => {
    const { writer, sent } = writing();
    const theirs = { ...condition, type: 'example.com/Theirs' };
    const current = service(
      { status: { ...assigned, conditions: [theirs, condition] } },
      { annotations: { [POOL]: 'public', mine: 'x' } },
    );
    const change = { status: { ...assigned, conditions: [condition] }, annotations: { [POOL]: 'public' } };
    assert.is(await writer.apply(current, resources.services, change), 'Unchanged');
    assert.equal(sent, []);
  });

  for (const { name, current, change } of [
    { name: 'an address', current: service({ status: {} }), change: { status: assigned } },
    {
      name: 'an annotation',
      current: service({ status: assigned }),
      change: { status: assigned, annotations: { [POOL]: 'public' } },
    },
    {
      name: 'an annotation that shall go',
      current: service({ status: assigned }, { annotations: { [POOL]: 'public' } }),
      change: { status: assigned },
    },
    {
      name: 'a condition that shall go',
      current: service({ status: { ...assigned, conditions: [condition] } }),
      change: { status: assigned },
    },
  ]) {
    test(`writes when it differs in ${name}`, async () => {
      const { writer, sent } = writing();
      assert.is(await writer.apply(current, resources.services, change), 'Written');
      assert.is(sent.length, 1);
    });
  }

  test('says the empty list when it clears', async () => {
    const { writer, sent } = writing();
    await writer.apply(service({ status: assigned }), resources.services, { status: {} });
    const applied = sent[0]?.body as Service | undefined;
    assert.equal(applied?.status?.loadBalancer, { ingress: [] });
  });

  test('removes an annotation that another manager keeps alive', async () => {
    const kept = { annotations: { [POOL]: 'public' } };
    const answers = [service({}, { ...kept, resourceVersion: '8' }), service({}, { resourceVersion: '9' })];
    const { writer, sent } = writing(() => answers.shift() as Service);
    await writer.apply(service({ status: assigned }, kept), resources.services, { status: {} });
    assert.equal(
      sent.map(({ method, contentType }) => `${method} ${contentType ?? ''}`),
      ['PATCH application/apply-patch+yaml', 'PATCH application/merge-patch+json'],
    );
    assert.equal(sent[1]?.body, { metadata: { resourceVersion: '8', annotations: { [POOL]: null } } });
  });

  test('sends nothing more when the annotation went with the apply', async () => {
    const { writer, sent } = writing();
    const held = service({ status: assigned }, { annotations: { [POOL]: 'public' } });
    await writer.apply(held, resources.services, { status: {} });
    assert.is(sent.length, 1);
  });

  for (const [status, reason] of [
    [409, 'Conflict'],
    [404, 'NotFound'],
  ] as const) {
    test(`a ${status} means: decide again`, async () => {
      const { writer } = writing(() => {
        throw new ApiError(status, reason, 'refused');
      });
      await rejection(ConflictError, () => writer.apply(service(), resources.services, { status: assigned }));
    });
  }

  test('sends nothing without the right to write', async () => {
    const { writer, sent } = writing();
    let now = 0;
    const term = new Term(3_000, 1_000, () => now);
    await writer.apply(service(), resources.services, { status: assigned }, term);
    now = 2_000;
    await rejection(LeadershipLostError, () => writer.apply(service(), resources.services, { status: assigned }, term));
    assert.is(sent.length, 1);
    assert.is(sent[0]?.timeoutMs, 1_000);
  });

  test('an empty list is as good as none, and conditions have no order', () => {
    const ready = { ...condition, type: 'Ready' };
    assert.ok(isSame({ a: [], b: {}, c: undefined }, {}));
    assert.ok(isSame({ conditions: [ready, condition] }, { conditions: [condition, ready] }));
    assert.not(isSame({ ingress: [{ ip: 'a' }, { ip: 'b' }] }, { ingress: [{ ip: 'b' }, { ip: 'a' }] }));
    assert.not(isSame({ free: 0 }, {}));
  });
});
