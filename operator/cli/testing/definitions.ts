/** Definitions on a real API server, and when they are served. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiConnection } from '../../cluster/api-connection.ts';
import type { CustomResourceDefinition } from '../../cluster/objects.ts';

const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
const WITHIN_MS = 30_000;

export async function createNamespace(connection: ApiConnection, name: string): Promise<void> {
  await connection.request({ method: 'POST', path: '/api/v1/namespaces', body: { metadata: { name } } });
}

/** Applies definitions by force, as `kubectl apply --server-side --force-conflicts` does, and waits for each. */
export async function definitionsServed(
  connection: ApiConnection,
  definitions: readonly CustomResourceDefinition[],
  fieldManager = 'kubectl',
): Promise<void> {
  for (const body of definitions)
    await connection.request({
      method: 'PATCH',
      path: `${DEFINITIONS}/${body.metadata.name}`,
      query: { fieldManager, force: 'true' },
      contentType: 'application/apply-patch+yaml',
      body,
    });
  for (const { metadata } of definitions) await served(connection, metadata.name);
}

async function served(connection: ApiConnection, name: string): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (performance.now() < deadline) {
    const { status } = await connection.request<CustomResourceDefinition>({
      method: 'GET',
      path: `${DEFINITIONS}/${name}`,
    });
    if (status?.conditions?.some(({ type, status: is }) => type === 'Established' && is === 'True')) return;
    await sleep(50);
  }
  throw new Error(`${name} is not served within ${WITHIN_MS} ms`);
}
