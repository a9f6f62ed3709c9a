/** The cluster as it will be once files were applied: what the API server makes of them, and what pruning takes away. */

import type { KindDefinition } from '../../../crds/definition.ts';
import type { KubernetesObject, Service } from '../../cluster/objects.ts';
import { keyOf } from '../../cluster/objects.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { checkObject, problemAt } from '../manifests/checked-object.ts';
import { CONFIG_LISTS, type ConfigKind, isConfigKind, kindOf } from '../manifests/known-kinds.ts';
import { type FieldPath, isRecord, type Manifest, type ManifestProblem } from '../manifests/manifest.ts';
import { appliedMeta } from './applied.ts';
import { changedFields } from './changed-fields.ts';
import { storedService } from './stored-service.ts';

/** What happens to one object. */
export interface ObjectChange {
  readonly action: 'Create' | 'Change' | 'Delete' | 'Keep';
  readonly kind: string;
  /** `namespace/name` */
  readonly key: string;
  /** Fields that differ, for instance `spec.addresses`. */
  readonly fields: readonly string[];
}

export interface ChangedCluster {
  readonly snapshot: ClusterSnapshot;
  readonly changes: readonly ObjectChange[];
  /** Manifests that the API server would refuse, and what it would not mind but people should know. */
  readonly problems: readonly ManifestProblem[];
}

export interface Change {
  readonly manifests: readonly Manifest[];
  /** Of objects that name none. */
  readonly namespace: string;
  /** Whether an object of the configuration that stands in no file is deleted. */
  readonly isPruned: (object: KubernetesObject) => boolean;
}

/** The lists of a snapshot that files may change. */
type ListName = (typeof CONFIG_LISTS)[ConfigKind] | 'services' | 'namespaces';

/** Of Kubernetes' own kinds, those that decide who gets which address. */
function coreListOf({ apiVersion, kind }: Manifest): ListName | undefined {
  if (apiVersion !== 'v1') return undefined;
  return kind === 'Service' ? 'services' : kind === 'Namespace' ? 'namespaces' : undefined;
}

type Content = Readonly<Record<string, unknown>>;

/** The API server counts generations of the spec, and leaves the status alone. */
function updated(live: KubernetesObject, next: KubernetesObject, fields: readonly string[]): KubernetesObject {
  const isNewSpec = fields.some((field) => field.startsWith('spec.'));
  const generation = (live.metadata.generation ?? 0) + (isNewSpec ? 1 : 0);
  return { ...live, ...next, metadata: { ...next.metadata, generation } };
}

export function changedCluster(snapshot: ClusterSnapshot, change: Change): ChangedCluster {
  const cluster = new Draft(snapshot);
  for (const manifest of change.manifests) cluster.apply(manifest, change.namespace);
  cluster.prune(change.isPruned);
  return { snapshot: cluster.snapshot(), changes: cluster.changes, problems: cluster.problems };
}

/** A snapshot while it is being changed. */
class Draft {
  readonly #before: ClusterSnapshot;
  readonly #lists = new Map<ListName, Map<string, KubernetesObject>>();
  /** `Kind namespace/name` of every manifest, and where it stands. */
  readonly #seen = new Map<string, Manifest>();
  readonly changes: ObjectChange[] = [];
  readonly problems: ManifestProblem[] = [];

  constructor(before: ClusterSnapshot) {
    this.#before = before;
  }

  apply(manifest: Manifest, fallback: string): void {
    const kind = kindOf(manifest);
    if (kind && 'severity' in kind) {
      this.#complain(manifest, [kind.field], kind.message);
      return;
    }
    const list = isConfigKind(manifest.kind) ? CONFIG_LISTS[manifest.kind] : coreListOf(manifest);
    if (!list) return;
    const key = list === 'namespaces' ? manifest.name : `${manifest.namespace ?? fallback}/${manifest.name}`;
    if (this.#isTwin(manifest, key)) return;
    const content = kind ? this.#checked(manifest, kind, this.#listed(list).get(key)) : this.#core(manifest);
    if (content) this.#put(list, manifest, key, content);
  }

  #checked(manifest: Manifest, kind: KindDefinition, live: KubernetesObject | undefined): Content | undefined {
    const { content, problems } = checkObject(manifest, kind, live as Content | undefined);
    this.problems.push(...problems);
    return content && { ...content, spec: content['spec'] ?? {} };
  }

  #isTwin(manifest: Manifest, key: string): boolean {
    const id = `${manifest.kind} ${key}`;
    const twin = this.#seen.get(id);
    if (!twin) {
      this.#seen.set(id, manifest);
      return false;
    }
    const { file, line } = twin.placeOf([]);
    this.#complain(manifest, [], `is written twice, also in ${file}:${line}`);
    return true;
  }

  /** Of what is not ours the API server knows the schema; here it only has to be readable. */
  #core(manifest: Manifest): Content | undefined {
    if (manifest.name === '') this.#complain(manifest, ['metadata', 'name'], 'is missing');
    else if (manifest.kind === 'Service' && !isRecord(manifest.content['spec']))
      this.#complain(manifest, ['spec'], 'is missing');
    else {
      const { status: _others, ...written } = manifest.content;
      return written;
    }
    return undefined;
  }

  #put(list: ListName, manifest: Manifest, key: string, content: Content): void {
    const live = this.#listed(list).get(key);
    const { kind } = manifest;
    const metadata = appliedMeta(live?.metadata, manifest, key, this.#before.takenAt);
    const object = { ...content, metadata } as unknown as KubernetesObject;
    const next = list === 'services' ? storedService(object as Service, live as Service, this.#before) : object;
    if (!live) {
      this.changes.push({ action: 'Create', kind, key, fields: [] });
      this.#listed(list).set(key, { ...next, metadata: { ...next.metadata, generation: 1 } });
      return;
    }
    const fields = changedFields(live, next);
    this.changes.push({ action: fields.length > 0 ? 'Change' : 'Keep', kind, key, fields });
    // An object that stays as it is stays the same object, so that nothing is decided anew because of it.
    if (fields.length > 0) this.#listed(list).set(key, updated(live, next, fields));
  }

  prune(isPruned: Change['isPruned']): void {
    for (const [kind, list] of Object.entries(CONFIG_LISTS))
      for (const [key, object] of [...this.#listed(list)]) {
        if (this.#seen.has(`${kind} ${key}`) || !isPruned(object)) continue;
        this.#listed(list).delete(key);
        this.changes.push({ action: 'Delete', kind, key, fields: [] });
      }
  }

  snapshot(): ClusterSnapshot {
    const lists = [...this.#lists].map(([name, objects]) => [name, [...objects.values()]]);
    return { ...this.#before, ...Object.fromEntries(lists) };
  }

  #complain(manifest: Manifest, path: FieldPath, message: string): void {
    this.problems.push(problemAt(manifest, path, message));
  }

  #listed(list: ListName): Map<string, KubernetesObject> {
    const known = this.#lists.get(list);
    if (known) return known;
    const objects: readonly KubernetesObject[] = this.#before[list];
    const listed = new Map(objects.map((object) => [keyOf(object), object]));
    this.#lists.set(list, listed);
    return listed;
  }
}
