/**
 * Two Helm charts around the manifests: `herald` and, apart from it, `herald-crds`, because Helm never upgrades what
 * stands in the folder `crds` of a chart. With default values they render what cdk8s/dist/default and crds hold, but
 * for Helm's own labels, and for the Namespace, which is Helm's to create.
 */
import { stringify } from 'yaml';
import { labelsOf, version } from '../product.ts';
import { asTemplate, block, inline, optional, scalar } from './template.ts';
import { type Defaults, defaultValues, type Values, values, valuesSchema } from './values.ts';

// biome-ignore lint/suspicious/noExplicitAny: manifests of every kind are changed here by path
type Manifest = any;

/** The manifests that a chart is made of, by the name of their file. */
export type ManifestFiles = ReadonlyMap<string, readonly Manifest[]>;

/** The namespace to render the manifests for: what the release's own namespace then stands in for. */
export const RELEASE_NAMESPACE = inline('.Release.Namespace');

const HEADER = '# Made by `make synth` from cdk8s/ and crds/. Do not edit.\n';
const yaml = (value: unknown): string => stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });
const documents = (objects: readonly unknown[]): string => HEADER + objects.map(yaml).join('---\n');

/** The files of the chart `herald`, by their path in it; `manifests` must be of RELEASE_NAMESPACE. */
export function heraldChart(manifests: ManifestFiles): ReadonlyMap<string, string> {
  const chart = chartFile('herald', 'Addresses for Services of type LoadBalancer, announced to the network');
  const templates = [...manifests].map(([file, objects]): [string, string] => [
    `templates/${file}`,
    asTemplate(documents(objects.map(withValues).map(withHelmLabels('herald')))),
  ]);
  return new Map([
    ['Chart.yaml', chart],
    ['values.yaml', valuesFile(defaultValues(defaultsOf([...manifests.values()].flat())))],
    ['values.schema.json', valuesSchema()],
    ['templates/NOTES.txt', NOTES],
    ...templates,
  ]);
}

/** The files of the chart `herald-crds`: uninstalling it leaves the definitions, and so every object, where they are. */
export function crdsChart(definitions: readonly Manifest[]): ReadonlyMap<string, string> {
  const kept = definitions.map(({ metadata, ...definition }) => ({
    ...definition,
    metadata: { ...metadata, annotations: { 'helm.sh/resource-policy': 'keep' } },
  }));
  const text = documents(
    kept.map(({ apiVersion, kind, metadata, ...rest }) => ({ apiVersion, kind, metadata, ...rest })),
  );
  if (text.includes('{{')) throw new Error('a definition holds {{, which Helm would take for an action');
  const templates = asTemplate(documents(kept.map(withHelmLabels('herald-crds'))));
  return new Map([
    ['Chart.yaml', chartFile('herald-crds', 'The definitions of metallb.io and heraldlb.io')],
    ['templates/crds.yaml', templates],
  ]);
}

const chartFile = (name: string, description: string): string =>
  HEADER + yaml({ apiVersion: 'v2', name, description, type: 'application', version, appVersion: version });

/** values.yaml with each description above its value. */
function valuesFile(defaults: Values): string {
  const about = (of: { description?: string | undefined } | undefined, indent: string): string =>
    of?.description ? `${indent}# ${of.description}\n` : '';
  const section = ([key, value]: [string, unknown]): string => {
    const schema = values.shape[key as keyof Values];
    const fields = 'shape' in schema ? (schema.shape as Record<string, { description?: string }>) : undefined;
    if (!fields) return about(schema, '') + yaml({ [key]: value });
    const lines = Object.entries(value as object).map(
      ([field, content]) => about(fields[field], '  ') + yaml({ [field]: content }).replace(/^(?=.)/gm, '  '),
    );
    return `${about(schema, '')}${key}:\n${lines.join('')}`;
  };
  return `${HEADER}${Object.entries(defaults).map(section).join('\n')}`;
}

const containerIn = (workload: Manifest): Manifest => workload.spec.template.spec.containers[0];
const roleOf = (workload: Manifest): string => containerIn(workload).name;

function defaultsOf(objects: readonly Manifest[]): Defaults {
  const [operator, speaker] = ['Deployment', 'DaemonSet'].map((kind) => objects.find((object) => object.kind === kind));
  const workload = (object: Manifest) => ({
    resources: containerIn(object).resources,
    tolerations: object.spec.template.spec.tolerations,
    nodeSelector: object.spec.template.spec.nodeSelector,
  });
  const { image, imagePullPolicy: pullPolicy } = containerIn(operator);
  const { replicas } = operator.spec;
  return { image, pullPolicy, replicas, operator: workload(operator), speaker: workload(speaker) };
}

/** A workload with the places of the values marked; any other object as it is. */
function withValues(object: Manifest): Manifest {
  if (object.kind !== 'Deployment' && object.kind !== 'DaemonSet') return object;
  const own = `.Values.${roleOf(object)}`;
  const { template, ...spec } = object.spec;
  const { containers, ...pod } = template.spec;
  const [container] = containers;
  const image = `${inline('.Values.image.repository')}:${inline('.Values.image.tag | default .Chart.AppVersion')}`;
  return {
    ...object,
    spec: {
      ...spec,
      ...('replicas' in spec ? { replicas: scalar(`${own}.replicas`) } : {}),
      template: {
        ...template,
        spec: {
          ...pod,
          imagePullSecrets: optional('.Values.imagePullSecrets'),
          nodeSelector: block(`${own}.nodeSelector`),
          tolerations: block(`${own}.tolerations`),
          containers: [
            {
              ...container,
              image,
              imagePullPolicy: scalar('.Values.image.pullPolicy'),
              args: optional(`${own}.args`),
              resources: block(`${own}.resources`),
            },
          ],
        },
      },
    },
  };
}

/** Only on the objects themselves: labels of pods are part of selectors or roll them out anew. */
const withHelmLabels =
  (chart: string) =>
  ({ apiVersion, kind, metadata, ...rest }: Manifest): Manifest => ({
    apiVersion,
    kind,
    metadata: {
      ...metadata,
      labels: {
        ...metadata.labels,
        'helm.sh/chart': `${chart}-${version}`,
        'app.kubernetes.io/managed-by': inline('.Release.Service'),
      },
    },
    ...rest,
  });

const NOTES = `Herald ${labelsOf('operator')['app.kubernetes.io/version']} runs in the namespace {{ .Release.Namespace }}.

It gives no address before there is an IPAddressPool, and announces none before there is an L2Advertisement:
see examples/l2. The definitions come with the chart herald-crds, which is upgraded first.
`;
