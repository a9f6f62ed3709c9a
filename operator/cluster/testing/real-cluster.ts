/** What the contract tests share: a real API server, and words to act upon it. */

import type { ApiConnection } from '../api-connection.ts';
import { fieldManagers } from '../field-managers.ts';
import { Informer, type InformerOptions } from '../informer.ts';
import type { KubernetesObject, Service } from '../objects.ts';
import { createObject, deleteObject, getObject } from '../requests.ts';
import { type Resource, resources } from '../resource.ts';
import { KubeApiServer } from './kube-api-server.ts';
import { memoryLogger } from './waiting.ts';

export const server = await KubeApiServer.start();
export const connection = server.connect();
export const fieldManager = fieldManagers.operator;
export const namespace = 'default';

export const service = (name: string): Service => ({
  metadata: { name, namespace },
  spec: { type: 'LoadBalancer', ports: [{ port: 80 }] },
});
export const create = (name: string) => createObject(connection, resources.services, service(name), { fieldManager });
export const remove = (name: string) => deleteObject(connection, resources.services, { namespace, name });
export const read = async (name: string) =>
  (await getObject(connection, resources.services, { namespace, name })) as Service;
/** As an informer would keep it. */
export const trimmed = async (name: string) => resources.services.trim?.(await read(name)) as Service;

/** Does `work` for each item, no more than 32 at once. */
export async function forEach<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items];
  const worker = async () => {
    for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}

export const print = (line: string): void => void process.stdout.write(`    ${line}\n`);

/** Runs an informer until the test is over. */
export async function informed<T extends KubernetesObject>(
  resource: Resource<T>,
  body: (informer: Informer<T>, ends: string[]) => Promise<void>,
  over: ApiConnection = connection,
  options: Partial<InformerOptions<T>> = {},
): Promise<void> {
  const ends: string[] = [];
  const nothing = () => undefined;
  const metrics = {
    listed: nothing,
    changed: nothing,
    synced: nothing,
    watchEnded: (_: string, why: string) => void ends.push(why),
  };
  const informer = new Informer<T>(over, resource, { log: memoryLogger(), metrics, ...options });
  const stop = new AbortController();
  const run = informer.run(stop.signal);
  try {
    await informer.synced();
    await body(informer, ends);
  } finally {
    stop.abort();
    await run;
  }
}
