/** What each node says about announcing a Service. */

import type { Claim } from '../../advertising/announcements.ts';
import { nodeRefusal } from '../../advertising/announcements.ts';
import type { CoveringAdvertisement } from '../../advertising/coverage.ts';
import type { AnnouncedService } from '../../advertising/snapshot.ts';
import type { Decisions } from '../decisions.ts';
import type { ClusterSnapshot } from '../gather.ts';
import type { Announcer } from './announcers.ts';
import type { Detail } from './explanation.ts';

/** The label value of a speaker's pod. */
const SPEAKER = 'speaker';

export interface NodeQuestion {
  readonly service: AnnouncedService;
  readonly covering: readonly CoveringAdvertisement[];
  /** Missing where nobody may own the address. */
  readonly claim?: Claim;
  readonly announcers: readonly Announcer[];
}

/** One line for each node: first those that may own the address, in the order in which they would. */
export function nodeDetails(
  question: NodeQuestion,
  snapshot: ClusterSnapshot,
  decisions: Decisions,
): readonly Detail[] {
  const order = question.claim?.candidates ?? [];
  const names = snapshot.nodes.map(({ metadata }) => metadata.name).sort();
  const others = names.filter((name) => !order.includes(name));
  return [...order, ...others].map((name) => ({
    subject: `node ${name}`,
    ...nodeDetail(name, order.indexOf(name), question, snapshot, decisions),
  }));
}

function nodeDetail(
  name: string,
  place: number,
  { service, covering, announcers }: NodeQuestion,
  snapshot: ClusterSnapshot,
  decisions: Decisions,
): Omit<Detail, 'subject'> {
  if (announcers.some(({ node }) => node === name)) return { verdict: 'announces', message: placeInWords(place) };
  const refusal = nodeRefusal(service, decisions.coverage, covering, name);
  if (refusal) return { verdict: 'refused', ...refusal };
  const fault = faultOf(name, service.key, snapshot);
  if (fault) return { verdict: 'refused', ...fault };
  return announcers.length > 0
    ? { verdict: 'stands by', message: placeInWords(place) }
    : { verdict: 'eligible', message: placeInWords(place) };
}

const placeInWords = (place: number): string =>
  place < 0 ? 'not in the order of this Service' : place === 0 ? 'first in order' : `number ${place + 1} in order`;

/** What keeps a node that may announce from doing it: its speaker says so, or it has none. */
function faultOf(
  name: string,
  service: string,
  snapshot: ClusterSnapshot,
): (Pick<Detail, 'message'> & Required<Pick<Detail, 'reason'>>) | undefined {
  if (!hasSpeaker(name, snapshot)) return { reason: 'NoSpeaker', message: `no speaker is ready on node ${name}` };
  const report = snapshot.nodeAnnouncements.find(
    ({ metadata: m }) => m.name === name && m.namespace === snapshot.installation.namespace,
  );
  const fault = report?.exceptions.find((each) => each.service === service) ?? report?.reasons[0];
  return fault && { reason: fault.reason as NonNullable<Detail['reason']>, message: fault.message };
}

/** An export without pods, and a user who may not see them, say nothing about speakers. */
export function hasSpeaker(node: string, { pods, installation }: ClusterSnapshot): boolean {
  if (pods.length === 0) return true;
  return pods.some(
    ({ metadata, spec, status }) =>
      metadata.namespace === installation.namespace &&
      metadata.labels?.['app.kubernetes.io/component'] === SPEAKER &&
      spec?.nodeName === node &&
      (status?.conditions ?? []).some((one) => one.type === 'Ready' && one.status === 'True'),
  );
}
