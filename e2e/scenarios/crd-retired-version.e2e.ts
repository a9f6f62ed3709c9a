/**
 * What MetalLB leaves of BGPPeer: objects stored as v1beta1, and a definition that the API server does not let forget
 * that version. Ours goes over it, and the objects are read as v1beta2 with every field and the new defaults.
 *
 * A copy of the definition under a group of its own, so that nobody's peers are touched.
 * HERALD_CACHE=DIRECTORY takes the API server from DIRECTORY/run/kubeconfig instead of the lab's.
 */

import * as assert from 'uvu/assert';
import { bgpPeerKind } from '../../crds/bgp-peer.ts';
import { customResourceDefinition } from '../../crds/definition.ts';
import { spec } from '../../testing/spec.ts';
import { places } from '../cluster/places.ts';
import { collection, KubeApi, type KubeObject } from '../lib/kube-api.ts';
import { waitFor } from '../lib/wait-for.ts';

const GROUP = 'e2e-retired.heraldlb.io';
const NAME = `bgppeers.${GROUP}`;
const DEFINITION = `${collection('apiextensions.k8s.io/v1', 'CustomResourceDefinition')}/${NAME}`;
const peersAs = (version: string) => `/apis/${GROUP}/${version}/namespaces/default/bgppeers`;
const APPLY = '?fieldManager=e2e&force=true';
const WAIT = { withinMs: 20_000, everyMs: 200 };

const api = new KubeApi(places.kubeconfig);

const ours = customResourceDefinition(bgpPeerKind);
const definition = (fields: object) => ({
  ...ours,
  metadata: { name: NAME },
  spec: { ...ours.spec, group: GROUP, ...fields },
});

/** As MetalLB has it, but for the schema: both versions served, one of them stored. */
const metallbs = (stored: string) =>
  definition({
    versions: ['v1beta1', 'v1beta2'].map((name) => ({
      name,
      served: true,
      storage: name === stored,
      subresources: { status: {} },
      schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
    })),
  });

const applyDefinition = (body: unknown) => api.applyAt(`${DEFINITION}${APPLY}`, body);
const peer = (version: string, fields: object) => ({
  apiVersion: `${GROUP}/${version}`,
  kind: 'BGPPeer',
  metadata: { name: 'tor', namespace: 'default' },
  spec: fields,
});

const WRITTEN = {
  myASN: 64_500,
  peerASN: 64_501,
  peerAddress: '192.0.2.1',
  holdTime: '30s',
  nodeSelectors: [{ matchLabels: { rack: 'frontend' } }],
};
const isServed = (version: string) => async () => (await api.find(peersAs(version))) !== undefined;

spec(
  'crd-retired-version',
  (test) => {
    test('a peer is stored as v1beta1, under a definition that then moves on to v1beta2', async () => {
      await api.delete(DEFINITION);
      await waitFor('an earlier copy is gone', WAIT, async () => (await api.find(DEFINITION)) === undefined);
      await applyDefinition(metallbs('v1beta1'));
      await waitFor('v1beta1 is served', WAIT, isServed('v1beta1'));
      await api.applyAt(`${peersAs('v1beta1')}/tor${APPLY}`, peer('v1beta1', WRITTEN));
      await applyDefinition(metallbs('v1beta2'));
      const versions = async () => (await api.get(DEFINITION))['status'].storedVersions as string[];
      await waitFor('both are stored versions', WAIT, versions, (stored) => stored.join() === 'v1beta1,v1beta2');
    });

    test('our definition is accepted over it, and serves v1beta2 alone', async () => {
      await applyDefinition(definition({}));
      await waitFor('v1beta1 is no longer served', WAIT, async () => !(await isServed('v1beta1')()));
      assert.equal((await api.get(DEFINITION))['status'].storedVersions, ['v1beta1', 'v1beta2']);
    });

    test('the peer is read as v1beta2, with all that it said and the defaults of today', async () => {
      const isInProgress = ({ status }: KubeObject) => status?.conditions?.length === 2;
      const read = () => api.get(`${peersAs('v1beta2')}/tor`);
      const stored = await waitFor('the defaults are there', WAIT, read, isInProgress);
      const defaults = { peerPort: 179, disableMP: false, dualStackAddressFamily: false };
      assert.equal(stored['spec'], { ...WRITTEN, ...defaults });
    });

    test('who applied it as v1beta1 still owns its fields: what an apply as v1beta2 no longer says goes away', async () => {
      const { holdTime: _dropped, ...kept } = WRITTEN;
      const applied = await api.applyAt(`${peersAs('v1beta2')}/tor${APPLY}`, peer('v1beta2', kept));
      assert.is(applied['spec'].holdTime, undefined);
    });

    test('and leaves nothing behind', () => api.delete(DEFINITION));
  },
  { timeoutMs: 60_000 },
);
