/** What faults need around them: a Service whose owner may be cut, and the API server's own off and on. */

import { CLUSTER } from '../cluster/places.ts';
import { collection, type KubeApi } from './kube-api.ts';
import { exec, tryExec } from './lab.ts';
import { waitFor } from './wait-for.ts';
import type { ClusterNode, World } from './world.ts';

export interface OwnedService {
  readonly name: string;
  /** In the order of the Service's status. */
  readonly addresses: readonly string[];
  readonly owner: ClusterNode;
}

/**
 * A Service in service whose owner is a worker, so that it can be cut without taking the only control plane away. Its
 * endpoints run on the control plane: kube-proxy goes on sending to a dead node's endpoints, which no announcer can mend.
 */
export async function serviceOwnedByWorker(world: World): Promise<OwnedService> {
  await world.pool();
  await world.advertise();
  await world.web({ node: world.controlPlane.name });
  // The owner follows from the address: with each further one a third of the chance that it is the control plane again.
  for (let number = 0; number < world.free.IPv4.addresses.length; number += 1) {
    const name = `web-${number}`;
    await world.service({ name });
    const addresses = await world.addressesOf(name);
    for (const address of addresses) await world.fetchSoon(address);
    const owner = await world.owner(addresses[0] ?? '');
    if (!owner.isControlPlane) return { name, addresses, owner };
  }
  throw new Error('every address of the scenario is owned by the control plane');
}

const CONTROL_PLANE = `${CLUSTER}-control-plane`;
const MANIFEST = '/etc/kubernetes/manifests/kube-apiserver.yaml';
const ASIDE = '/etc/kubernetes/kube-apiserver.yaml.aside';

/** Stops the API server until `startApiServer`: its static pod's manifest is taken away. Returns when it is silent. */
export async function stopApiServer(api: KubeApi): Promise<void> {
  await exec(CONTROL_PLANE, ['mv', MANIFEST, ASIDE]);
  await waitFor('the API server is gone', { withinMs: 60_000, everyMs: 250 }, async () => !(await isUp(api)));
}

/** Brings the API server back, if it was taken away; returns when it is ready. */
export async function startApiServer(api: KubeApi): Promise<void> {
  await tryExec(CONTROL_PLANE, ['sh', '-c', `if [ -e ${ASIDE} ]; then mv ${ASIDE} ${MANIFEST}; fi`]);
  await waitFor('the API server is ready', { withinMs: 120_000, everyMs: 250 }, () => isUp(api));
}

/** Kills the API server's process; the kubelet starts it again. Returns when it is ready again. */
export async function restartApiServer(api: KubeApi): Promise<void> {
  const before = await exec(CONTROL_PLANE, ['pidof', 'kube-apiserver']);
  await exec(CONTROL_PLANE, ['kill', '-KILL', ...before.trim().split(' ')]);
  await waitFor('another API server process runs', { withinMs: 90_000, everyMs: 250 }, async () => {
    const { stdout } = await tryExec(CONTROL_PLANE, ['pidof', 'kube-apiserver']);
    return stdout.trim() !== '' && stdout !== before && isUp(api);
  });
}

/**
 * Replaces kube-proxy on every node. After an outage of the API server it asks again only after up to a minute
 * (client-go's backoff), and until then it forwards nothing new, which no announcer can mend.
 */
export async function renewKubeProxy(api: KubeApi): Promise<void> {
  const pods = collection('v1', 'Pod', 'kube-system');
  const ofKubeProxy = `${pods}?labelSelector=${encodeURIComponent('k8s-app=kube-proxy')}`;
  for (const { metadata } of await api.list(ofKubeProxy)) await api.delete(`${pods}/${metadata.name}`);
}

async function isUp(api: KubeApi): Promise<boolean> {
  try {
    return (await api.text('/readyz')) === 'ok';
  } catch {
    return false;
  }
}
