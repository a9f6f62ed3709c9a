/** Where pools meet addresses that the cluster has given to others: Service ranges, pods and nodes. */

import type { IpAddressPool } from '../../crds/ip-address-pool.ts';
import { type IpAddress, parseIp } from '../net/address.ts';
import { type AddressRange, contains, formatRange, overlaps, parseRange } from '../net/range.ts';
import { rangesInForce } from './pool-extensions.ts';
import { merged, RangeSet } from './range-set.ts';
import type { NodeObject, PodAddress, Surroundings } from './surroundings.ts';
import { conflicting, type Refusal, type VerdictCondition } from './verdict.ts';

/** Pools are usable in these; a host name is no address. */
const ADDRESS_TYPES: readonly string[] = ['InternalIP', 'ExternalIP'];

/** Nodes are thousands, and between two decisions they are mostly the same. */
const SETS_OF_NODES = new WeakMap<readonly NodeObject[], { readonly pods: RangeSet; readonly own: RangeSet }>();

export class ClusterRanges {
  readonly #surroundings: Surroundings;
  readonly #services: RangeSet;
  readonly #pods: RangeSet;
  readonly #nodes: RangeSet;

  constructor(surroundings: Surroundings) {
    const { nodes, serviceRanges } = surroundings;
    this.#surroundings = surroundings;
    this.#services = setOf(serviceRanges.flatMap(({ spec }) => rangesOf(spec?.cidrs)));
    const sets = SETS_OF_NODES.get(nodes) ?? {
      pods: setOf(nodes.flatMap(podRangesOf)),
      own: setOf(nodes.flatMap(nodeAddressesOf)),
    };
    SETS_OF_NODES.set(nodes, sets);
    this.#pods = sets.pods;
    this.#nodes = sets.own;
  }

  /** Why a pool with these addresses cannot come into force, or undefined. */
  refusalOf({ spec }: IpAddressPool): Refusal | undefined {
    const wanted = setOf(rangesInForce(spec));
    const service = this.#services.overlapWith(wanted);
    if (service) return { reason: 'OverlapsServiceRange', message: this.#serviceSentence(...service) };
    const pod = this.#pods.overlapWith(wanted);
    const living = pod && livingIn(wanted, this.#surroundings.podAddresses)[0];
    if (!living) return undefined;
    const { pod: name, address } = living;
    return {
      reason: 'OverlapsPodRange',
      message: `${this.#podSentence(...pod)} and pod ${name} lives at ${address}.`,
    };
  }

  /** What is not as it should be about a pool in force, or undefined. */
  warningOf(addresses: RangeSet): VerdictCondition | undefined {
    const pod = this.#pods.overlapWith(addresses);
    const node = this.#nodes.overlapWith(addresses);
    const sentences = [
      ...(pod ? [`${this.#podSentence(...pod)} but no living pod has an address of the pool.`] : []),
      ...(node ? [this.#nodeSentence(node[0])] : []),
    ];
    if (sentences.length === 0) return undefined;
    return conflicting(pod ? 'OverlapsPodRange' : 'ContainsNodeAddress', sentences.join(' '));
  }

  /** What the cluster itself uses an address for, as the end of a sentence; undefined for nothing. */
  useOf(address: IpAddress): string | undefined {
    const at = { first: address, last: address };
    if (this.#services.has(address)) return 'lies in a range that the cluster gives to Services';
    if (this.#pods.has(address)) {
      const node = this.#surroundings.nodes.find((one) => meets(podRangesOf(one), at));
      return `lies in the pod range of node ${node?.metadata.name}`;
    }
    if (!this.#nodes.has(address)) return undefined;
    const node = this.#surroundings.nodes.find((one) => meets(nodeAddressesOf(one), at));
    return `is the address of node ${node?.metadata.name}`;
  }

  /** Whether the pool meets a range of pod addresses, so that it matters where pods live. */
  meetsPodRange({ spec }: IpAddressPool): boolean {
    return this.#pods.overlapWith(setOf(rangesInForce(spec))) !== undefined;
  }

  #serviceSentence(theirs: AddressRange, ours: AddressRange): string {
    const range = this.#surroundings.serviceRanges.find(({ spec }) => meets(rangesOf(spec?.cidrs), theirs));
    return `${formatRange(ours)} overlaps ${formatRange(theirs)}, which the cluster gives to Services (ServiceCIDR ${range?.metadata.name}).`;
  }

  #podSentence(theirs: AddressRange, ours: AddressRange): string {
    const node = this.#surroundings.nodes.find((one) => meets(podRangesOf(one), theirs));
    const range = node && podRangesOf(node).find((one) => overlaps(one, ours));
    return `${formatRange(ours)} overlaps ${formatRange(range ?? theirs)}, the pod range of node ${node?.metadata.name},`;
  }

  #nodeSentence(theirs: AddressRange): string {
    const node = this.#surroundings.nodes.find((one) => meets(nodeAddressesOf(one), theirs));
    const address = node && nodeAddressesOf(node).find((one) => contains(theirs, one.first));
    return `The pool has ${formatRange(address ?? theirs).replace(/\/\d+$/, '')}, the address of node ${node?.metadata.name}.`;
  }
}

const rangesOf = (texts: readonly string[] | undefined): readonly AddressRange[] =>
  (texts ?? []).map(parseRange).filter((range) => typeof range !== 'string');

const podRangesOf = ({ spec }: NodeObject): readonly AddressRange[] => rangesOf(spec?.podCIDRs);

function nodeAddressesOf({ status }: NodeObject): readonly AddressRange[] {
  const texts = (status?.addresses ?? []).filter(({ type }) => ADDRESS_TYPES.includes(type));
  return texts.flatMap(({ address }) => {
    const one = parseIp(address);
    return one ? [{ first: one, last: one }] : [];
  });
}

const meets = (ranges: readonly AddressRange[], other: AddressRange): boolean =>
  ranges.some((range) => overlaps(range, other));

/** Of all pods those that have an address of one of the pools. */
export function podsIn(pools: readonly IpAddressPool[], pods: readonly PodAddress[]): readonly PodAddress[] {
  return livingIn(setOf(pools.flatMap(({ spec }) => rangesInForce(spec))), pods);
}

function livingIn(addresses: RangeSet, pods: readonly PodAddress[]): readonly PodAddress[] {
  return pods.filter(({ address: text }) => {
    const address = parseIp(text);
    return address !== undefined && addresses.has(address);
  });
}

const setOf = (ranges: readonly AddressRange[]): RangeSet => new RangeSet(merged(ranges));
