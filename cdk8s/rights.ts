/**
 * The rights of each role, and nothing more. Cluster-wide are only reading, events, and the status of Services and of
 * the configuration, which may stand in several namespaces; everything that Herald keeps for itself is in its own.
 *
 * RBAC cannot name the object of a `create`, because the name is not known when the rule is checked: those rules stand
 * alone and give nothing but `create`.
 */
import { definitionName } from '../crds/definition.ts';
import { kinds } from '../crds/kinds.ts';
import type { Role } from './product.ts';

/** `rbac.authorization.k8s.io/v1` PolicyRule. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export interface Rights {
  readonly cluster: readonly PolicyRule[];
  readonly ownNamespace: readonly PolicyRule[];
}

const READ = ['get', 'list', 'watch'];
const CONFIGURATION = ['ipaddresspools', 'l2advertisements', 'bgpadvertisements', 'bgppeers'];

const rule = (group: string, resources: readonly string[], verbs: readonly string[]): PolicyRule => ({
  apiGroups: [group],
  resources,
  verbs,
});
const named = (group: string, resource: string, names: readonly string[], verbs: readonly string[]): PolicyRule => ({
  ...rule(group, [resource], verbs),
  resourceNames: names,
});

/** Both roles watch their definitions: while one is missing or going, its kind keeps its last state. */
const definitions = named('apiextensions.k8s.io', 'customresourcedefinitions', kinds.map(definitionName), READ);

/** The metrics endpoint asks the API server who asks, and whether they may. */
const reviews = [
  rule('authentication.k8s.io', ['tokenreviews'], ['create']),
  rule('authorization.k8s.io', ['subjectaccessreviews'], ['create']),
];
/** Where the API servers listen themselves: the way to them when kube-proxy is stuck. */
const apiServers = named('discovery.k8s.io', 'endpointslices', ['kubernetes'], ['get']);
const events = rule('events.k8s.io', ['events'], ['create', 'patch']);

export const rights: Readonly<Record<Role, Rights>> = {
  operator: {
    cluster: [
      rule('', ['services', 'namespaces'], READ),
      rule('', ['services/status'], ['patch']),
      rule('metallb.io', CONFIGURATION, READ),
      rule(
        'metallb.io',
        CONFIGURATION.map((plural) => `${plural}/status`),
        ['patch'],
      ),
      definitions,
      apiServers,
      events,
      ...reviews,
    ],
    ownNamespace: [
      rule('coordination.k8s.io', ['leases'], ['create']),
      named('coordination.k8s.io', 'leases', ['herald-operator'], [...READ, 'update']),
      rule('', ['secrets'], ['create']),
      named('', 'secrets', ['herald-memberkey'], ['get']),
      rule('heraldlb.io', ['poolsets'], ['create']),
      named('heraldlb.io', 'poolsets', ['herald'], [...READ, 'patch']),
    ],
  },
  speaker: {
    cluster: [
      rule('', ['services', 'nodes'], READ),
      rule('discovery.k8s.io', ['endpointslices'], READ),
      rule('metallb.io', ['l2advertisements'], READ),
      definitions,
      events,
      ...reviews,
    ],
    ownNamespace: [
      named('', 'secrets', ['herald-memberkey'], ['get']),
      named('heraldlb.io', 'poolsets', ['herald'], READ),
      rule('metallb.io', ['servicel2statuses'], [...READ, 'create', 'patch', 'delete']),
      rule('metallb.io', ['servicel2statuses/status'], ['patch']),
      // A ServiceL2Status belongs to the pod that wrote it, and goes with it.
      rule('', ['pods'], ['get']),
    ],
  },
};
