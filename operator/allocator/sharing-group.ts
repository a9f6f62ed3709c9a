/** The addresses that Services hold under one sharing key, to find the lowest that another one may share. */

import type { Pool } from '../config/pool.ts';
import type { SharingTerms } from '../config/sharing.ts';
import type { Family } from './service-request.ts';
import { SortedList } from './sorted-list.ts';

/** One address of the group: which of its ports are in use by whom. */
interface Member {
  readonly holders: Set<string>;
  readonly ports: Map<string, string>;
}

/**
 * Services of one group may share unless a port of theirs is taken: they have the key, the backend and, unless the
 * pool and the traffic policy let it cross, the namespace in common.
 */
export const groupKeyOf = (
  { namespace, sharingKey, backend }: SharingTerms,
  { sharesAcrossNamespaces }: Pick<Pool, 'sharesAcrossNamespaces'>,
): string => [sharesAcrossNamespaces && backend === '' ? '' : namespace, backend, sharingKey].join('\n');

const byValue = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

/** Of one family. */
class AddressesOfGroup {
  readonly #members = new Map<bigint, Member>();
  readonly #values = new SortedList(byValue);
  /** By port: every address of the group below this one has the port in use. */
  readonly #busyBelow = new Map<string, bigint>();
  #highestBusy = 0n;

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  add(value: bigint, { key, ports }: SharingTerms): void {
    const member = this.#members.get(value) ?? this.#join(value);
    member.holders.add(key);
    for (const port of ports) member.ports.set(port, key);
  }

  remove(value: bigint, { key, ports }: SharingTerms): void {
    const member = this.#members.get(value);
    if (!member?.holders.delete(key)) return;
    for (const port of ports) {
      if (member.ports.get(port) === key) member.ports.delete(port);
      if ((this.#busyBelow.get(port) ?? 0n) > value) this.#busyBelow.set(port, value);
    }
    if (member.holders.size > 0) return;
    this.#members.delete(value);
    this.#values.remove(value);
  }

  /** The addresses, ascending, of which none of `ports` is in use. */
  *open(ports: readonly string[]): Generator<bigint> {
    let watched = ports.reduce<string | undefined>((best, port) => this.#laterOf(best, port), undefined);
    for (const value of this.#values.from(this.#busyBelowOf(watched))) {
      const busy = this.#members.get(value)?.ports;
      const taken = busy && ports.find((port) => busy.has(port));
      if (taken === undefined) yield value;
      // The marks may only move over addresses that have one and the same port in use, from the lowest on.
      if (watched === undefined && value === this.#values.first) watched = taken;
      if (watched !== undefined && busy?.has(watched)) this.#markBusy(watched, value + 1n);
      else watched = undefined;
    }
  }

  /** The lowest address, and who has one of `ports` there. */
  firstConflict(ports: readonly string[]): { value: bigint; port: string; holder: string } | undefined {
    const value = this.#values.first;
    const busy = value === undefined ? undefined : this.#members.get(value)?.ports;
    const port = ports.find((one) => busy?.has(one));
    return value === undefined || port === undefined ? undefined : { value, port, holder: busy?.get(port) ?? '' };
  }

  #join(value: bigint): Member {
    const member: Member = { holders: new Set(), ports: new Map() };
    this.#members.set(value, member);
    this.#values.add(value);
    if (value < this.#highestBusy) {
      for (const [port, below] of this.#busyBelow) if (below > value) this.#busyBelow.set(port, value);
      this.#highestBusy = value;
    }
    return member;
  }

  #laterOf(a: string | undefined, b: string): string | undefined {
    return this.#busyBelowOf(b) > this.#busyBelowOf(a) ? b : a;
  }
  #busyBelowOf(port: string | undefined): bigint {
    return port === undefined ? 0n : (this.#busyBelow.get(port) ?? 0n);
  }
  #markBusy(port: string, below: bigint): void {
    this.#busyBelow.set(port, below);
    if (below > this.#highestBusy) this.#highestBusy = below;
  }
}

export class SharingGroup {
  readonly #families = { 4: new AddressesOfGroup(), 6: new AddressesOfGroup() };

  get isEmpty(): boolean {
    return this.#families[4].isEmpty && this.#families[6].isEmpty;
  }
  of(family: Family): AddressesOfGroup {
    return this.#families[family];
  }
}
