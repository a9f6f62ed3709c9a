/** BGPPeers: whether each makes sense by itself, beside the older ones, and whether what it names can be used. */

import type { BgpPeer } from '../../crds/bgp-peer.ts';
import { formatIp, parseIp } from '../net/address.ts';
import { bgpPeerProblem } from './bgp-peer-rules.ts';
import { matchesAny } from './label-selector.ts';
import { passwordRefs } from './password-secret.ts';
import { type MissingRef, resolvedRefs, withoutBackend } from './refs.ts';
import { byAge, type Scope } from './scope.ts';
import type { NodeObject, Surroundings } from './surroundings.ts';
import { type ObjectRef, objectRef, type Refusal, refused, type Verdict } from './verdict.ts';

/** What peers are judged beside. */
export interface PeerContext extends Scope {
  readonly surroundings: Surroundings;
  /** The names of the BFDProfiles that can be used. */
  readonly bfdProfiles: ReadonlySet<string>;
}

export interface JudgedPeers {
  /** The peers that are not refused. */
  readonly accepted: readonly BgpPeer[];
  readonly verdicts: ReadonlyMap<ObjectRef, Verdict>;
}

/** A refused peer counts for nobody: the next one that leads to the same address takes its place. */
export function judgePeers(objects: readonly BgpPeer[], context: PeerContext): JudgedPeers {
  const neighbours = new Neighbours(context.surroundings.nodes);
  const verdicts = new Map<ObjectRef, Verdict>();
  const accepted: BgpPeer[] = [];
  for (const object of objects.toSorted(byAge)) {
    const refusal = bgpPeerProblem(object.spec) ?? neighbours.refusalOf(object);
    const refs = refusal ? [] : missingRefs(object, context);
    verdicts.set(
      objectRef('BGPPeer', object.metadata),
      refusal ? refused(refusal) : withoutBackend([resolvedRefs(refs)]),
    );
    if (refusal) continue;
    neighbours.add(object);
    accepted.push(object);
  }
  return { accepted, verdicts };
}

function missingRefs(peer: BgpPeer, context: PeerContext): readonly MissingRef[] {
  const { bfdProfile } = peer.spec;
  const missing: MissingRef[] = [];
  if (bfdProfile && !context.bfdProfiles.has(bfdProfile))
    missing.push({ reason: 'ProfileNotFound', message: `There is no BFDProfile ${bfdProfile} in force.` });
  return [...missing, ...passwordRefs(peer, context)];
}

/** The accepted peers, by what a node can have only one of. */
class Neighbours {
  readonly #nodes: readonly NodeObject[];
  readonly #selected = new Map<BgpPeer, ReadonlySet<NodeObject>>();
  readonly #byEnd = new Map<string, BgpPeer[]>();
  readonly #byVrf = new Map<string, BgpPeer[]>();
  readonly #withRouterId: BgpPeer[] = [];

  constructor(nodes: readonly NodeObject[]) {
    this.#nodes = nodes;
  }

  add(peer: BgpPeer): void {
    push(this.#byEnd, endOf(peer), peer);
    push(this.#byVrf, peer.spec.vrf ?? '', peer);
    if (peer.spec.routerID) this.#withRouterId.push(peer);
  }

  refusalOf(peer: BgpPeer): Refusal | undefined {
    const { myASN, vrf = '', routerID } = peer.spec;
    const twin = (this.#byEnd.get(endOf(peer)) ?? []).find((other) => this.#shareNode(peer, other));
    if (twin)
      return {
        reason: 'DuplicatePeer',
        message: `The older BGPPeer ${nameOf(twin)} leads to ${endInWords(peer)} from the same nodes.`,
      };
    const otherId = this.#withRouterId.find(
      (other) => routerID && ipText(other.spec.routerID) !== ipText(routerID) && this.#shareNode(peer, other),
    );
    // RFC 4271 4.2: the BGP Identifier is the same for every peer.
    if (otherId) return contradiction(otherId, `spec.routerID is ${routerID}`, `has ${otherId.spec.routerID}`);
    const otherAs = (this.#byVrf.get(vrf) ?? []).find(
      (other) => other.spec.myASN !== myASN && this.#shareNode(peer, other),
    );
    if (!otherAs) return undefined;
    const where = vrf === '' ? '' : ` in VRF ${vrf}`;
    return contradiction(otherAs, `spec.myASN is ${myASN}${where}`, `has ${otherAs.spec.myASN}`);
  }

  /** Where no node is known they are assumed to share one. */
  #shareNode(a: BgpPeer, b: BgpPeer): boolean {
    if (this.#nodes.length === 0) return true;
    const ofB = this.#nodesOf(b);
    for (const node of this.#nodesOf(a)) if (ofB.has(node)) return true;
    return false;
  }

  #nodesOf(peer: BgpPeer): ReadonlySet<NodeObject> {
    const known = this.#selected.get(peer);
    if (known) return known;
    const selected = new Set(
      this.#nodes.filter(({ metadata }) => matchesAny(peer.spec.nodeSelectors, metadata.labels)),
    );
    this.#selected.set(peer, selected);
    return selected;
  }
}

const contradiction = (older: BgpPeer, ours: string, theirs: string): Refusal => ({
  reason: 'ContradictsPeer',
  message: `${ours}, and the older BGPPeer ${nameOf(older)} of the same nodes ${theirs}: a node has one of them.`,
});

/** The far end of the session. The port is no part of it: to a router's neighbour table both are one address. */
const endOf = ({ spec: { peerAddress, interface: name, vrf = '' } }: BgpPeer): string =>
  peerAddress ? `address ${ipText(peerAddress)} ${vrf}` : `interface ${name} ${vrf}`;

const endInWords = ({ spec: { peerAddress, interface: name, vrf } }: BgpPeer): string =>
  `${peerAddress || `interface ${name}`}${vrf ? ` in VRF ${vrf}` : ''}`;

function ipText(text: string | undefined): string {
  const address = parseIp(text ?? '');
  return address ? formatIp(address) : (text ?? '');
}

const nameOf = ({ metadata }: BgpPeer): string => `${metadata.namespace}/${metadata.name}`;

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
