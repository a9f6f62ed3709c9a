/** Takes the steps of a migration: each as one request that changes nothing but what was planned. */

import type { ApiConnection, ApiRequest } from '../../cluster/api-connection.ts';
import { isConflict, isNotFound } from '../../cluster/api-error.ts';
import { listAll } from '../../cluster/list.ts';
import { objectPath, type Resource } from '../../cluster/resource.ts';
import { definitionPath } from './gather.ts';
import { patiently } from './patience.ts';
import type { StoredObject } from './state.ts';
import { type ObjectName, type PatchOperation, STOP_CONVERSION, type Step, trimPatch } from './step.ts';

/** How often an object is read and written again when somebody else was faster. */
const TRIES = 5;
const PLURALS: Readonly<Record<string, string>> = {
  IPAddressPool: 'ipaddresspools',
  L2Advertisement: 'l2advertisements',
  BGPAdvertisement: 'bgpadvertisements',
};
/** Who wrote it, in managedFields. */
const MANAGER = { fieldManager: 'herald-migrate' };

/** @throws {ApiError} when the API server refuses the step; the steps before have been taken */
export async function perform(connection: ApiConnection, step: Step): Promise<void> {
  if (step.do === 'RewriteObjects') return rewrite(connection, resourceOf(step.plural, step.version));
  try {
    await patiently(() => connection.request(requestOf(step)));
  } catch (error) {
    // It is gone already, which is what was wanted.
    const isDelete = step.do === 'DeleteObject' || step.do === 'DeleteWebhookConfiguration';
    if (!isDelete || !isNotFound(error)) throw error;
  }
}

function requestOf(step: Exclude<Step, { readonly do: 'RewriteObjects' }>): ApiRequest {
  switch (step.do) {
    case 'DeleteWebhookConfiguration': {
      const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${step.name}`;
      return { method: 'DELETE', path, body: { preconditions: { uid: step.uid } } };
    }
    case 'StopConversion':
      return patchOf(definitionPath(step.definition), STOP_CONVERSION);
    case 'CreateObject': {
      const { kind, metadata } = step.object;
      const path = `/apis/metallb.io/v1beta1/namespaces/${metadata.namespace}/${PLURALS[kind]}`;
      return { method: 'POST', path, query: MANAGER, body: step.object };
    }
    case 'DeleteObject':
      return {
        method: 'DELETE',
        path: pathOf(step.object),
        body: { preconditions: { ...(step.uid && { uid: step.uid }) } },
      };
    case 'ChangeObject':
      return patchOf(pathOf(step.object), step.patch);
    case 'TrimStoredVersions':
      return patchOf(`${definitionPath(step.definition)}/status`, trimPatch(step.from, step.to));
  }
}

const patchOf = (path: string, body: readonly PatchOperation[]): ApiRequest => ({
  method: 'PATCH',
  path,
  query: MANAGER,
  contentType: 'application/json-patch+json',
  body,
});

const resourceOf = (plural: string, version: string): Resource<StoredObject> => ({
  group: 'metallb.io',
  version,
  kind: '',
  plural,
  namespaced: true,
});

const pathOf = ({ plural, version, namespace, name }: ObjectName): string =>
  objectPath(resourceOf(plural, version), { namespace, name });

/** A write of what is there stores it in the version of today: the API server leaves out only what would be the same octets. */
async function rewrite(connection: ApiConnection, resource: Resource<StoredObject>): Promise<void> {
  const { objects } = await patiently(() => listAll(connection, resource));
  for (const { metadata } of objects) await rewriteOne(connection, objectPath(resource, metadata));
}

async function rewriteOne(connection: ApiConnection, path: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const body = await patiently(() => connection.request<StoredObject>({ method: 'GET', path }));
      await patiently(() => connection.request({ method: 'PUT', path, query: MANAGER, body }));
      return;
    } catch (error) {
      if (isNotFound(error)) return;
      if (!isConflict(error) || tries === TRIES) throw error;
    }
  }
}
