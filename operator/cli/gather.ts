/** Takes a snapshot of everything that Herald decides from and reports: of a cluster, or of an export of one. */

import type { ApiConnection } from '../cluster/api-connection.ts';
import { ApiError, isNotFound } from '../cluster/api-error.ts';
import { listAll } from '../cluster/list.ts';
import type { KubernetesObject } from '../cluster/objects.ts';
import { apiVersionOf, type Resource } from '../cluster/resource.ts';
import type { Values } from './arguments.ts';
import { CommandError, type CommandIo, type clusterOptions } from './command.ts';
import { type Installation, installationOf } from './installation.ts';
import { type ClusterObjects, snapshotKinds } from './kinds.ts';
import { type Manifest, problemLine, readManifests } from './manifests/manifest.ts';

/** A cluster at one moment; nothing in it changes. */
export interface ClusterSnapshot extends ClusterObjects {
  readonly installation: Installation;
  /** When it was taken. */
  readonly takenAt: Date;
  /** Kinds that could not be read, and why: a sentence without a full stop. Kinds that are not installed are just empty. */
  readonly unread: ReadonlyMap<keyof ClusterObjects, string>;
}

type Name = keyof ClusterObjects;
const NAMES = Object.keys(snapshotKinds) as readonly Name[];
const resourceOf = (name: Name): Resource<KubernetesObject> =>
  snapshotKinds[name] as unknown as Resource<KubernetesObject>;

/** The cluster, or the export, that the options of a command choose. @throws {CommandError} */
export async function gather(io: CommandIo, values: Values<typeof clusterOptions>): Promise<ClusterSnapshot> {
  if (values.from !== undefined) return snapshotOfFile(io, values.from, values['herald-namespace']);
  const connection = await io.connect(values);
  try {
    return await gatherFrom(connection, io.now(), values['herald-namespace']);
  } finally {
    connection.close();
  }
}

/** Tells people which kinds the answer had to do without. */
export function warnOfUnread(io: CommandIo, { unread }: ClusterSnapshot): void {
  for (const [name, why] of unread) io.stderr(`herald: the answer does without ${name}: ${why}\n`);
}

/** Lists every kind at once. @throws {CommandError} when the API server cannot be reached */
export async function gatherFrom(
  connection: ApiConnection,
  takenAt: Date,
  heraldNamespace?: string,
): Promise<ClusterSnapshot> {
  const unread = new Map<Name, string>();
  const lists = await Promise.all(
    NAMES.map(async (name): Promise<[Name, readonly KubernetesObject[]]> => {
      const resource = resourceOf(name);
      try {
        const { objects } = await listAll(connection, resource);
        return [name, objects.map((object) => typed(object, resource))];
      } catch (error) {
        if (isNotFound(error)) return [name, []];
        unread.set(name, refusalOf(error));
        return [name, []];
      }
    }),
  );
  return snapshotOf(Object.fromEntries(lists) as unknown as ClusterObjects, { takenAt, heraldNamespace, unread });
}

/** An answer that refuses one kind is told and the others go on; without any answer there is nothing to look at. */
function refusalOf(error: unknown): string {
  if (error instanceof ApiError && error.status > 0) return error.message;
  if (error instanceof ApiError) throw new CommandError(`the API server cannot be reached: ${error.message}`);
  throw error;
}

function snapshotOfFile(io: CommandIo, path: string, heraldNamespace: string | undefined): ClusterSnapshot {
  const name = path === '-' ? 'standard input' : path;
  const { manifests, problems } = readManifests([{ name, text: io.readFile(path) }]);
  const [problem] = problems;
  if (problem) throw new CommandError(problemLine(problem));
  return snapshotOfManifests(manifests, io.now(), heraldNamespace);
}

/** The snapshot that the objects of an export make; kinds that no command looks at are left out. */
export function snapshotOfManifests(
  manifests: readonly Manifest[],
  takenAt: Date,
  heraldNamespace?: string,
): ClusterSnapshot {
  const lists = NAMES.map((name): [Name, readonly KubernetesObject[]] => {
    const resource = resourceOf(name);
    const ours = manifests.filter((manifest) => isOf(resource, manifest) && manifest.name !== '');
    return [
      name,
      ours
        .map(objectOf)
        .filter((object) => isAskedFor(name, object))
        .map((object) => typed(object, resource)),
    ];
  });
  return snapshotOf(Object.fromEntries(lists) as unknown as ClusterObjects, { takenAt, heraldNamespace });
}

/** What stands in an export came from an API server: its shape was checked there. */
const objectOf = ({ content }: Manifest): KubernetesObject => content as unknown as KubernetesObject;

function snapshotOf(
  objects: ClusterObjects,
  more: { takenAt: Date; heraldNamespace?: string | undefined; unread?: ReadonlyMap<Name, string> },
): ClusterSnapshot {
  const { takenAt, heraldNamespace, unread = new Map() } = more;
  return { ...objects, installation: installationOf(objects, heraldNamespace), takenAt, unread };
}

/** Items of a list come without kind; what nobody reads is dropped, as the informers do. */
function typed(object: KubernetesObject, resource: Resource<KubernetesObject>): KubernetesObject {
  const trimmed = resource.trim ? resource.trim(object) : object;
  // Who wrote which field stays: an apply keeps what others wrote.
  return { ...trimmed, metadata: object.metadata, apiVersion: apiVersionOf(resource), kind: resource.kind };
}

const isOf = ({ group, kind }: Resource<KubernetesObject>, manifest: Manifest): boolean =>
  manifest.kind === kind && groupOf(manifest.apiVersion) === group;
const groupOf = (apiVersion: string): string => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '');

/** What the API server chooses by a field selector, an export must be searched for. */
function isAskedFor(name: Name, object: KubernetesObject): boolean {
  if (name !== 'services') return true;
  return (object as { readonly spec?: { readonly type?: string } }).spec?.type === 'LoadBalancer';
}
