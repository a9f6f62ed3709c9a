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
const CONFIGURATION = [
  'ipaddresspools',
  'l2advertisements',
  'bgpadvertisements',
  'bgppeers',
  'bfdprofiles',
  'communities',
];
const ADDRESS_RULES = ['addressreservations', 'addressquotas'];

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
const events = rule('events.k8s.io', ['events'], ['create', 'patch']);

export const rights: Readonly<Record<Role, Rights>> = {
  operator: {
    cluster: [
      rule('', ['services', 'namespaces', 'nodes'], READ),
      // Only where a pool lies in a range of pods: does one live there?
      rule('', ['pods'], ['list']),
      rule('networking.k8s.io', ['servicecidrs'], READ),
      rule('', ['services/status'], ['patch']),
      rule('metallb.io', CONFIGURATION, READ),
      rule(
        'metallb.io',
        CONFIGURATION.map((plural) => `${plural}/status`),
        ['patch'],
      ),
      rule('heraldlb.io', ADDRESS_RULES, READ),
      rule(
        'heraldlb.io',
        ADDRESS_RULES.map((plural) => `${plural}/status`),
        ['patch'],
      ),
      // From reports and endpoints the operator computes what every speaker does. Here stands also where the API servers
      // listen themselves: the way to them when kube-proxy is stuck.
      rule('discovery.k8s.io', ['endpointslices'], READ),
      rule('heraldlb.io', ['serviceannouncements'], [...READ, 'create', 'patch', 'delete']),
      definitions,
      events,
      ...reviews,
    ],
    ownNamespace: [
      rule('coordination.k8s.io', ['leases'], ['create']),
      named('coordination.k8s.io', 'leases', ['herald-operator'], ['update']),
      // Its own, and those of the speakers, whose names are those of nodes.
      rule('coordination.k8s.io', ['leases'], READ),
      rule('heraldlb.io', ['nodeannouncements'], READ),
      rule('heraldlb.io', ['addressprobes'], ['list', 'create', 'delete']),
      // BGPPeers and pools name the Secrets with their passwords and tokens, so their names are not known here.
      rule('', ['secrets'], ['create', 'get']),
      rule('metallb.io', ['configurationstates'], ['create']),
      named('metallb.io', 'configurationstates', ['controller'], READ),
      named('metallb.io', 'configurationstates/status', ['controller'], ['patch']),
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
      // Named after the node, which RBAC does not know: so a speaker could write the Lease of the operator too.
      rule('coordination.k8s.io', ['leases'], ['create', 'patch']),
      rule('heraldlb.io', ['nodeannouncements'], [...READ, 'create', 'patch']),
      rule('heraldlb.io', ['addressprobes'], READ),
      rule('metallb.io', ['servicel2statuses'], [...READ, 'create', 'patch', 'delete']),
      rule('metallb.io', ['servicel2statuses/status'], ['patch']),
      // A ServiceL2Status belongs to the pod that wrote it, and goes with it.
      rule('', ['pods'], ['get']),
    ],
  },
};
