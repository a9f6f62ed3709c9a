/** MetalLB itself, in its native mode: its own manifests and its own programs, built from its Go module. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments, stringify } from 'yaml';
import { archiveOf } from '../../image/archive.ts';
import { tarOf } from '../../image/tar.ts';
import { goModule, goTool } from '../cluster/go-tool.ts';
import { repository } from '../cluster/places.ts';
import { install, removeHerald } from './herald.ts';
import type { KubeApi, KubeObject } from './kube-api.ts';
import * as lab from './lab.ts';
import { waitFor } from './wait-for.ts';

export const METALLB_NAMESPACE = 'metallb-system';
const MODULE = 'go.universe.tf/metallb';
const PROGRAMS = ['controller', 'speaker'] as const;
const OLD_PEERS = 'bgppeers.metallb.io';
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface MetalLBRelease {
  readonly version: string;
  /** Its folder in e2e/tools. */
  readonly tool: string;
}
export const releases = {
  '0.13': { version: 'v0.13.5', tool: 'metallb-0.13' },
  '0.16': { version: 'v0.16.2', tool: 'metallb-0.16' },
} as const satisfies Readonly<Record<string, MetalLBRelease>>;

const toolOf = ({ tool }: MetalLBRelease, program: string) => ({
  name: tool,
  program,
  package: `${MODULE}/${program}`,
});

/** Puts its programs on the nodes, under the names that its manifests have for them. */
export async function loadImages(release: MetalLBRelease): Promise<void> {
  for (const program of PROGRAMS) {
    const path = await goTool(toolOf(release, program), (line) => console.log(line));
    const layer = tarOf([{ type: 'file', path: program, content: readFileSync(path), mode: 0o755 }]);
    const { tar } = archiveOf({
      tag: `quay.io/metallb/${program}:${release.version}`,
      architecture: ARCHITECTURES[process.arch] ?? process.arch,
      layers: [{ tar: layer, createdBy: 'e2e' }],
      config: { Entrypoint: [`/${program}`] },
    });
    const archive = join(repository, 'build/e2e', `metallb-${program}.tar`);
    mkdirSync(join(repository, 'build/e2e'), { recursive: true });
    writeFileSync(archive, tar);
    await lab.load(archive);
  }
}

/** The file that its documentation tells people to apply. */
export async function manifestOf(release: MetalLBRelease): Promise<string> {
  const folder = await goModule(toolOf(release, 'controller'), `${MODULE}@${release.version}`);
  return join(folder, 'config/manifests/metallb-native.yaml');
}

/** The definition of BGPPeer as it was before v1beta2, so that objects are stored in v1beta1. */
export async function applyOldPeers(release: MetalLBRelease): Promise<void> {
  const documents = parseAllDocuments(readFileSync(await manifestOf(release), 'utf8')).map(
    (document) => document.toJS() as KubeObject,
  );
  const definition = documents.find(({ metadata }) => metadata.name === OLD_PEERS);
  if (!definition) throw new Error(`${OLD_PEERS} is not in the manifests of ${release.version}`);
  const { conversion: _conversion, versions, ...spec } = definition['spec'];
  const v1beta1 = versions.find(({ name }: { name: string }) => name === 'v1beta1');
  const old = { ...definition, spec: { ...spec, versions: [{ ...v1beta1, served: true, storage: true }] } };
  const { status: _status, ...applied } = old as KubeObject;
  await applyText(stringify(applied));
  await lab.kubectl('wait', '--for=condition=Established', '--timeout=30s', `crd/${OLD_PEERS}`);
}

/** `kubectl apply -f -`, as people do it. */
export async function applyText(yaml: string): Promise<string> {
  return lab.exec('host', ['kubectl', 'apply', '-f', '-'], { input: yaml });
}

/** `kubectl apply -f metallb-native.yaml`; returns when the controller and every speaker are ready. */
export async function installMetalLB(release: MetalLBRelease): Promise<void> {
  await lab.kubectl('apply', '-f', await manifestOf(release));
  await metalLBReady();
}

export async function metalLBReady(): Promise<void> {
  const ready = ['-n', METALLB_NAMESPACE, 'rollout', 'status', '--timeout=120s'];
  for (const workload of ['deployment/controller', 'daemonset/speaker'])
    await lab.exec('host', ['kubectl', ...ready, workload], { timeoutMs: 130_000 });
}

/** Ends the controller; returns when its last pod is gone. */
export async function stopController(api: KubeApi): Promise<void> {
  await lab.kubectl('-n', METALLB_NAMESPACE, 'scale', 'deployment/controller', '--replicas=0');
  const path = `/api/v1/namespaces/${METALLB_NAMESPACE}/pods?labelSelector=component=controller`;
  const gone = ({ length }: KubeObject[]): boolean => length === 0;
  await waitFor("MetalLB's controller is gone", { withinMs: 60_000, everyMs: 250 }, () => api.list(path), gone);
}

interface Definition extends KubeObject {
  spec: { group: string; conversion?: { strategy: string } };
}

async function definitionsOf(api: KubeApi): Promise<Definition[]> {
  const all = (await api.list('/apis/apiextensions.k8s.io/v1/customresourcedefinitions')) as Definition[];
  return all.filter(({ spec }) => spec.group === 'metallb.io' || spec.group === 'heraldlb.io');
}

/** Removes MetalLB and Herald with every definition of both. */
export async function removeBoth(api: KubeApi): Promise<void> {
  const ignore = ['--ignore-not-found', '--timeout=60s'];
  const admission = ['validatingwebhookconfiguration', 'metallb-webhook-configuration'];
  await lab.kubectl('delete', ...ignore, ...admission);
  const none = '[{"op":"replace","path":"/spec/conversion","value":{"strategy":"None"}}]';
  // Without its webhook nobody could read the objects, and so nobody delete them.
  for (const { metadata, spec } of await definitionsOf(api))
    if (spec.conversion?.strategy === 'Webhook')
      await lab.kubectl('patch', 'crd', metadata.name, '--type=json', '-p', none);
  await removeHerald();
  await lab.kubectl('delete', ...ignore, 'namespace', METALLB_NAMESPACE);
  const names = ['controller', 'speaker'].map((program) => `${METALLB_NAMESPACE}:${program}`);
  for (const kind of ['clusterrole', 'clusterrolebinding']) await lab.kubectl('delete', ...ignore, kind, ...names);
  const left = (await definitionsOf(api)).map(({ metadata }) => metadata.name);
  if (left.length > 0) await lab.kubectl('delete', ...ignore, 'crd', ...left);
}

/** Puts Herald back where a scenario has left MetalLB, or neither. */
export async function restoreHerald(api: KubeApi): Promise<void> {
  const isThere = await api.find(`/apis/apps/v1/namespaces/${METALLB_NAMESPACE}/deployments/controller`);
  const definitions = await definitionsOf(api);
  const isForeign = definitions.some(({ metadata }) => metadata.labels?.['app.kubernetes.io/part-of'] !== 'herald');
  if (isThere || isForeign) await removeBoth(api);
  await install(api);
}
