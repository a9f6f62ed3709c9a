/** Asks the network for addresses before their first use, on every interface on which they would be announced. */

import type { ProbeResult } from '../../../crds/node-announcement.ts';
import type { HostNetwork, InterfaceInfo } from '../../host/host-network.ts';
import { type IpAddress, parseIp } from '../../net/address.ts';
import type { FromWire, ProbeRequest, ToWire } from '../messages.ts';
import type { Clock } from './clock.ts';
import { type EligibleInterface, isEligible, speaksArp, speaksNdp } from './eligibility.ts';
import { InterfaceProbe, type InterfaceVerdict } from './interface-probe.ts';
import { probeMachine, type RandomOctets } from './probe-machine.ts';

export interface ProberOptions {
  readonly host: HostNetwork;
  readonly clock: Clock;
  readonly random: RandomOctets;
  readonly post: (message: FromWire) => void;
}

type Wanted = Extract<ToWire, { kind: 'Probe' }>;
/** What is said of a probe beside its address and uid. */
type Verdict = Omit<ProbeResult, 'address' | 'uid'>;

/** One probe: under way on some interfaces, or ended. */
interface Probe {
  readonly request: ProbeRequest;
  readonly running: Map<string, InterfaceProbe>;
  /** What was said on interfaces that have ended without a conflict. */
  readonly heard: InterfaceVerdict[];
  result?: ProbeResult;
}

/** Idempotent: `desire` takes the whole set, begins what is new in it and drops what is no longer. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #probes = new Map<string, Probe>();
  #isClosed = false;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  desire({ probes, excludeInterfaces }: Wanted): void {
    if (this.#isClosed) return;
    const wanted = new Set(probes.map(({ uid }) => uid));
    for (const [uid, probe] of this.#probes) if (!wanted.has(uid)) this.#drop(uid, probe);
    // One that cannot be read has been told by the wire, which the same text was given to.
    const excluded = excludeInterfaces === '' ? undefined : expressionOf(excludeInterfaces);
    for (const request of probes) if (!this.#probes.has(request.uid)) this.#begin(request, excluded);
  }

  /** Drops all; idempotent. */
  close(): void {
    this.#isClosed = true;
    for (const [uid, probe] of this.#probes) this.#drop(uid, probe);
  }

  #drop(uid: string, { running }: Probe): void {
    for (const each of running.values()) each.close();
    this.#probes.delete(uid);
  }

  #begin(request: ProbeRequest, excluded: RegExp | undefined): void {
    const probe: Probe = { request, running: new Map(), heard: [] };
    this.#probes.set(request.uid, probe);
    const interfaces = this.#options.host.interfaces();
    const where = placeOf(request, interfaces, excluded);
    if ('result' in where) {
      this.#end(probe, where);
      return;
    }
    const ownMacs = new Set(interfaces.flatMap(({ mac }) => mac ?? []));
    for (const info of where.speaking) this.#prepare(probe, where.address, info, ownMacs);
    for (const each of [...probe.running.values()]) each.start();
  }

  #prepare(probe: Probe, address: IpAddress, info: EligibleInterface, ownMacs: ReadonlySet<string>): void {
    const { host, clock, random } = this.#options;
    const each = new InterfaceProbe({
      host,
      clock,
      interfaceIndex: info.index,
      machine: probeMachine(address, info, ownMacs, random),
      onVerdict: (verdict) => this.#onVerdict(probe, info.name, verdict),
    });
    probe.running.set(info.name, each);
  }

  #onVerdict(probe: Probe, name: string, verdict: InterfaceVerdict): void {
    probe.running.delete(name);
    if (probe.result) return;
    if (verdict.kind === 'Conflict') {
      this.#end(probe, { result: 'Conflict', mac: verdict.mac, interface: name });
      return;
    }
    probe.heard.push(verdict.kind === 'Failed' ? { ...verdict, message: `${name}: ${verdict.message}` } : verdict);
    if (probe.running.size === 0) this.#end(probe, summaryOf(probe.heard));
  }

  #end(probe: Probe, verdict: Verdict): void {
    const { uid, address } = probe.request;
    probe.result = { address, uid, ...verdict };
    for (const each of probe.running.values()) each.close();
    probe.running.clear();
    const results = [...this.#probes.values()].flatMap(({ result }) => result ?? []);
    this.#options.post({ kind: 'Probed', results });
  }
}

/** Free where some interface has asked to the end; the others are told. */
function summaryOf(heard: readonly InterfaceVerdict[]): Verdict {
  const failures = heard.flatMap((verdict) => (verdict.kind === 'Failed' ? verdict.message : []));
  const result = failures.length < heard.length ? 'Free' : 'Failed';
  return { result, ...(failures.length > 0 && { message: failures.join('; ') }) };
}

/** What to ask for and on which interfaces; or what there is to say without asking. */
function placeOf(
  request: ProbeRequest,
  interfaces: readonly InterfaceInfo[],
  excluded: RegExp | undefined,
): Verdict | { readonly address: IpAddress; readonly speaking: readonly EligibleInterface[] } {
  const address = parseIp(request.address);
  if (!address) return { result: 'Failed', message: 'it is not an IP address' };
  const own = interfaces.find((info) => hasItself(info, address));
  if (own) return byThisNode(own);
  const eligible = interfaces.filter((info) => isEligible(info, excluded)).filter((info) => isWanted(info, request));
  const speaking = eligible.filter(address.family === 4 ? speaksArp : speaksNdp);
  if (speaking.length > 0) return { address, speaking };
  return { result: 'Failed', message: noInterface(address, eligible) };
}

/** The address itself on this host, where others would be answered for it; not as kube-proxy keeps all of them on a dummy interface. */
const hasItself = ({ hasArp, isLoopback, addresses }: InterfaceInfo, wanted: IpAddress): boolean =>
  hasArp &&
  !isLoopback &&
  addresses.some(({ address }) => address.family === wanted.family && address.value === wanted.value);

const byThisNode = ({ name, mac }: InterfaceInfo): Verdict => ({
  result: 'Conflict',
  ...(mac !== undefined && { mac }),
  interface: name,
  message: 'it is an address of this node itself',
});

const isWanted = ({ name }: InterfaceInfo, { interfaces }: ProbeRequest): boolean =>
  interfaces === 'all' || interfaces.includes(name);

const noInterface = ({ family }: IpAddress, eligible: readonly InterfaceInfo[]): string =>
  eligible.length === 0
    ? 'no interface is there on which it would be announced'
    : `none of ${eligible.map(({ name }) => name).join(', ')} speaks ${family === 4 ? 'ARP' : 'NDP'}`;

function expressionOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern);
  } catch {
    return undefined;
  }
}
