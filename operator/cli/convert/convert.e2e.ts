/** A real API server with our definitions takes every manifest that a conversion makes. */

import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { parseAllDocuments } from 'yaml';
import { spec } from '../../../testing/spec.ts';
import { connection } from '../../cluster/testing/real-cluster.ts';
import { createNamespace, definitionsServed } from '../testing/definitions.ts';
import { convert } from './convert.ts';
import type { ConvertedObject } from './converted-object.ts';
import { renderConversion } from './render.ts';
import { samples } from './testing/samples.ts';

const PLURALS: Readonly<Record<string, string>> = {
  IPAddressPool: 'ipaddresspools',
  L2Advertisement: 'l2advertisements',
  BGPAdvertisement: 'bgpadvertisements',
  BGPPeer: 'bgppeers',
  BFDProfile: 'bfdprofiles',
  Community: 'communities',
};

/** A dry run, with fields that the definition does not have as errors. */
function applyDry(object: ConvertedObject): Promise<unknown> {
  const { apiVersion, kind, metadata } = object;
  return connection.request({
    method: 'PATCH',
    path: `/apis/${apiVersion}/namespaces/${metadata.namespace}/${PLURALS[kind]}/${metadata.name}`,
    query: { fieldManager: 'convert', dryRun: 'All', fieldValidation: 'Strict' },
    contentType: 'application/apply-patch+yaml',
    body: object,
  });
}

spec(
  'converted manifests',
  (test) => {
    test('the definitions are served', async () => {
      for (const namespace of ['metallb-system', 'metallb']) await createNamespace(connection, namespace);
      const definitions = parseAllDocuments(readFileSync('cdk8s/dist/crds/crds.yaml', 'utf8'));
      await definitionsServed(
        connection,
        definitions.map((document) => document.toJS()),
      );
    });

    for (const { name, text } of samples)
      test(name, async () => {
        const printed = renderConversion(convert([{ name: 'f.yaml', text }]));
        const objects = parseAllDocuments(printed).map((document) => document.toJS() as ConvertedObject);
        assert.ok(objects.length > 0);
        for (const object of objects) await applyDry(object);
      });
  },
  { timeoutMs: 60_000 },
);
