/** Reads manifests as kubectl does (YAML 1.1 or JSON, several documents, Lists), and remembers where each field stands. */

import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParseOptions,
  parseAllDocuments,
  type SchemaOptions,
  type Tags,
} from 'yaml';

/** A text that may hold manifests, and what to call it in messages. */
export interface ManifestText {
  readonly name: string;
  readonly text: string;
}

/** Where something stands. */
export interface Place {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** Which document of the file, from 1. */
  readonly document: number;
}

/** The way to a field: names, and indices of lists. */
export type FieldPath = readonly (string | number)[];

/** Something that is wrong with a manifest. */
export interface ManifestProblem extends Place {
  /** A warning does not hinder the API server. */
  readonly severity: 'Error' | 'Warning';
  /** `IPAddressPool herald-system/public`; absent where no object could be read. */
  readonly object?: string;
  /** `spec.addresses[0]`; absent where it is the whole object. */
  readonly field?: string;
  /** A clause that follows place, object and field. */
  readonly message: string;
}

/** One object of a file, as it is written there. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** Where the field stands, or the nearest thing around it that is there. */
  placeOf(path: FieldPath): Place;
}

export interface ReadManifests {
  readonly manifests: readonly Manifest[];
  readonly problems: readonly ManifestProblem[];
}

/** YAML 1.1 as Kubernetes reads it: `yes` is true and `<<` merges, but a time is a text and 12:30 is no number. */
const yamlOfKubernetes: ParseOptions & SchemaOptions & { customTags: (tags: Tags) => Tags } = {
  schema: 'yaml-1.1',
  merge: true,
  customTags: (tags) =>
    tags.filter((tag) => typeof tag === 'string' || (!tag.tag.endsWith(':timestamp') && !isOfTime(tag))),
};
const isOfTime = (tag: object): boolean => 'format' in tag && tag.format === 'TIME';

/** Groups whose objects concern us; a file that names none of them may be anything, a template for instance. */
const OUR_GROUPS = /\b(metallb|heraldlb)\.io\//;

export function readManifests(texts: readonly ManifestText[]): ReadManifests {
  const parts = texts.map(readText);
  return {
    manifests: parts.flatMap(({ manifests }) => manifests),
    problems: parts.flatMap(({ problems }) => problems),
  };
}

function readText({ name, text }: ManifestText): ReadManifests {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { ...yamlOfKubernetes, lineCounter: lines, prettyErrors: false });
  const manifests: Manifest[] = [];
  const problems: ManifestProblem[] = [];
  for (const [at, document] of [...documents].entries()) {
    const source: Source = { file: name, document: at + 1, root: document, lines };
    const [error] = document.errors;
    if (error) {
      const severity = OUR_GROUPS.test(text) ? 'Error' : 'Warning';
      const message = `is not YAML that can be read: ${error.message}`;
      problems.push({ ...placeAt(source, error.pos[0]), severity, message });
    } else collect(source, document.toJS({ maxAliasCount: 100 }), [], manifests, problems);
  }
  return { manifests, problems };
}

interface Source {
  readonly file: string;
  readonly document: number;
  readonly root: Document;
  readonly lines: LineCounter;
}

function collect(
  source: Source,
  content: unknown,
  prefix: FieldPath,
  manifests: Manifest[],
  problems: ManifestProblem[],
): void {
  if (content === null || content === undefined) return; // nothing between two `---`
  const placeOf = (path: FieldPath): Place => placeOfPath(source, [...prefix, ...path]);
  if (!isRecord(content)) {
    problems.push({ ...placeOf([]), severity: 'Warning', message: 'is no object of Kubernetes, and is left out' });
    return;
  }
  const { apiVersion, kind, items } = content;
  if (!Array.isArray(items) || typeof kind !== 'string' || !kind.endsWith('List')) {
    manifests.push(manifestOf(content, placeOf));
    return;
  }
  const itemKind = kind.slice(0, -'List'.length);
  for (const [at, item] of items.entries()) {
    // Items of a typed list come without their kind.
    const typed = itemKind && isRecord(item) ? { apiVersion, kind: itemKind, ...item } : item;
    collect(source, typed, [...prefix, 'items', at], manifests, problems);
  }
}

function manifestOf(content: Record<string, unknown>, placeOf: Manifest['placeOf']): Manifest {
  const { apiVersion, kind, metadata } = content;
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  return {
    apiVersion: textOf(apiVersion),
    kind: textOf(kind),
    name: textOf(name),
    ...(typeof namespace === 'string' && namespace !== '' && { namespace }),
    content,
    placeOf,
  };
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

const placeAt = ({ file, document, lines }: Source, offset: number): Place => ({
  file,
  line: Math.max(1, lines.linePos(offset).line),
  document,
});

function placeOfPath(source: Source, path: FieldPath): Place {
  let node: unknown = source.root.contents;
  let found = offsetOf(node) ?? source.root.range?.[0] ?? 0;
  for (const step of path) {
    const next = childOf(resolved(node, source.root), step);
    if (next === undefined) break;
    found = next.offset ?? found;
    node = next.node;
  }
  return placeAt(source, found);
}

/** A member of a map stands where its key stands. */
function childOf(node: unknown, step: string | number): { node: unknown; offset: number | undefined } | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return item === undefined ? undefined : { node: item, offset: offsetOf(item) };
  }
  if (!isMap(node)) return undefined;
  const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step));
  return pair && { node: pair.value, offset: offsetOf(pair.key) };
}

const resolved = (node: unknown, root: Document): unknown => (isAlias(node) ? node.resolve(root) : node);
const offsetOf = (node: unknown): number | undefined => (isNode(node) ? (node as Node).range?.[0] : undefined);

/** `IPAddressPool herald-system/public`. */
export const nameOf = ({ kind, namespace, name }: Pick<Manifest, 'kind' | 'namespace' | 'name'>): string =>
  `${kind || 'object'} ${namespace ? `${namespace}/` : ''}${name || '(without a name)'}`;

/** `spec.addresses[0]`. */
export const fieldOf = (path: FieldPath): string =>
  path.map((step, at) => (typeof step === 'number' ? `[${step}]` : at === 0 ? step : `.${step}`)).join('');

/** `pools.yaml:12: IPAddressPool herald-system/public: spec.autoAsign: is unknown`. */
export function problemLine({ file, line, object, field, message }: ManifestProblem): string {
  return `${file}:${line}: ${[object, field, message].filter((part) => part !== undefined && part !== '').join(': ')}`;
}
