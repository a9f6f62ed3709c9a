/** What a change of the configuration would do, by the operator's own code: pure data, printed elsewhere. */

import { configAnnotations } from '../../../crds/annotations.ts';
import type { IpAddressPool } from '../../../crds/ip-address-pool.ts';
import { keyOf, splitKey } from '../../cluster/objects.ts';
import { allowsDisruption } from '../../config/breaks.ts';
import { ClusterRanges } from '../../config/cluster-ranges.ts';
import { disruptionHash } from '../../config/pool-content.ts';
import { objectRef } from '../../config/verdict.ts';
import type { ClusterSnapshot } from '../gather.ts';
import type { ManifestProblem } from '../manifests/manifest.ts';
import { movedByOrder } from './arrival-order.ts';
import { type Change, changedCluster, type ObjectChange } from './changed-snapshot.ts';
import { type Forecast, OperatorModel } from './forecast.ts';
import { type ObjectOutcome, objectOutcomes, refusalOf } from './object-outcome.ts';
import { type ServiceContext, type ServiceOutcome, serviceOutcomes } from './service-outcome.ts';

/** `Breaks`: Services lose something that nobody allowed, or the operator refuses an object. */
export type PlanOutcome = 'Nothing' | 'Changes' | 'Breaks';

/** A change of a pool that the operator refuses because Services would lose addresses, and what would allow it. */
export interface Disruption {
  /** `namespace/name` */
  readonly pool: string;
  readonly annotation: string;
  readonly hash: string;
  readonly message: string;
}

/** How many addresses a node answers for. */
export interface NodeOutcome {
  readonly node: string;
  readonly before: number;
  readonly after: number;
}

export interface Plan {
  readonly outcome: PlanOutcome;
  readonly objects: readonly ObjectOutcome[];
  /** What happens when the change is applied as it is. */
  readonly services: readonly ServiceOutcome[];
  readonly unchangedServices: number;
  readonly disruptions: readonly Disruption[];
  /** What would happen besides, if the disruptions were allowed. */
  readonly ifAllowed: readonly ServiceOutcome[];
  readonly nodes: readonly NodeOutcome[];
  /** Sentences about what this plan does not know. */
  readonly notes: readonly string[];
}

/** Allowing one change may bring another one to light; a change has only so many pools. */
const MAX_ALLOWED = 100;
const NOTHING: ReadonlySet<string> = new Set();

/** The plan, and what is wrong with the manifests: with an error among that there is no plan. */
export function planOf(
  snapshot: ClusterSnapshot,
  change: Change,
): { readonly plan?: Plan; readonly problems: readonly ManifestProblem[] } {
  const changed = changedCluster(snapshot, change);
  const { problems, changes } = changed;
  if (problems.some(({ severity }) => severity === 'Error')) return { problems };
  const before = new OperatorModel(snapshot).forecast();
  const step: Step = { before: snapshot, after: changed.snapshot, changes };
  const after = forecastOf(step);
  const refused = disruptionsOf(changes, changed.snapshot, before, after);
  const context = contextOf(changed.snapshot, changes);
  const services = serviceOutcomes(before, after, context);
  const objects = objectOutcomes(changes, before, after);
  const { disruptions, forecast } = allow(step, refused);
  const isBroken = disruptions.length > 0 || services.some((one) => one.isBroken) || objects.some((o) => o.isRefused);
  const hasChanged = objects.length > 0 || services.length > 0;
  return {
    problems,
    plan: {
      outcome: isBroken ? 'Breaks' : hasChanged ? 'Changes' : 'Nothing',
      objects,
      services,
      unchangedServices: after.decisions.size - services.filter(({ service }) => after.decisions.has(service)).length,
      disruptions,
      ifAllowed: forecast ? serviceOutcomes(after, forecast, { ...context, allowed: NOTHING }) : [],
      nodes: nodeOutcomes(before, after),
      notes: [
        ...notesOf(step, before),
        ...refusalNotes(changes, after),
        ...orderNotes(movedByOrder(snapshot, change, after)),
      ],
    },
  };
}

/** What is before a change and after it, and what it touches. */
interface Step {
  readonly before: ClusterSnapshot;
  readonly after: ClusterSnapshot;
  readonly changes: readonly ObjectChange[];
}

function forecastOf({ before, after, changes }: Step): Forecast {
  const operator = new OperatorModel(before);
  const services = changes.filter(({ kind, action }) => kind === 'Service' && action !== 'Keep');
  operator.change(
    after,
    services.map(({ key }) => key),
  );
  return operator.forecast();
}

/** Refusals that the change brings about: of pools that it touches, or that were not refused before. */
function disruptionsOf(
  changes: readonly ObjectChange[],
  { pools }: ClusterSnapshot,
  before: Forecast,
  after: Forecast,
): readonly Disruption[] {
  const touched = new Set(changes.filter(({ action }) => action !== 'Keep').map(({ kind, key }) => `${kind}/${key}`));
  const isNew = (ref: string): boolean => touched.has(ref) || breakOf(before, ref) === undefined;
  return pools
    .filter(({ metadata }) => isNew(objectRef('IPAddressPool', metadata)))
    .flatMap((pool) => disruptionOf(pool, after));
}

const breakOf = ({ config }: Forecast, ref: string): string | undefined =>
  config.verdicts.get(ref)?.conditions.find(({ type, reason }) => type === 'Stalled' && reason === 'WouldBreakServices')
    ?.message;

function contextOf({ pools, services }: ClusterSnapshot, changes: readonly ObjectChange[]): ServiceContext {
  const byKey = new Map(services.map((service) => [keyOf(service), service]));
  const changed = changes.filter(({ kind, action }) => kind === 'Service' && action !== 'Keep');
  return {
    changed: new Set(changed.map(({ key }) => key)),
    allowed: new Set(pools.filter(allowsDisruption).map(({ metadata }) => metadata.name)),
    namespaceOf: (key) => key.split('/')[0] ?? '',
    labelsOf: (key) => byKey.get(key)?.metadata.labels,
  };
}

/** The same change with the annotations that allow it; to allow one pool's may bring that of another one to light. */
function allow(
  step: Step,
  refused: readonly Disruption[],
): { readonly disruptions: readonly Disruption[]; readonly forecast?: Forecast } {
  if (refused.length === 0) return { disruptions: [] };
  const disruptions = [...refused];
  for (let round = 0; round < MAX_ALLOWED; round++) {
    const allowed = new Set(disruptions.map(({ pool }) => pool));
    const pools = step.after.pools.map((pool) => (allowed.has(keyOf(pool)) ? withPermission(pool) : pool));
    const forecast = forecastOf({ ...step, after: { ...step.after, pools } });
    const more = pools.filter((pool) => !allowed.has(keyOf(pool))).flatMap((pool) => disruptionOf(pool, forecast));
    if (more.length === 0) return { disruptions, forecast };
    disruptions.push(...more);
  }
  return { disruptions };
}

function disruptionOf(pool: IpAddressPool, forecast: Forecast): readonly Disruption[] {
  const message = breakOf(forecast, objectRef('IPAddressPool', pool.metadata));
  if (message === undefined) return [];
  return [{ pool: keyOf(pool), annotation: configAnnotations.allowDisruption, hash: disruptionHash(pool), message }];
}

function withPermission(pool: IpAddressPool): IpAddressPool {
  const annotations = { ...pool.metadata.annotations, [configAnnotations.allowDisruption]: disruptionHash(pool) };
  return { ...pool, metadata: { ...pool.metadata, annotations } };
}

function nodeOutcomes(before: Forecast, after: Forecast): readonly NodeOutcome[] {
  const [was, is] = [countsOf(before), countsOf(after)];
  const nodes = [...new Set([...was.keys(), ...is.keys()])].sort();
  return nodes
    .map((node) => ({ node, before: was.get(node) ?? 0, after: is.get(node) ?? 0 }))
    .filter((one) => one.before !== one.after);
}

function countsOf({ owners }: Forecast): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const owner of [...owners.values()].flatMap((addresses) => [...addresses.values()]))
    if ('node' in owner) counts.set(owner.node, (counts.get(owner.node) ?? 0) + 1);
  return counts;
}

function notesOf({ before: snapshot, after }: Step, { decisions }: Forecast): readonly string[] {
  const heldBy = (key: string): number => shown.get(key)?.status?.loadBalancer?.ingress?.length ?? 0;
  const shown = new Map(snapshot.services.map((service) => [keyOf(service), service]));
  const behind = [...decisions].filter(
    ([key, decision]) => (decision.outcome === 'Assigned' ? decision.addresses.length : 0) !== heldBy(key),
  );
  return [
    ...[...snapshot.unread].map(([kind, why]) => `${kind} cannot be read, and count as none: ${why}.`),
    ...(behind.length > 0
      ? [`Even without this change, ${behind.length} Services will get other addresses: the operator is not done yet.`]
      : []),
    ...podNotes(snapshot, after),
  ];
}

/** What the files ask for and the operator refuses already: nothing changes by that, and it is not in force either. */
function refusalNotes(changes: readonly ObjectChange[], { config }: Forecast): readonly string[] {
  return changes
    .filter(({ action }) => action === 'Keep')
    .flatMap(({ kind, key }) => {
      const refusal = refusalOf(config.verdicts.get(objectRef(kind, splitKey(key))));
      return refusal ? [`${kind} ${key} is refused already, and stays so: ${refusal.message}`] : [];
    });
}

/** How many Services a note names. */
const NAMED_SERVICES = 3;

function orderNotes(moved: readonly string[] | undefined): readonly string[] {
  if (!moved || moved.length === 0) return [];
  const more = moved.length > NAMED_SERVICES ? ` and ${moved.length - NAMED_SERVICES} more` : '';
  const named = `${moved.slice(0, NAMED_SERVICES).join(', ')}${more}`;
  return [`The order matters: object by object, as the files have them, ${named} would get other addresses.`];
}

/** Where pods live is asked for by the operator alone: of a large cluster that is megabytes. */
function podNotes(before: ClusterSnapshot, { pools, nodes, serviceCidrs }: ClusterSnapshot): readonly string[] {
  const known = new Set(before.pools);
  const ranges = new ClusterRanges({ nodes, serviceRanges: serviceCidrs, podAddresses: [] });
  return pools
    .filter((pool) => !known.has(pool) && ranges.meetsPodRange(pool))
    .map((pool) => `Pool ${keyOf(pool)} meets a pod range: the operator refuses it if a pod has one of its addresses.`);
}
