/**
 * Every file of cdk8s/dist: the definitions, and two ways to install.
 *
 *  crds      the definitions alone, for who keeps them apart from the installation, and for drop-in
 *  default   everything, definitions included, in a namespace of its own, herald-system
 *  drop-in   in the namespace metallb-system, which must exist, as must the definitions of `crds`: with MetalLB's alone
 *            there is no PoolSet. Removing the installation removes neither the namespace nor anybody's objects
 */
import { App, type Chart } from 'cdk8s';
import type { Construct } from 'constructs';
import { stringify } from 'yaml';
import { CrdsChart } from './crds-chart.ts';
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
  const folder = (name: string, charts: ReadonlyMap<string, Chart>, bases: readonly string[] = []) => {
    for (const [file, chart] of charts) files.set(`${name}/${file}`, asYaml(chart.toJson()));
    files.set(`${name}/kustomization.yaml`, asYaml([kustomization([...bases, ...charts.keys()])]));
  };

  folder('crds', new Map([['crds.yaml', new CrdsChart(app, 'crds')]]));
  for (const [name, installation] of Object.entries(installations)) {
    folder(
      name,
      new Map(chartsOf(installation).map(([file, Charts]) => [file, new Charts(app, `${name}-${file}`, installation)])),
      installation.createsNamespace ? ['../crds'] : [],
    );
  }
  return files;
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
