/** The Helm charts, rendered by Helm itself: with default values they are the manifests, and mistakes are refused. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { goTool } from '../e2e/cluster/go-tool.ts';
import { type RunResult, tryRun } from '../e2e/cluster/process.ts';
import { spec } from '../testing/spec.ts';
import { manifests } from './manifests.ts';

const CHARTS = join(import.meta.dirname, 'dist/charts');
const TEN_MINUTES = 600_000;
const helmBuilt = goTool({ name: 'helm', package: 'helm.sh/helm/v4/cmd/helm' }, (line) =>
  process.stderr.write(`${line}\n`),
);

interface Manifest {
  readonly kind: string;
  metadata: { readonly name: string; labels?: Record<string, string>; annotations?: Record<string, string> };
}

const parse = (text: string): Manifest[] =>
  parseAllDocuments(text)
    .map((document) => document.toJS() as Manifest | null)
    .filter((object): object is Manifest => object !== null);

/** Runs Helm with nothing of this machine's own settings. */
async function helm(...argv: readonly string[]): Promise<RunResult> {
  const home = mkdtempSync(join(tmpdir(), 'herald-helm-'));
  try {
    return await tryRun([await helmBuilt, ...argv], { env: { HOME: home, HELM_CACHE_HOME: home, KUBECONFIG: '' } });
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function rendered(chart: string, namespace: string, ...options: readonly string[]): Promise<Manifest[]> {
  const { code, stdout, stderr } = await helm('template', 'any', join(CHARTS, chart), '-n', namespace, ...options);
  assert.is(code, 0, stderr);
  return parse(stdout);
}

/** By kind and name, without labels and without the annotation that tells Helm what to keep. */
function comparable(objects: readonly Manifest[]): unknown[] {
  return objects
    .map(({ metadata: { labels: _, annotations = {}, ...metadata }, ...object }) => {
      const { 'helm.sh/resource-policy': __, ...others } = annotations;
      return { ...object, metadata: { ...metadata, annotations: others } };
    })
    .toSorted((a, b) => (`${a.kind} ${a.metadata.name}` < `${b.kind} ${b.metadata.name}` ? -1 : 1));
}

const committed = (...files: readonly string[]): Manifest[] =>
  files.flatMap((file) => parse(manifests().get(file) ?? ''));
const workloads = (folder: string): Manifest[] =>
  committed(...['rbac', 'operator', 'speaker'].map((file) => `${folder}/${file}.yaml`));

spec(
  'helm charts',
  (test) => {
    test('render with default values what the manifests of each installation say', async () => {
      assert.equal(comparable(await rendered('herald', 'herald-system')), comparable(workloads('default')));
      assert.equal(comparable(await rendered('herald', 'metallb-system')), comparable(workloads('drop-in')));
    });

    test('render the definitions as they are, kept when the release goes', async () => {
      const definitions = await rendered('herald-crds', 'herald-system');
      assert.equal(comparable(definitions), comparable(committed('crds/crds.yaml')));
      for (const { metadata } of definitions) assert.is(metadata.annotations?.['helm.sh/resource-policy'], 'keep');
    });

    test("add labels of Helm's and change none of ours", async () => {
      const ours = new Map(
        workloads('default').map(({ kind, metadata }) => [`${kind} ${metadata.name}`, metadata.labels]),
      );
      for (const { kind, metadata } of await rendered('herald', 'herald-system')) {
        const expected = {
          'helm.sh/chart': metadata.labels?.['helm.sh/chart'],
          'app.kubernetes.io/managed-by': 'Helm',
        };
        assert.equal(metadata.labels, { ...ours.get(`${kind} ${metadata.name}`), ...expected });
      }
    });

    test('put every value where it belongs', async () => {
      const set = [
        ...['image.repository=registry.example/herald', 'image.tag=v9', 'image.pullPolicy=Always'],
        ...['imagePullSecrets[0].name=key', 'operator.replicas=3', 'operator.args[0]=--log-level=debug'],
        ...['operator.nodeSelector.pool=infra', 'speaker.resources.requests.cpu=1'],
      ].flatMap((value) => ['--set', value]);
      set.push('--set-json', 'operator.tolerations=[]');
      const objects = await rendered('herald', 'herald-system', ...set);
      // biome-ignore lint/suspicious/noExplicitAny: read by path
      const specOf = (kind: string): any => (objects.find((object) => object.kind === kind) as any).spec;
      const [operator, speaker] = [specOf('Deployment'), specOf('DaemonSet')];
      const [pod, speakerPod] = [operator.template.spec, speaker.template.spec];
      assert.is(operator.replicas, 3);
      assert.equal(pod.containers[0].args, ['--log-level=debug']);
      assert.equal(pod.tolerations, []);
      assert.equal(pod.nodeSelector, { 'kubernetes.io/os': 'linux', pool: 'infra' });
      for (const { containers, imagePullSecrets } of [pod, speakerPod]) {
        assert.is(containers[0].image, 'registry.example/herald:v9');
        assert.is(containers[0].imagePullPolicy, 'Always');
        assert.equal(imagePullSecrets, [{ name: 'key' }]);
      }
      assert.is(speakerPod.containers[0].resources.requests.cpu, 1);
      assert.is(speakerPod.containers[0].args, undefined);
    });

    for (const [value, says] of [
      ['operator.replicsa=3', 'replicsa'],
      ['operator.replicas=0', 'replicas'],
      ['image.pullPolicy=Sometimes', 'pullPolicy'],
      ['speaker.args=--log-level=debug', 'args'],
    ] as const)
      test(`refuse ${value} by the schema of the values`, async () => {
        const { code, stderr } = await helm('template', join(CHARTS, 'herald'), '--set', value);
        assert.is.not(code, 0);
        assert.match(stderr, says);
      });

    test('pass the check of helm lint', async () => {
      for (const chart of ['herald', 'herald-crds']) {
        const { code, stdout, stderr } = await helm('lint', '--strict', join(CHARTS, chart));
        assert.is(code, 0, stdout + stderr);
      }
    });
  },
  { timeoutMs: TEN_MINUTES },
);
