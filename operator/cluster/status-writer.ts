/**
 * Writes status by server-side apply: only when it differs, only what is ours, and so that nothing of a former owner
 * survives. What another manager wrote is taken by force; what shall not stay is emptied by saying so, because a field
 * that is merely left out lives on for as long as anybody else owns it.
 */

import type { ApiConnection } from './api-connection.ts';
import { ConflictError, isNotFound } from './api-error.ts';
import type { FieldManager, StatusFields } from './field-managers.ts';
import type { LeaderTerm } from './leader-term.ts';
import type { Condition, KubernetesObject } from './objects.ts';
import { applyRequest, write } from './requests.ts';
import { objectPath, type ResourceAddress } from './resource.ts';

/** What the status shall be. */
export interface StatusChange<S> {
  /** All that is ours of it: what is missing here and was ours is removed. */
  readonly status: S;
  /** The annotations of `Resource.statusFields`; one that is missing here is removed. */
  readonly annotations?: Readonly<Record<string, string | undefined>>;
}

/** What a writer tells about its writes. */
export interface StatusWriterMetrics {
  statusWritten(plural: string, result: 'Written' | 'Unchanged' | 'Conflict' | 'Failed'): void;
}

export interface StatusWriterOptions {
  readonly fieldManager: FieldManager;
  readonly metrics?: StatusWriterMetrics;
  /** Kinds, by plural name, whose definition cannot take what we would write: nothing is written there. */
  readonly leavesOut?: (plural: string) => Promise<boolean>;
}

type Plain = { readonly [member: string]: unknown };

const WHOLE_STATUS: StatusFields = { status: 'all' };
/** Conditions of this prefix are ours on kinds whose status is not ours as a whole. */
const OUR_CONDITIONS = 'heraldlb.io/';

export class StatusWriter {
  readonly #connection: ApiConnection;
  readonly #fieldManager: FieldManager;
  readonly #metrics: StatusWriterMetrics | undefined;
  readonly #leavesOut: ((plural: string) => Promise<boolean>) | undefined;

  constructor(connection: ApiConnection, { fieldManager, metrics, leavesOut }: StatusWriterOptions) {
    this.#leavesOut = leavesOut;
    this.#connection = connection;
    this.#fieldManager = fieldManager;
    this.#metrics = metrics;
  }

  /**
   * Brings the status of `object` to what `change` says, if it is not that already.
   *
   * @param object as it was when the change was decided: its resourceVersion is part of the request
   * @throws {ConflictError} when it changed or went meanwhile: decide again
   * @throws {LeadershipLostError} when `term` does not allow the write any more
   * @throws {ApiError}
   */
  async apply<S extends object>(
    object: KubernetesObject,
    resource: ResourceAddress,
    change: StatusChange<S>,
    term?: LeaderTerm,
  ): Promise<'Written' | 'Unchanged'> {
    try {
      if (await this.#leavesOut?.(resource.plural)) return 'Unchanged';
      const result = await this.#apply(object, resource, change, term);
      this.#metrics?.statusWritten(resource.plural, result);
      return result;
    } catch (error) {
      this.#metrics?.statusWritten(resource.plural, error instanceof ConflictError ? 'Conflict' : 'Failed');
      throw isNotFound(error) ? new ConflictError(`${resource.kind} is gone`, { cause: error }) : error;
    }
  }

  async #apply<S extends object>(
    object: KubernetesObject,
    resource: ResourceAddress,
    change: StatusChange<S>,
    term: LeaderTerm | undefined,
  ): Promise<'Written' | 'Unchanged'> {
    const fields = resource.statusFields ?? WHOLE_STATUS;
    const status = statusOf(object);
    if (isSame(ourPart(status, fields), change.status) && !hasOtherAnnotations(object, fields, change)) {
      return 'Unchanged';
    }
    const { name, namespace, uid, resourceVersion } = object.metadata;
    const applied: KubernetesObject & { readonly status: unknown } = {
      metadata: {
        name,
        ...(namespace && { namespace }),
        // With its uid an apply never creates: an object that is gone is a conflict.
        ...(uid && { uid }),
        ...(resourceVersion && { resourceVersion }),
        ...(fields.annotations && { annotations: defined(change.annotations ?? {}) }),
      },
      status: withEmptyLists(change.status as Plain, ourPart(status, fields)),
    };
    const request = applyRequest(resource, applied, this.#fieldManager, 'status');
    const after = await write<KubernetesObject>(this.#connection, request, term);
    await this.#removeAnnotations(after, resource, change, term);
    return after.metadata.resourceVersion === object.metadata.resourceVersion ? 'Unchanged' : 'Written';
  }

  /** Removes what is left of our annotations: an apply that leaves one out does not, while another manager owns it too. */
  async #removeAnnotations<S>(
    { metadata }: KubernetesObject,
    resource: ResourceAddress,
    { annotations = {} }: StatusChange<S>,
    term: LeaderTerm | undefined,
  ): Promise<void> {
    const left = (resource.statusFields?.annotations ?? []).filter(
      (name) => metadata.annotations?.[name] !== undefined && annotations[name] === undefined,
    );
    if (left.length === 0) return;
    const request = {
      method: 'PATCH',
      path: objectPath(resource, metadata, 'status'),
      query: { fieldManager: this.#fieldManager },
      contentType: 'application/merge-patch+json',
      body: {
        metadata: {
          resourceVersion: metadata.resourceVersion,
          annotations: Object.fromEntries(left.map((name) => [name, null])),
        },
      },
    } as const;
    await write(this.#connection, request, term);
  }
}

const statusOf = (object: KubernetesObject): Plain => ('status' in object ? ((object.status ?? {}) as Plain) : {});

/** The part of a status that we answer for. */
function ourPart(status: Plain, { status: members }: StatusFields): Plain {
  if (members === 'all') return status;
  const conditions = ((status['conditions'] ?? []) as readonly Condition[]).filter(({ type }) =>
    type.startsWith(OUR_CONDITIONS),
  );
  return { ...Object.fromEntries(members.map((member) => [member, status[member]])), conditions };
}

function hasOtherAnnotations<S>(
  { metadata }: KubernetesObject,
  fields: StatusFields,
  { annotations = {} }: StatusChange<S>,
): boolean {
  return (fields.annotations ?? []).some((name) => metadata.annotations?.[name] !== annotations[name]);
}

/** Whether two statuses say the same: an empty list or object is as good as a missing one, conditions have no order. */
export function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  if (Array.isArray(a)) return Array.isArray(b) && areSameLists(a, b);
  if (Array.isArray(b) || !isPlain(a) || !isPlain(b)) return false;
  return (
    Object.keys(a).every((name) => isSame(a[name], b[name])) &&
    Object.keys(b).every((name) => Object.hasOwn(a, name) || isNothing(b[name]))
  );
}

function areSameLists(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  const others = inOrder(b);
  return inOrder(a).every((item, at) => isSame(item, others[at]));
}

const inOrder = (items: readonly unknown[]): readonly unknown[] =>
  items.length > 1 && items.every(isCondition) ? items.toSorted(byType) : items;

/** What is as good as missing. */
function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (Array.isArray(value)) return value.length === 0;
  return typeof value === 'object' && Object.values(value).every(isNothing);
}

const isCondition = (item: unknown): item is Condition =>
  typeof item === 'object' && item !== null && 'type' in item && 'lastTransitionTime' in item;
const byType = (a: Condition, b: Condition): number => (a.type < b.type ? -1 : 1);

/** Says `[]` where a list was and shall not be: what is merely missing would stay if somebody else owned it too. */
function withEmptyLists(next: Plain, current: Plain): Plain {
  const result: Record<string, unknown> = defined(next);
  for (const [name, was] of Object.entries(current)) {
    if (Array.isArray(was)) result[name] ??= [];
    else if (isPlain(was)) {
      const inner = withEmptyLists(isPlain(result[name]) ? result[name] : {}, was);
      if (Object.keys(inner).length > 0) result[name] = inner;
    }
  }
  return result;
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const defined = <V>(members: Readonly<Record<string, V | undefined>>): Record<string, V> =>
  Object.fromEntries(Object.entries(members).filter((entry): entry is [string, V] => entry[1] !== undefined));
