/**
 * What a controller wrote and its informer does not show yet. Whoever decides meanwhile would write the same again, from
 * a version that is gone: a conflict, and a request for nothing.
 */

import type { Outcome } from '../cluster/controller.ts';
import { type KubernetesObject, keyOf } from '../cluster/objects.ts';

/** Changes of a status wake nobody, so who waits for one looks again. */
export const LOOK_AGAIN: Outcome = { next: 'RetryAfter', milliseconds: 50, because: 'our own write is on its way' };

export class OwnWrites {
  /** By key, the resourceVersion that our last write replaced. */
  readonly #replaced = new Map<string, string>();

  /** Notes that a status was written over this version of an object. */
  wrote(object: KubernetesObject): void {
    if (object.metadata.resourceVersion) this.#replaced.set(keyOf(object), object.metadata.resourceVersion);
  }

  /** Whether this is the version that our last write has replaced. */
  isReplaced(object: KubernetesObject): boolean {
    const { resourceVersion } = object.metadata;
    return resourceVersion !== undefined && this.#replaced.get(keyOf(object)) === resourceVersion;
  }

  /** The object is gone. */
  forget(key: string): void {
    this.#replaced.delete(key);
  }
}
