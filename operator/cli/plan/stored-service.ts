/** A Service as the API server stores it: with cluster addresses of its families, which no manifest has. */

import type { IpFamily, Service, ServicePort, ServiceSpec } from '../../cluster/objects.ts';
import { resources } from '../../cluster/resource.ts';
import { parseIp } from '../../net/address.ts';
import { parseRange } from '../../net/range.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { applied, formerFields } from './applied.ts';

/** Stands for a cluster address that is not known yet: of it only the family counts (RFC 5737, RFC 3849). */
const STAND_INS: Readonly<Record<IpFamily, string>> = { IPv4: '192.0.2.1', IPv6: '2001:db8::1' };

/** @param live the Service as it is now; undefined for one that will be created */
export function storedService(written: Service, live: Service | undefined, cluster: ClusterSnapshot): Service {
  const { metadata, spec: fields } = resources.services.trim?.(written) ?? written;
  const spec: ServiceSpec = {
    ...DEFAULTS,
    ...applied(live?.spec, fields, formerFields(live?.metadata, 'spec')),
    ...(fields.ports && { ports: fields.ports.map((port) => storedPort(port, live?.spec.ports ?? [])) }),
  };
  const service = { ...written, metadata: { ...metadata, ...written.metadata } };
  if (spec.type !== 'LoadBalancer' || spec.clusterIP === 'None') return { ...service, spec };
  const families = familiesOf(spec, cluster);
  const known = live?.spec.clusterIPs ?? (live?.spec.clusterIP ? [live.spec.clusterIP] : []);
  const clusterIPs = families.map((family) => known.find((ip) => familyOf(ip) === family) ?? STAND_INS[family]);
  const clusterIP = clusterIPs[0] ?? STAND_INS.IPv4;
  const ipFamilyPolicy = spec.ipFamilyPolicy ?? 'SingleStack';
  return { ...service, spec: { ...spec, clusterIP, clusterIPs, ipFamilies: families, ipFamilyPolicy } };
}

/** What the API server fills in, of what Herald reads. */
const DEFAULTS: ServiceSpec = { type: 'ClusterIP', externalTrafficPolicy: 'Cluster', sessionAffinity: 'None' };

/** A port keeps what it was given. */
function storedPort(port: ServicePort, live: readonly ServicePort[]): ServicePort {
  const protocolOf = ({ protocol = 'TCP' }: ServicePort): string => protocol;
  const former = live.find((one) => one.port === port.port && protocolOf(one) === protocolOf(port));
  return { protocol: 'TCP', targetPort: port.port, ...former, ...port };
}

function familiesOf({ ipFamilies, ipFamilyPolicy }: ServiceSpec, cluster: ClusterSnapshot): readonly IpFamily[] {
  const served = clusterFamilies(cluster);
  const asked = ipFamilies ?? [];
  if ((ipFamilyPolicy ?? 'SingleStack') === 'SingleStack') return [asked[0] ?? served[0] ?? 'IPv4'];
  return [...new Set([...asked, ...served])];
}

/** The families of cluster addresses, the primary one first: by the ServiceCIDRs, else by what Services have. */
function clusterFamilies({ serviceCidrs, services }: ClusterSnapshot): readonly IpFamily[] {
  const ofKubernetes = serviceCidrs.find(({ metadata }) => metadata.name === 'kubernetes') ?? serviceCidrs[0];
  const byRange = (ofKubernetes?.spec?.cidrs ?? []).flatMap((text): readonly IpFamily[] => {
    const range = parseRange(text);
    return typeof range === 'string' ? [] : [`IPv${range.first.family}`];
  });
  const byService = services.flatMap(({ spec }) => spec.clusterIPs ?? []).flatMap((ip) => familyOf(ip) ?? []);
  const families = [...new Set(byRange.length > 0 ? byRange : byService)];
  return families.length > 0 ? families : ['IPv4'];
}

function familyOf(text: string): IpFamily | undefined {
  const address = parseIp(text);
  return address && `IPv${address.family}`;
}
