import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import type { HttpConnection } from './api-connection.ts';
import { ApiError, ConflictError } from './api-error.ts';
import { LeadershipLostError, Term } from './leader-term.ts';
import type { Lease } from './objects.ts';
import { applyRequest, createObject, deleteObject, getObject, write } from './requests.ts';
import { resources } from './resource.ts';
import { FakeApiServer } from './testing/fake-api-server.ts';

const { leases } = resources;
const where = { namespace: 'herald-system', name: 'a' };
const lease = (metadata: Partial<Lease['metadata']> = {}): Lease => ({ metadata: { ...where, ...metadata }, spec: {} });
const fieldManager = 'herald-operator';

async function connected(body: (fake: FakeApiServer, connection: HttpConnection) => Promise<void>): Promise<void> {
  const fake = await FakeApiServer.start();
  const connection = fake.connect();
  try {
    await body(fake, connection);
  } finally {
    connection.close();
    fake.close();
  }
}

spec('requests', (test) => {
  test('an object that is not there is undefined, any other failure is one', () =>
    connected(async (fake, connection) => {
      assert.is(await getObject(connection, leases, where), undefined);
      fake.refuse(1, 403, 'Forbidden');
      await rejection(ApiError, () => getObject(connection, leases, where));
      fake.put('leases', lease());
      assert.is((await getObject(connection, leases, where))?.metadata.name, 'a');
    }));

  test('a created object has its kind, and exists only once', () =>
    connected(async (_fake, connection) => {
      const created = await createObject(connection, leases, lease(), { fieldManager });
      assert.equal([created.apiVersion, created.kind], ['coordination.k8s.io/v1', 'Lease']);
      await rejection(ConflictError, () => createObject(connection, leases, lease(), { fieldManager }));
    }));

  test('an apply on an older version is a conflict', () =>
    connected(async (fake, connection) => {
      const { metadata } = fake.put('leases', lease());
      const { resourceVersion = '' } = metadata;
      const request = applyRequest(leases, lease({ resourceVersion }), fieldManager);
      await write(connection, request);
      await rejection(ConflictError, () => write(connection, request));
    }));

  test('deleting what is gone is as good as deleting it', () =>
    connected(async (fake, connection) => {
      fake.put('leases', lease());
      await deleteObject(connection, leases, where);
      await deleteObject(connection, leases, where);
      assert.is(fake.get('leases', 'a', 'herald-system'), undefined);
      assert.equal(fake.requests, ['DELETE leases/a', 'DELETE leases/a 404']);
    }));

  test('a leader whose time is over sends nothing', () =>
    connected(async (fake, connection) => {
      const term = new Term(500, 1_000, () => 0);
      await rejection(LeadershipLostError, () => deleteObject(connection, leases, where, term));
      await rejection(LeadershipLostError, () => createObject(connection, leases, lease(), { fieldManager, term }));
      assert.equal(fake.requests, []);
    }));
});
