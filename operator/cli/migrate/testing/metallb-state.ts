/** The state that MetalLB leaves behind, made on a real API server: objects shaped like its own, and nobody behind its webhooks. */

import type { ApiConnection } from '../../../cluster/api-connection.ts';
import type { CustomResourceDefinition } from '../../../cluster/objects.ts';
import { selfSignedCertificate } from '../../../observability/self-signed.ts';
import { definitionsServed as served } from '../../testing/definitions.ts';
import { patiently } from '../patience.ts';

export const NAMESPACE = 'metallb-system';
const WEBHOOK_SERVICE = 'webhook-service';
const NOW = new Date('2026-01-01T00:00:00Z');

/** By another manager than ours: what it owns stays when we apply. */
const definitionsServed = (connection: ApiConnection, definitions: readonly CustomResourceDefinition[]) =>
  served(connection, definitions, 'helm');

const caBundle = (): string =>
  Buffer.from(selfSignedCertificate([`${WEBHOOK_SERVICE}.${NAMESPACE}.svc`], NOW).cert).toString('base64');

interface Shape {
  readonly plural: string;
  readonly kind: string;
  /** The last one is written. */
  readonly versions: readonly string[];
  readonly hasConversion?: boolean;
}

/** As controller-gen writes it, with any fields below spec. */
function definition({ plural, kind, versions, hasConversion = false }: Shape): CustomResourceDefinition {
  const anything = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const schema = { openAPIV3Schema: { type: 'object', properties: { spec: anything, status: anything } } };
  const service = { namespace: NAMESPACE, name: WEBHOOK_SERVICE, path: '/convert' };
  const webhook = { conversionReviewVersions: versions, clientConfig: { caBundle: caBundle(), service } };
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.metallb.io` },
    spec: {
      group: 'metallb.io',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      scope: 'Namespaced',
      ...(hasConversion && { conversion: { strategy: 'Webhook', webhook } }),
      versions: versions.map((name, at) => ({
        name,
        served: true,
        storage: at === versions.length - 1,
        subresources: { status: {} },
        schema,
      })),
    },
  } as CustomResourceDefinition;
}

const peers = { plural: 'bgppeers', kind: 'BGPPeer' };
const oldPools = { plural: 'addresspools', kind: 'AddressPool' };
const current = [
  { plural: 'ipaddresspools', kind: 'IPAddressPool', versions: ['v1beta1'] },
  { plural: 'l2advertisements', kind: 'L2Advertisement', versions: ['v1beta1'] },
  { plural: 'bgpadvertisements', kind: 'BGPAdvertisement', versions: ['v1beta1'] },
];

/** Creates an object as people do. */
export async function create(
  connection: ApiConnection,
  plural: string,
  object: Record<string, unknown>,
): Promise<void> {
  const { apiVersion } = object as { apiVersion: string };
  const path = `/apis/${apiVersion}/namespaces/${NAMESPACE}/${plural}`;
  // A version that has just been added is served a moment later.
  await patiently(() => connection.request({ method: 'POST', path, body: object }), [404, 429]);
}

const object = (version: string, kind: string, name: string, spec: Record<string, unknown>) => ({
  apiVersion: `metallb.io/${version}`,
  kind,
  metadata: { name, namespace: NAMESPACE },
  spec,
});

const common = { myASN: 64512, peerASN: 64513 };

/** BGPPeers of MetalLB 0.12: one as a person wrote it, and one as a program in Go did. */
export async function peersOfOldVersion(connection: ApiConnection): Promise<void> {
  await definitionsServed(connection, [definition({ ...peers, versions: ['v1beta1'] })]);
  const unset = { peerAddress: '192.0.2.2', peerPort: 0, holdTime: '0s', keepaliveTime: '0s' };
  await create(
    connection,
    'bgppeers',
    object('v1beta1', 'BGPPeer', 'by-hand', { ...common, peerAddress: '192.0.2.1' }),
  );
  await create(connection, 'bgppeers', object('v1beta1', 'BGPPeer', 'by-program', { ...common, ...unset }));
}

/** Peers of both versions, which only a conversion webhook could turn, and nobody answers it. */
export async function peersOfBothVersions(connection: ApiConnection): Promise<void> {
  await peersOfOldVersion(connection);
  await definitionsServed(connection, [
    definition({ ...peers, versions: ['v1beta1', 'v1beta2'], hasConversion: true }),
  ]);
  await create(connection, 'bgppeers', object('v1beta2', 'BGPPeer', 'new', { ...common, peerAddress: '192.0.2.3' }));
}

/** What 0.13 has beside: pools and advertisements in one object, stored in two versions. */
export async function oldAddressPools(connection: ApiConnection): Promise<void> {
  await definitionsServed(connection, [definition({ ...oldPools, versions: ['v1alpha1'] })]);
  const lan = { protocol: 'layer2', addresses: ['192.0.2.0/28'] };
  await create(connection, 'addresspools', object('v1alpha1', 'AddressPool', 'lan', lan));
  await definitionsServed(connection, [
    definition({ ...oldPools, versions: ['v1alpha1', 'v1beta1'], hasConversion: true }),
  ]);
  const bgpAdvertisements = [{ aggregationLength: 32, localPref: 100 }, { aggregationLength: 24 }];
  const wan = { protocol: 'bgp', addresses: ['198.51.100.0/24'], autoAssign: false, bgpAdvertisements };
  await create(connection, 'addresspools', object('v1beta1', 'AddressPool', 'wan', wan));
}

export async function currentKinds(connection: ApiConnection): Promise<void> {
  await definitionsServed(connection, current.map(definition));
  const spec = { addresses: ['203.0.113.0/28'] };
  await create(connection, 'ipaddresspools', object('v1beta1', 'IPAddressPool', 'current', spec));
}

/** The webhook that refuses every change, because nobody answers. */
export async function orphanedWebhook(connection: ApiConnection): Promise<void> {
  const service = { namespace: NAMESPACE, name: WEBHOOK_SERVICE, path: '/validate-metallb-io-v1beta1-ipaddresspool' };
  const rules = [{ apiGroups: ['metallb.io'], apiVersions: ['*'], operations: ['CREATE', 'UPDATE'], resources: ['*'] }];
  const webhook = {
    name: 'ipaddresspoolvalidationwebhook.metallb.io',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    clientConfig: { service, caBundle: caBundle() },
    rules,
  };
  await connection.request({
    method: 'POST',
    path: '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations',
    body: { metadata: { name: 'metallb-webhook-configuration' }, webhooks: [webhook] },
  });
}
