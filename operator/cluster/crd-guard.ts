/**
 * Tells objects that were deleted from objects whose kind went away under them.
 *
 * Deleting a CustomResourceDefinition deletes its objects first, one DELETED event each, as if somebody had deleted
 * them by hand. A CRD upgrade that goes wrong must not empty the network, so a deletion counts only when the CRD still
 * stands after it.
 */

import type { ApiConnection } from './api-connection.ts';
import { isNotFound } from './api-error.ts';
import type { CustomResourceDefinition } from './objects.ts';
import { crdNameOf, objectPath, type ResourceAddress, resources } from './resource.ts';

/**
 * `Intact`: the CRD that our objects came with is in force. `Replaced`: another one of its name is, so what is missing
 * may still be put back. `Away`: there is none in force, what is missing says nothing.
 */
export type CrdVerdict = 'Intact' | 'Replaced' | 'Away';

/** How long the objects of a CRD that came back may take to come back themselves. */
const GRACE_MS = 60_000;

export class CrdGuard {
  readonly graceMs: number;
  readonly #connection: ApiConnection;
  readonly #name: string;
  /** The uid of the CRD that the objects in the store belong to. */
  #uid: string | undefined;

  constructor(
    connection: ApiConnection,
    resource: ResourceAddress,
    { graceMs = GRACE_MS }: { readonly graceMs?: number } = {},
  ) {
    this.#connection = connection;
    this.#name = crdNameOf(resource);
    this.graceMs = graceMs;
  }

  /** Asks the API server about the CRD; the answer is newer than any event seen before. @throws {ApiError} */
  async look(): Promise<CrdVerdict> {
    const uid = await this.#establishedUid();
    if (uid === undefined) return 'Away';
    return uid === (this.#uid ?? uid) ? 'Intact' : 'Replaced';
  }

  /** Like `look`, and from now on the CRD that is in force is the one that our objects belong to. @throws {ApiError} */
  async lookAndFollow(): Promise<CrdVerdict> {
    const uid = await this.#establishedUid();
    if (uid === undefined) return 'Away';
    const verdict = uid === (this.#uid ?? uid) ? 'Intact' : 'Replaced';
    this.#uid = uid;
    return verdict;
  }

  async #establishedUid(): Promise<string | undefined> {
    const path = objectPath(resources.customResourceDefinitions, { name: this.#name });
    try {
      const crd = await this.#connection.request<CustomResourceDefinition>({ method: 'GET', path });
      const conditions = crd.status?.conditions ?? [];
      const isEstablished = conditions.some(({ type, status }) => type === 'Established' && status === 'True');
      return isEstablished && !crd.metadata.deletionTimestamp ? (crd.metadata.uid ?? '') : undefined;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }
}
