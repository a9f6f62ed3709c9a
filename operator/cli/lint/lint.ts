/** Judges manifests alone and beside each other, by the schemas of the definitions and the operator's own resolution. */

import type { KubernetesObject } from '../../cluster/objects.ts';
import { type ConfigObjects, resolveConfig } from '../../config/resolve-config.ts';
import { NO_SURROUNDINGS } from '../../config/surroundings.ts';
import { objectRef, type Verdict } from '../../config/verdict.ts';
import { checkObject, problemAt } from '../manifests/checked-object.ts';
import { CONFIG_LISTS, type ConfigKind, kindOf } from '../manifests/known-kinds.ts';
import type { FieldPath, Manifest, ManifestProblem, ReadManifests } from '../manifests/manifest.ts';

export interface LintScope {
  readonly ownNamespace: string;
  readonly configNamespaces: readonly string[];
  /** Of objects that name none. */
  readonly namespace: string;
}

export interface LintResult {
  /** By file and line. */
  readonly problems: readonly ManifestProblem[];
  /** How many objects of the configuration were looked at. */
  readonly objects: number;
  readonly errors: number;
  readonly warnings: number;
}

type Lists = { [List in (typeof CONFIG_LISTS)[ConfigKind]]: KubernetesObject[] };

/** An object that stands for itself. */
interface Sound {
  readonly manifest: Manifest;
  readonly object: KubernetesObject;
}

export function lintOf({ manifests, problems: unreadable }: ReadManifests, scope: LintScope): LintResult {
  const problems: ManifestProblem[] = [...unreadable];
  const sound = new Map<string, Sound>();
  let objects = 0;
  for (const manifest of manifests) {
    const kind = kindOf(manifest);
    if (!kind) continue;
    objects += 1;
    if ('severity' in kind) {
      problems.push(problemAt(manifest, [kind.field], kind.message, kind.severity));
      continue;
    }
    const { content, problems: own } = checkObject(manifest, kind);
    problems.push(...own);
    if (content) problems.push(...admit(manifest, content, scope, sound));
  }
  problems.push(...crossProblems(sound, scope));
  return { problems: problems.toSorted(byPlace), objects, ...countsOf(problems) };
}

/** Takes an object in, unless it was there already. */
function admit(
  manifest: Manifest,
  content: Readonly<Record<string, unknown>>,
  { namespace: fallback }: LintScope,
  sound: Map<string, Sound>,
): readonly ManifestProblem[] {
  const { kind, name, namespace = fallback } = manifest;
  const ref = objectRef(kind, { namespace, name });
  const twin = sound.get(ref);
  if (twin) {
    const { file, line } = twin.manifest.placeOf([]);
    return [problemAt(manifest, [], `is written twice, also in ${file}:${line}`)];
  }
  const metadata = { ...(content['metadata'] as object), name, namespace };
  const object = { ...content, metadata, spec: content['spec'] ?? {} } as unknown as KubernetesObject;
  sound.set(ref, { manifest, object });
  return [];
}

/** What the operator would say of the objects beside each other. */
function crossProblems(sound: ReadonlyMap<string, Sound>, scope: LintScope): readonly ManifestProblem[] {
  const lists = Object.fromEntries(Object.values(CONFIG_LISTS).map((list) => [list, []])) as unknown as Lists;
  for (const { object } of sound.values()) lists[CONFIG_LISTS[object.kind as ConfigKind]].push(object);
  const { verdicts } = resolveConfig({
    ...(lists as unknown as Pick<ConfigObjects, keyof Lists>),
    ownNamespace: scope.ownNamespace,
    configNamespaces: scope.configNamespaces,
    inForce: [],
    heldAddresses: [],
    namespaces: [],
    surroundings: NO_SURROUNDINGS,
  });
  return [...sound].flatMap(([ref, { manifest }]) => verdictProblems(manifest, verdicts.get(ref)));
}

/** Not for whoever wrote the file to mend: this version does not act upon the kind. */
const NOT_THEIRS = new Set(['BackendMissing']);

function verdictProblems(manifest: Manifest, verdict: Verdict | undefined): readonly ManifestProblem[] {
  return (verdict?.conditions ?? []).flatMap(({ type, status, reason, message }) => {
    if (NOT_THEIRS.has(reason)) return [];
    const text = `${reason}: ${message}`;
    if (type === 'Accepted' && status === 'False') return [problemAt(manifest, placeOf(reason), text)];
    // What is named may stand in another repository, and a conflict leaves both in force.
    const isWarning = (type === 'ResolvedRefs' && status === 'False') || (type === 'Conflicting' && status === 'True');
    return isWarning ? [problemAt(manifest, placeOf(reason), text, 'Warning')] : [];
  });
}

/** The field that a reason speaks of, as far as it is always the same. */
function placeOf(reason: string): FieldPath {
  if (reason === 'NamespaceNotWatched' || reason === 'Shadowed') return ['metadata', 'namespace'];
  const field = FIELDS[reason];
  return field ? ['spec', field] : ['spec'];
}

const FIELDS: Readonly<Record<string, string>> = {
  OverlapsPool: 'addresses',
  InvalidAddressRange: 'addresses',
  OverlapsReservation: 'addresses',
  AddressNotInPool: 'addresses',
  ShareExceedsPool: 'share',
  DuplicateQuota: 'limits',
  ExcludesNothing: 'exclude',
};

const countsOf = (problems: readonly ManifestProblem[]): Pick<LintResult, 'errors' | 'warnings'> => ({
  errors: problems.filter(({ severity }) => severity === 'Error').length,
  warnings: problems.filter(({ severity }) => severity === 'Warning').length,
});

function byPlace(a: ManifestProblem, b: ManifestProblem): number {
  if (a.file !== b.file) return a.file < b.file ? -1 : 1;
  return a.line - b.line;
}
