/** Under which names Herald writes, and which fields of a status it answers for. */

/** The names under which Herald writes (server-side apply, `fieldManager`). */
export const fieldManagers = { operator: 'herald-operator', speaker: 'herald-speaker' } as const;
export type FieldManager = (typeof fieldManagers)[keyof typeof fieldManagers];

/** The part of an object's status, and the annotations, that only Herald writes. */
export interface StatusFields {
  /** Members of `status`, or all of it. */
  readonly status: 'all' | readonly string[];
  readonly annotations?: readonly string[];
}
