/**
 * Every file of cdk8s/dist: the definitions, and two ways to install.
 *
 *  crds      the definitions alone, for who keeps them apart from the installation, and for drop-in
 *  default   everything, definitions included, in a namespace of its own, herald-system
 *  drop-in   in the namespace metallb-system, which must exist, as must the definitions of `crds`: with MetalLB's alone
 *            there is no PoolSet. Removing the installation removes neither the namespace nor anybody's objects
 *  kernel-responder   a kustomize component for either: ARP and NDP are answered in the kernel where it allows it
 *  charts    two Helm charts around the same manifests, the definitions apart
 *  argocd    what teaches Argo CD the health of our objects
 */
import { App, type Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { argoCdConfigMap } from './argocd.ts';
import { CrdsChart } from './crds-chart.ts';
import { crdsChart, heraldChart, RELEASE_NAMESPACE } from './helm/charts.ts';
import { kernelResponder } from './kernel-responder.ts';
import { NamespaceChart } from './namespace-chart.ts';
import { OperatorChart } from './operator-chart.ts';
import type { Installation } from './product.ts';
import { RbacChart } from './rbac-chart.ts';
import { SpeakerChart } from './speaker-chart.ts';

export const installations: Readonly<Record<string, Installation>> = {
  default: { namespace: 'herald-system', createsNamespace: true },
  'drop-in': { namespace: 'metallb-system', createsNamespace: false },
};

const HEADER = '# Made by `make synth` from cdk8s/ and crds/. Do not edit.\n';

type ChartClass = new (scope: Construct, id: string, installation: Installation) => Chart;

/** The text of every file, by its path below cdk8s/dist. */
export function manifests(): ReadonlyMap<string, string> {
  const app = new App();
  const files = new Map<string, string>();
  const folder = (name: string, contents: ReadonlyMap<string, readonly unknown[]>, bases: readonly string[] = []) => {
    for (const [file, objects] of contents) files.set(`${name}/${file}`, asYaml(objects));
    files.set(`${name}/kustomization.yaml`, asYaml([kustomization([...bases, ...contents.keys()])]));
  };
  const chart = (name: string, contents: ReadonlyMap<string, string>) => {
    for (const [file, text] of contents) files.set(`charts/${name}/${file}`, text);
  };

  const definitions = new CrdsChart(app, 'crds').toJson();
  folder('crds', new Map([['crds.yaml', definitions]]));
  for (const [name, installation] of Object.entries(installations)) {
    folder(name, objectsOf(app, name, installation), installation.createsNamespace ? ['../crds'] : []);
  }
  files.set(`kernel-responder/${kernelResponder.file}`, asYaml([kernelResponder.patch]));
  files.set('kernel-responder/kustomization.yaml', asYaml([kernelResponder.kustomization]));
  const release = { namespace: RELEASE_NAMESPACE, createsNamespace: false };
  chart('herald', heraldChart(objectsOf(app, 'release', release)));
  chart('herald-crds', crdsChart(definitions));
  folder('argocd', new Map([['argocd-cm.yaml', [argoCdConfigMap()]]]));
  return files;
}

/** The objects of an installation, by the name of their file. */
function objectsOf(app: App, name: string, installation: Installation): ReadonlyMap<string, readonly unknown[]> {
  return new Map(
    chartsOf(installation).map(([file, Charts]) => [file, new Charts(app, `${name}-${file}`, installation).toJson()]),
  );
}

function chartsOf({ createsNamespace }: Installation): readonly (readonly [file: string, Charts: ChartClass])[] {
  return [
    ...(createsNamespace ? ([['namespace.yaml', NamespaceChart]] as const) : []),
    ['rbac.yaml', RbacChart],
    ['operator.yaml', OperatorChart],
    ['speaker.yaml', SpeakerChart],
  ];
}

const kustomization = (resources: readonly string[]) => ({
  apiVersion: 'kustomize.config.k8s.io/v1beta1',
  kind: 'Kustomization',
  resources,
});

function asYaml(objects: readonly unknown[]): string {
  const documents = objects.map((object) => stringify(object, { lineWidth: 0, aliasDuplicateObjects: false }));
  return HEADER + documents.join('---\n');
}
