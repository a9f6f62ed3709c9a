/** Decides how MetalLB's leavings become what Herald reads: pure, from what is there to the steps that are left to take. */

import { replaceAddressPools } from './address-pools.ts';
import { changesOf, hasDoubtfulHoldTime } from './peer-changes.ts';
import { serviceNotes } from './service-notes.ts';
import type { DefinitionState, MigrationState, RunningPart, Stored } from './state.ts';
import type { Step } from './step.ts';

export interface MigrationPlan {
  /** Sentences; with any of them nothing is done. */
  readonly refusals: readonly string[];
  /** In this order; none when all is done. */
  readonly steps: readonly Step[];
  /** What a person should know, sentences without a full stop. */
  readonly notes: readonly string[];
  /** What only shows once the steps are taken, and is then planned. */
  readonly unread: readonly string[];
}

/**
 * The order is what makes it work without MetalLB: its webhooks refuse every change, so they go first; as long as its
 * conversion webhook is asked, objects that are stored in the old version cannot be read, so that comes next; then the
 * objects are written in the new version; and only then the API server is told that none is stored in the old one.
 */
export function planMigration(state: MigrationState): MigrationPlan {
  const pools = replaceAddressPools(state);
  return {
    refusals: [...refusalsOf(state), ...pools.refusals],
    steps: [
      ...webhookSteps(state),
      ...conversionSteps(state),
      ...pools.steps,
      ...peerSteps(state),
      ...storageSteps(state),
    ],
    notes: [...serviceNotes(state), ...notesOf(state), ...pools.notes],
    unread: unreadOf(state),
  };
}

function refusalsOf({ running, webhooks, definitions }: MigrationState): string[] {
  const inTheWay = running.filter(({ role }) => role !== 'speaker');
  const isRefused = inTheWay.length > 0;
  return [
    ...inTheWay.map(refusalOf),
    // Whoever answers may be a controller that bears other labels.
    ...(isRefused ? [] : webhooks)
      .filter(({ name, answeredBy }) => answeredBy.length > 0 && !isOfFrr(name))
      .map(
        ({ name, answeredBy }) =>
          `${answeredBy.join(' and ')} still answers the webhooks of ${name}: stop MetalLB's controller first`,
      ),
    ...definitions
      .filter(({ isTerminating }) => isTerminating)
      .map(
        ({ name }) =>
          `the definition ${name} is being deleted, and its objects with it: wait for its end, and apply the objects again from Git`,
      ),
  ];
}

function refusalOf({ role, kind, namespace, name }: RunningPart): string {
  const who = `${kind} ${namespace}/${name}`;
  if (role === 'operator')
    return `MetalLB's operator still runs (${who}) and would start MetalLB again: stop it with kubectl -n ${namespace} scale deployment/${name} --replicas=0`;
  const remedy =
    kind === 'Deployment'
      ? `stop it with kubectl -n ${namespace} scale deployment/${name} --replicas=0`
      : 'wait until it is gone';
  return `MetalLB's controller still runs (${who}) and would write the same objects: ${remedy}; its speakers may go on`;
}

/** frr-k8s may serve others than MetalLB, and keeps its own webhook while it lives. */
const isOfFrr = (name: string): boolean => name.includes('frr-k8s');

function webhookSteps({ webhooks }: MigrationState): readonly Step[] {
  return webhooks
    .filter(({ answeredBy, isOnlyTheirs }) => answeredBy.length === 0 && isOnlyTheirs)
    .map(({ name, uid }): Step => ({ do: 'DeleteWebhookConfiguration', name, uid }));
}

const conversionSteps = ({ definitions }: MigrationState): readonly Step[] =>
  definitions
    .filter(({ conversion }) => conversion === 'Webhook')
    .map(({ name }): Step => ({ do: 'StopConversion', definition: name }));

function peerSteps({ bgpPeers = [] }: MigrationState): readonly Step[] {
  return bgpPeers.flatMap((peer): Step[] => {
    const patch = changesOf(peer);
    const { namespace = '', name } = peer.metadata;
    const object = { plural: 'bgppeers', version: 'v1beta2', namespace, name };
    return patch.length > 0 ? [{ do: 'ChangeObject', object, patch }] : [];
  });
}

function storageSteps(state: MigrationState): readonly Step[] {
  return state.definitions.filter(isStoredInOldVersions).flatMap((definition): Step[] => {
    const { name, plural, storageVersion, storedVersions } = definition;
    // Not before each of them has been replaced.
    if (plural === 'addresspools' && state.addressPools === undefined) return [];
    return [
      ...(plural === 'addresspools' ? [] : [{ do: 'RewriteObjects', plural, version: storageVersion } as const]),
      { do: 'TrimStoredVersions', definition: name, from: storedVersions, to: [storageVersion] },
    ];
  });
}

const isStoredInOldVersions = ({ storedVersions, storageVersion }: DefinitionState): boolean =>
  storedVersions.some((version) => version !== storageVersion);

function notesOf({ running, webhooks, definitions, bgpPeers = [], hasConfigMap }: MigrationState): string[] {
  const speakers = running.filter(({ role }) => role === 'speaker');
  const lbClass = running.find(({ lbClass }) => lbClass !== '')?.lbClass;
  return [
    ...speakers.map(
      ({ kind, namespace, name }) =>
        `MetalLB's speakers still announce (${kind} ${namespace}/${name}): delete them when Herald is installed, and Herald's take over`,
    ),
    ...(lbClass === undefined ? [] : [`MetalLB served the class ${lbClass}: start Herald with --lb-class=${lbClass}`]),
    ...webhooks
      .filter(({ name, answeredBy }) => answeredBy.length > 0 && isOfFrr(name))
      .map(({ name }) => `${name} stays, because frr-k8s is alive; Herald does not need it`),
    ...webhooks
      .filter(({ answeredBy, isOnlyTheirs }) => answeredBy.length === 0 && !isOnlyTheirs)
      .map(
        ({ name }) =>
          `${name} asks about other kinds too, and is left alone: take MetalLB's webhooks out of it by hand`,
      ),
    ...bgpPeers
      .filter(hasDoubtfulHoldTime)
      .map(
        ({ metadata }) =>
          `BGPPeer ${metadata.namespace}/${metadata.name} has holdTime 0s: MetalLB up to 0.13 took it as 90s, and it means no hold timer`,
      ),
    ...(hasConfigMap
      ? ['the ConfigMap metallb-system/config is of MetalLB 0.12 and older: herald convert makes manifests of it']
      : []),
    ...(definitions.some(({ isOurs }) => !isOurs)
      ? ["definitions of MetalLB are in place: when nothing is left to do here, apply Herald's"]
      : []),
  ];
}

function unreadOf({ definitions, bgpPeers, addressPools }: MigrationState): string[] {
  const isThere = (plural: string): boolean => definitions.some((one) => one.plural === plural);
  const unread = (what: string, plural: string, stored: Stored): string[] =>
    stored === undefined && isThere(plural)
      ? [`${what} show as they are stored once the conversion webhook is out of the way: steps for them may follow`]
      : [];
  return [...unread('BGPPeers', 'bgppeers', bgpPeers), ...unread('AddressPools', 'addresspools', addressPools)];
}
