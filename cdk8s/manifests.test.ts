import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { spec } from '../testing/spec.ts';
import { installations, manifests } from './manifests.ts';
import { rights } from './rights.ts';

const DIST = new URL('dist', import.meta.url).pathname;

interface Manifest {
  readonly kind: string;
  readonly metadata?: { readonly name: string; readonly namespace?: string };
  // biome-ignore lint/suspicious/noExplicitAny: manifests of every kind are read here by path
  readonly spec?: any;
}

function objectsOf(folder: string): Manifest[] {
  return [...manifests()]
    .filter(([path]) => path.startsWith(`${folder}/`) && !path.endsWith('kustomization.yaml'))
    .flatMap(([, text]) => parseAllDocuments(text).map((document) => document.toJS() as Manifest));
}
const one = (folder: string, kind: string) => objectsOf(folder).filter((object) => object.kind === kind)[0];
const podOf = (kind: 'Deployment' | 'DaemonSet') => {
  const workload = one('default', kind);
  if (!workload) throw new Error(`there is no ${kind}`);
  return workload.spec.template.spec;
};

spec('manifests', (test) => {
  test('are committed as they are made: run `make synth` when this fails', () => {
    const committed = readdirSync(DIST, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(DIST, join(entry.parentPath, entry.name)));
    assert.equal(committed.sort(), [...manifests().keys()].sort());
    for (const [path, text] of manifests()) assert.is(readFileSync(join(DIST, path), 'utf8'), text, path);
  });

  test('of drop-in create no namespace and no definition, so that removing them removes no object of others', () => {
    assert.equal(
      objectsOf('drop-in').filter(({ kind }) => ['Namespace', 'CustomResourceDefinition'].includes(kind)),
      [],
    );
  });

  test('of each installation put everything that has a namespace into that installation', () => {
    for (const [folder, { namespace }] of Object.entries(installations)) {
      const namespaces = objectsOf(folder).flatMap(({ metadata }) => metadata?.namespace ?? []);
      assert.equal([...new Set(namespaces)], [namespace]);
    }
  });

  test('hold no Secret', () => {
    for (const folder of Object.keys(installations)) assert.is(one(folder, 'Secret'), undefined);
  });

  test('run the operator without privileges', () => {
    const pod = podOf('Deployment');
    assert.equal([pod.securityContext.runAsNonRoot, pod.securityContext.runAsUser], [true, 65_532]);
    assert.equal(pod.containers[0].securityContext.capabilities, { drop: ['ALL'] });
  });

  test('run the speaker with two capabilities, without a CPU limit and without a way to more privileges', () => {
    const { securityContext, resources } = podOf('DaemonSet').containers[0];
    assert.equal(securityContext.capabilities, { drop: ['ALL'], add: ['NET_RAW', 'NET_ADMIN', 'SYS_NICE'] });
    assert.equal([securityContext.allowPrivilegeEscalation, securityContext.readOnlyRootFilesystem], [false, true]);
    assert.ok(resources.requests.cpu && !('cpu' in resources.limits));
  });

  test('probe the speaker on loopback, because it shares the network of its node', () => {
    const { livenessProbe, readinessProbe, startupProbe } = podOf('DaemonSet').containers[0];
    for (const probe of [livenessProbe, readinessProbe, startupProbe]) assert.is(probe.httpGet.host, '127.0.0.1');
  });
});

spec('rights', (test) => {
  const rules = Object.values(rights).flatMap(({ cluster, ownNamespace }) => [...cluster, ...ownNamespace]);

  test('hold no wildcard', () => {
    for (const rule of rules) {
      assert.not.ok([...rule.apiGroups, ...rule.resources, ...rule.verbs].some((word) => word.includes('*')));
    }
  });

  test('touch Secrets in the own namespace alone: one at a time by its name, never listed, changed or deleted', () => {
    const touching = (list: readonly (typeof rules)[number][]) =>
      list.filter(({ resources }) => resources.includes('secrets'));
    assert.equal(touching([...rights.operator.cluster, ...rights.speaker.cluster]), []);
    for (const { verbs } of touching(rules)) assert.ok(['get', 'create,get'].includes(verbs.join()), verbs.join());
    for (const { resourceNames } of touching(rights.speaker.ownNamespace))
      assert.equal(resourceNames, ['herald-memberkey']);
  });

  test('write no spec and no Service but its status, and whole objects only where they have no spec', () => {
    const changing = rights.operator.cluster
      .concat(rights.speaker.cluster)
      .filter(({ resources }) => resources.join() !== 'serviceannouncements')
      .filter(({ verbs }) => verbs.some((verb) => !['get', 'list', 'watch', 'create'].includes(verb)));
    for (const { resources, verbs } of changing) {
      for (const resource of resources) assert.match(resource, /^(.*\/status|events)$/);
      assert.not.ok(verbs.some((verb) => verb === 'update' || verb.startsWith('delete')));
    }
  });
});
