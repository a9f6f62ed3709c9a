/** The links of the chain after the address: an advertisement, endpoints, nodes, and who answers in the end. */

import { serviceConditions } from '../../../crds/annotations.ts';
import type { Reason } from '../../../crds/reasons.ts';
import type { Refusal } from '../../advertising/announcement.ts';
import type { Claim } from '../../advertising/announcements.ts';
import type { AnnouncedService } from '../../advertising/snapshot.ts';
import { conditionOf } from '../../cluster/conditions.ts';
import { type Condition, keyOf, type Service } from '../../cluster/objects.ts';
import type { Decisions } from '../decisions.ts';
import type { ClusterSnapshot } from '../gather.ts';
import { advertisementDetails } from './advertisements.ts';
import { type Announcer, announcerInWords, announcersByService } from './announcers.ts';
import { endpointsInWords, missingEndpoints } from './endpoints.ts';
import { type Detail, type Step, step } from './explanation.ts';
import { nodeDetails } from './nodes.ts';

type Link = 'advertisement' | 'endpoints' | 'nodes';

/** Which link of the chain each refusal of the speakers breaks. */
const LINK_OF: Partial<Readonly<Record<Reason, Link>>> = {
  AddressInUse: 'advertisement',
  NoPool: 'advertisement',
  NoAdvertisement: 'advertisement',
  NoEndpoints: 'endpoints',
  NoEligibleNode: 'nodes',
  NodeExcluded: 'nodes',
  NodeNetworkUnavailable: 'nodes',
  NoLocalEndpoints: 'nodes',
};

/** All that the links are worded from. */
interface Case {
  readonly service: Service;
  readonly seen: AnnouncedService;
  readonly snapshot: ClusterSnapshot;
  readonly decisions: Decisions;
  readonly announcers: readonly Announcer[];
  /** Missing where the operator has not written it. */
  readonly told: Condition | undefined;
  readonly claim: Claim | undefined;
  readonly refusal: Refusal | undefined;
}

/** The links up to the first "no". */
export function announcedSteps(service: Service, snapshot: ClusterSnapshot, decisions: Decisions): readonly Step[] {
  const seen = decisions.announced.get(keyOf(service));
  if (!seen) return [];
  const claims = decisions.claimsOf(seen).map(({ claim }) => claim);
  const refusal = claims.find((claim): claim is Refusal => 'reason' in claim);
  const claim = claims.find((one): one is Claim => !('reason' in one));
  const told = conditionOf(service.status?.conditions, serviceConditions.announced);
  const announcers = announcersByService(snapshot).get(seen.key) ?? [];
  const it: Case = { service, seen, snapshot, decisions, announcers, told, claim, refusal };
  const broken = refusal && (LINK_OF[refusal.reason] ?? 'nodes');
  const steps: Step[] = [];
  for (const link of ['advertisement', 'endpoints', 'nodes'] as const) {
    const { message, details } = WORDS[link](it);
    if (link === broken) return [...steps, no(link, it, refusal as Refusal, details)];
    steps.push(step(link, 'yes', message, { details: link === 'nodes' ? [] : details }));
  }
  return [...steps, announcedStep(it)];
}

/** The broken link: in the words that were written, and the detail as it is now. */
function no(link: Link, it: Case, refusal: Refusal, details: readonly Detail[]): Step {
  const { told, snapshot, service, seen } = it;
  const why = refusal.reason === 'NoEndpoints' ? missingEndpoints(seen.key, service, snapshot) : refusal.message;
  if (told?.status !== 'False') return step(link, 'no', why, { reason: refusal.reason, details });
  const isSame = told.reason === refusal.reason;
  const message = isSame && refusal.reason === 'NoEndpoints' ? why : sentence(told.message);
  const more = isSame ? '' : `; by now: ${why}`;
  return step(link, 'no', `${message}${more}`, { reason: told.reason as Reason, source: 'speakers', details });
}

const WORDS: Readonly<Record<Link, (it: Case) => { readonly message: string; readonly details: readonly Detail[] }>> = {
  advertisement({ seen, snapshot, decisions }) {
    const pool = decisions.coverage.poolOf(seen.addresses[0] ?? '');
    const details = advertisementDetails(seen, pool, snapshot, decisions);
    const names = details.filter(({ verdict }) => verdict === 'covers').map(({ subject }) => subject);
    return {
      message: `${names.join(' and ')} ${names.length === 1 ? 'covers' : 'cover'} pool ${pool?.name ?? ''}`,
      details: names.length > 0 ? [] : details,
    };
  },
  endpoints: ({ seen }) => ({ message: endpointsInWords(seen), details: [] }),
  nodes: (it) => ({
    message: `${(it.claim?.candidates ?? []).join(', then ')} may announce`,
    details: nodesOf(it),
  }),
};

function nodesOf({ seen, claim, announcers, snapshot, decisions }: Case): readonly Detail[] {
  const pool = decisions.coverage.poolOf(seen.addresses[0] ?? '');
  const covering = pool ? decisions.coverage.coveringOf(pool, seen.labels) : [];
  return nodeDetails({ service: seen, covering, announcers, ...(claim && { claim }) }, snapshot, decisions);
}

/** The end of the chain: what the speakers report about an address that can be announced. */
function announcedStep(it: Case): Step {
  const { told, announcers, snapshot } = it;
  const details = nodesOf(it);
  if (told?.status === 'False') return notAnnounced(told, details);
  if (told?.status !== 'True' && announcers.length === 0) return notReported(told, details);
  const by = announcers.map((announcer) => announcerInWords(announcer, snapshot.takenAt)).join(', ');
  return step('announced', 'yes', by || sentence(told?.message ?? ''), { source: 'speakers', details });
}

function notAnnounced(told: Condition, details: readonly Detail[]): Step {
  // What it names is no longer so, and the next report will say it.
  const isOver = LINK_OF[told.reason as Reason] !== undefined;
  const message = `${sentence(told.message)}${isOver ? '; by now nothing stands in the way' : ''}`;
  return step('announced', isOver ? 'unknown' : 'no', message, { ...said(told), details });
}

/** Nobody has written anything: then what keeps the nodes from it, if anything does. */
function notReported(told: Condition | undefined, details: readonly Detail[]): Step {
  const fault = details.find(({ reason }) => reason === 'NoSpeaker' || reason === 'NoInterface');
  if (told) return step('announced', 'unknown', sentence(told.message), { ...said(told), details });
  if (fault?.reason && !details.some(({ verdict }) => verdict === 'eligible'))
    return step('announced', 'no', fault.message, { reason: fault.reason, details });
  const message = 'no speaker has reported that it announces it yet';
  return step('announced', 'unknown', message, { reason: 'NotReported', details });
}

const said = ({ reason }: Condition): Pick<Step, 'reason' | 'source'> => ({
  reason: reason as Reason,
  source: 'speakers',
});

const sentence = (text: string): string => text.replace(/\.$/, '');
