/** Every kustomization of examples/ builds, and the API server takes what it makes; only Flux, Argo CD and the Gateway API keep their own kinds. */

import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { repository } from '../cluster/places.ts';
import type { KubeObject } from '../lib/kube-api.ts';
import { kubectl, tryExec } from '../lib/lab.ts';
import { scenario } from '../lib/scenario.ts';

const EXAMPLES = join(repository, 'examples');
const folders = readdirSync(EXAMPLES, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('/kustomization.yaml'))
  .map((path) => dirname(path))
  .toSorted();
/** Their definitions are not in the lab, but where a scenario brings them. */
const FOREIGN = /^((argoproj|kustomize\.toolkit\.fluxcd|source\.toolkit\.fluxcd)\.io|gateway\.networking\.k8s\.io)\//;
/** Nothing is made, so the namespace of the scenario stands in for those that the examples want. */
const STANDS_FOR = ['shop', 'metallb-system'];

scenario('examples', (test) => {
  for (const folder of folders)
    test(`${folder} is taken`, async (world) => {
      const built = parseAllDocuments(await kubectl('kustomize', join(EXAMPLES, folder))).map(
        (document) => document.toJS() as KubeObject,
      );
      assert.ok(built.length > 0);
      const items = built
        .filter(({ apiVersion = '', kind }) => kind !== 'Namespace' && !FOREIGN.test(apiVersion))
        .map(({ metadata, ...object }) => {
          const isElsewhere = STANDS_FOR.includes(metadata.namespace ?? '');
          return { ...object, metadata: { ...metadata, ...(isElsewhere ? { namespace: world.namespace } : {}) } };
        });
      if (items.length === 0) return;
      const apply = ['kubectl', 'apply', '--server-side', '--force-conflicts', '--dry-run=server', '-f', '-'];
      const { code, stderr } = await tryExec('host', apply, {
        input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
      });
      assert.is(code, 0, stderr);
    });

  test('and all of them were found', () => {
    const found = new Set(folders.map((folder) => folder.split('/')[0]));
    const all = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    assert.equal([...found].sort(), all.map(({ name }) => name).sort());
  });
});
