/**
 * Every field of every kind on a real API server: each sample that must be taken is taken, each that must be refused
 * is refused by the name of its field, and every field is described where `kubectl explain` looks. All are dry runs
 * but one object of each kind with a status, for samples of its status.
 *
 * HERALD_CACHE=DIRECTORY takes the API server from DIRECTORY/run/kubeconfig instead of the lab's.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import type { KindDefinition } from '../../crds/definition.ts';
import { kinds } from '../../crds/kinds.ts';
import { ABSENT, type FieldSamples, type KindSamples, placeOf, sampleObject } from '../../crds/samples/field.ts';
import { samples } from '../../crds/samples/samples.ts';
import { spec } from '../../testing/spec.ts';
import { places, repository } from '../cluster/places.ts';
import { collection, KubeApi, KubeApiError, type KubeObject } from '../lib/kube-api.ts';
import { waitFor } from '../lib/wait-for.ts';

const NAME = 'sample';
const NAMESPACE = 'e2e-crd-samples';
const api = new KubeApi(places.kubeconfig, { maxSockets: 8 });

const apiVersionOf = ({ group, version }: KindDefinition) => `${group}/${version}`;
const pathOf = (kind: KindDefinition) => `/apis/${apiVersionOf(kind)}/namespaces/${NAMESPACE}/${kind.plural}`;

/** An object of the kind in the namespace of the scenario. */
function manifest(kind: KindDefinition, fields: object, name: string): KubeObject {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { name, namespace: NAMESPACE }, ...fields };
}

/** Sends one sample as a dry run. Returns what the API server says against it, or undefined. */
async function refusalOf(sample: KindSamples, row: FieldSamples, value: unknown): Promise<string | undefined> {
  const { kind } = sample;
  const object = sampleObject(sample, row, value);
  const isStatus = row.path.startsWith('status') && kind.subresources.includes('status');
  try {
    if (isStatus) await api.patch(`${pathOf(kind)}/${NAME}/status?dryRun=All`, { status: object['status'] });
    else await api.createAt(`${pathOf(kind)}?dryRun=All`, manifest(kind, object, 'dry'));
    return undefined;
  } catch (error) {
    if (error instanceof KubeApiError && error.status === 422) return error.message;
    throw error;
  }
}

const shown = (value: unknown) => (value === ABSENT ? 'no value' : `${JSON.stringify(value)}`.slice(0, 60));

/** Every sample of a kind that the API server does not judge as the table says. */
async function misjudged(sample: KindSamples): Promise<string[]> {
  const judge = async (row: FieldSamples, value: unknown, isTaken: boolean) => {
    const said = await refusalOf(sample, row, value);
    if (isTaken) return said === undefined ? [] : [`${row.path}: refuses ${shown(value)}: ${said}`];
    if (said === undefined) return [`${row.path}: takes ${shown(value)}`];
    return said.includes(`${placeOf(row.path)}: `)
      ? []
      : [`${row.path}: ${shown(value)} is refused elsewhere: ${said}`];
  };
  const verdicts = sample.fields.flatMap((row) => [
    ...row.takes.map((value) => judge(row, value, true)),
    ...row.refuses.map((value) => judge(row, value, false)),
  ]);
  return (await Promise.all(verdicts)).flat();
}

interface Schema {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly additionalProperties?: Schema | boolean;
  readonly $ref?: string;
  readonly allOf?: readonly Schema[];
}

/** The paths of the fields without a description; what is written elsewhere ($ref) is Kubernetes' own. */
function undescribed(schema: Schema, path: string): string[] {
  if (schema.$ref || schema.allOf) return [];
  const here = schema.description ? [] : [path];
  const below = Object.entries(schema.properties ?? {}).flatMap(([name, child]) =>
    undescribed(child, `${path}.${name}`),
  );
  const { items, additionalProperties: values } = schema;
  return [
    ...here,
    ...below,
    ...(items ? undescribed(items, `${path}[]`) : []),
    ...(typeof values === 'object' ? undescribed(values, `${path}{}`) : []),
  ];
}

/** What the API server publishes of a kind; `kubectl explain` reads the same. */
async function schemaOf(kind: KindDefinition): Promise<Schema> {
  interface Document {
    components: { schemas: Record<string, Schema & { 'x-kubernetes-group-version-kind'?: { kind: string }[] }> };
  }
  const { components } = await api.get<Document>(`/openapi/v3/apis/${apiVersionOf(kind)}`);
  const isOf = (one: { kind: string }) => one.kind === kind.kind;
  const found = Object.values(components.schemas).find((schema) =>
    schema['x-kubernetes-group-version-kind']?.some(isOf),
  );
  assert.ok(found, `no schema of ${kind.kind} is published`);
  return found ?? {};
}

/** The committed definitions, as `kubectl apply --server-side` puts them there, and served. */
async function applyDefinitions(): Promise<void> {
  const path = collection('apiextensions.k8s.io/v1', 'CustomResourceDefinition');
  const text = readFileSync(join(repository, 'cdk8s/dist/crds/crds.yaml'), 'utf8');
  for (const definition of parseAllDocuments(text).map((document) => document.toJS() as KubeObject)) {
    // By kubectl's name, so that the next `kubectl apply` still removes what a definition no longer has.
    await api.applyAt(`${path}/${definition.metadata.name}?fieldManager=kubectl&force=true`, definition);
  }
  const served = async () => (await Promise.all(kinds.map((kind) => api.find(pathOf(kind))))).every(Boolean);
  await waitFor('every kind is served', { withinMs: 60_000, everyMs: 250 }, served);
}

async function removeNamespace(): Promise<void> {
  const path = `${collection('v1', 'Namespace')}/${NAMESPACE}`;
  await api.delete(path);
  const isGone = async () => (await api.find(path)) === undefined;
  await waitFor('the namespace is gone', { withinMs: 60_000, everyMs: 250 }, isGone);
}

/** One object of each kind with a status. */
async function prepare(): Promise<void> {
  await applyDefinitions();
  await removeNamespace();
  await api.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  for (const { kind, base } of samples.filter(({ kind }) => kind.subresources.includes('status'))) {
    const { status: _status, ...fields } = base;
    await api.createAt(pathOf(kind), manifest(kind, fields, NAME));
  }
}

spec(
  'crd-samples',
  (test) => {
    test('the definitions are served', prepare);

    for (const sample of samples) {
      const count = sample.fields.flatMap(({ takes, refuses }) => [...takes, ...refuses]).length;
      test(`${sample.kind.kind}: ${count} samples of its fields are taken or refused as the table says`, async () => {
        assert.equal(await misjudged(sample), []);
      });
    }

    test('kubectl explain has a description for every field of every kind', async () => {
      const left = () => Promise.all(kinds.map(async (kind) => undescribed(await schemaOf(kind), kind.kind)));
      // The API server publishes a changed definition a moment after it accepted it.
      await waitFor(
        'all are described',
        { withinMs: 20_000, everyMs: 500 },
        left,
        (paths) => paths.flat().length === 0,
      );
    });

    test('and leaves nothing behind', removeNamespace);
  },
  { timeoutMs: 120_000 },
);
