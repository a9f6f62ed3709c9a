/** The in-kernel responder: its maps, its program, and a link per interface, kept in line with what is wanted. */

import type { MacAddress } from '../../net/mac.ts';
import { HostError } from '../host-error.ts';
import type { InKernelResponder, KernelCounters, KernelEntry } from '../in-kernel-responder.ts';
import { closeDescriptor } from '../libc.ts';
import { readLease } from './lease-map.ts';
import {
  addressKey,
  addressText,
  addressValue,
  GUARDED,
  interfaceKey,
  interfaceValue,
  OWNED,
  readCounters,
  storedAddresses,
} from './maps.ts';
import { type BpfObject, linkedInstructions, type MapShape } from './object-file.ts';
import { linkPin, mapPin, pinnedInterfaces, preparePins, removePins, unpin } from './pins.ts';
import {
  createLink,
  createMap,
  deleteElement,
  loadProgram,
  lookupElement,
  pinnedObject,
  pinObject,
  shapeOf,
  updateElement,
  updateLink,
} from './system-call.ts';

const PROGRAM = 'herald_answer';
const MAPS = ['addresses', 'interfaces', 'lease', 'counters'] as const;
type MapName = (typeof MAPS)[number];

/** An element of the map of addresses, and whom to tell about it. */
interface Stored {
  flags: number;
  /** As far as it was told. */
  answered: number;
  entry: KernelEntry | undefined;
}

export class KernelResponder implements InKernelResponder {
  readonly isPinned: boolean;
  readonly adopted: number;
  readonly #folder: string;
  readonly #maps: ReadonlyMap<MapName, number>;
  readonly #program: number;
  readonly #links = new Map<number, number>();
  /** What the map of addresses holds, by interface and text of the address. */
  readonly #stored = new Map<number, Map<string, Stored>>();
  #totalAnswered = -1;
  #isSettled = false;
  #isClosed = false;

  /**
   * Adopts the maps pinned in `folder` while their lease runs, else makes new ones; loads the program.
   *
   * @throws {HostError} what the kernel refuses
   */
  constructor(object: BpfObject, folder: string) {
    this.#folder = folder;
    const canPin = preparePins(folder);
    const inherited = canPin ? pinnedMaps(folder, object.maps) : undefined;
    if (canPin && !inherited) removePins(folder);
    this.isPinned = canPin && (inherited !== undefined || preparePins(folder));
    this.#maps = inherited ?? this.#createMaps(object);
    if (inherited) this.#readStored();
    this.adopted = [...this.#stored.values()].reduce((sum, { size }) => sum + size, 0);
    const descriptors: ReadonlyMap<string, number> = this.#maps;
    this.#program = loadProgram(PROGRAM, linkedInstructions(object, descriptors));
  }

  get leaseMap(): number {
    return this.#map('lease');
  }

  attach(interfaceIndex: number, mac: MacAddress): void {
    if (this.#isClosed) return;
    updateElement(this.#map('interfaces'), interfaceKey(interfaceIndex), interfaceValue(mac));
    if (this.#links.has(interfaceIndex)) return;
    const link = this.#adoptLink(interfaceIndex) ?? createLink(this.#program, interfaceIndex);
    this.#links.set(interfaceIndex, link);
    const pin = linkPin(this.#folder, interfaceIndex);
    if (this.isPinned && !pinnedInterfaces(this.#folder).includes(interfaceIndex)) pinObject(link, pin);
  }

  detach(interfaceIndex: number): void {
    if (this.#isClosed) return;
    this.#removeLink(interfaceIndex);
    for (const text of this.#stored.get(interfaceIndex)?.keys() ?? []) this.#delete(interfaceIndex, text);
    this.#stored.delete(interfaceIndex);
    deleteElement(this.#map('interfaces'), interfaceKey(interfaceIndex));
  }

  setAddresses(interfaceIndex: number, entries: readonly KernelEntry[]): void {
    if (this.#isClosed) return;
    const stored = this.#stored.get(interfaceIndex) ?? new Map<string, Stored>();
    this.#stored.set(interfaceIndex, stored);
    const wanted = new Set<string>();
    for (const entry of entries) {
      const text = addressText(entry.ip);
      wanted.add(text);
      this.#put(interfaceIndex, stored, text, entry);
    }
    if (stored.size > wanted.size)
      for (const text of stored.keys()) if (!wanted.has(text)) this.#delete(interfaceIndex, text);
  }

  settle(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    const inherited = [...this.#stored.keys(), ...(this.isPinned ? pinnedInterfaces(this.#folder) : [])];
    for (const index of new Set(inherited)) if (!this.#links.has(index)) this.detach(index);
  }

  readCounters(): KernelCounters {
    const counters = readCounters(this.#map('counters'));
    const total = counters.arpAnswered + counters.ndpAnswered;
    if (total === this.#totalAnswered) return counters;
    this.#totalAnswered = total;
    for (const { interfaceIndex, text, answered } of storedAddresses(this.#map('addresses'))) {
      const known = this.#stored.get(interfaceIndex)?.get(text);
      if (known) tell(known, answered);
    }
    return counters;
  }

  close(): void {
    if (this.#isClosed) return;
    for (const index of [...this.#links.keys(), ...this.#stored.keys()]) this.detach(index);
    this.#isClosed = true;
    if (this.isPinned) removePins(this.#folder);
    this.#closeDescriptors();
  }

  release(): void {
    if (!this.isPinned) {
      this.close();
      return;
    }
    this.#isClosed = true;
    this.#closeDescriptors();
  }

  /** All but that of the lease: the clock thread may be writing to it. */
  #closeDescriptors(): void {
    for (const link of this.#links.values()) closeDescriptor(link);
    closeDescriptor(this.#program);
    for (const [name, map] of this.#maps) if (name !== 'lease') closeDescriptor(map);
  }

  #map(name: MapName): number {
    return this.#maps.get(name) as number;
  }

  #createMaps(object: BpfObject): ReadonlyMap<MapName, number> {
    const maps = new Map(MAPS.map((name) => [name, createMap(`herald_${name}`, object.maps.get(name) as MapShape)]));
    if (this.isPinned) for (const [name, map] of maps) pinObject(map, mapPin(this.#folder, name));
    return maps;
  }

  #readStored(): void {
    for (const { interfaceIndex, text, flags, answered } of storedAddresses(this.#map('addresses'))) {
      const ofInterface = this.#stored.get(interfaceIndex) ?? new Map<string, Stored>();
      this.#stored.set(interfaceIndex, ofInterface.set(text, { flags, answered, entry: undefined }));
    }
  }

  /** The link that a former process pinned, with our program in it; undefined when there is none, or its interface is gone. */
  #adoptLink(interfaceIndex: number): number | undefined {
    if (!this.isPinned) return undefined;
    const pin = linkPin(this.#folder, interfaceIndex);
    const link = pinnedObject(pin);
    if (link === undefined) return undefined;
    try {
      updateLink(link, this.#program);
      return link;
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      closeDescriptor(link);
      unpin(pin);
      return undefined;
    }
  }

  #removeLink(interfaceIndex: number): void {
    const link = this.#links.get(interfaceIndex);
    this.#links.delete(interfaceIndex);
    if (this.isPinned) unpin(linkPin(this.#folder, interfaceIndex));
    if (link !== undefined) closeDescriptor(link);
  }

  #put(interfaceIndex: number, stored: Map<string, Stored>, text: string, entry: KernelEntry): void {
    const flags = entry.isGuarded ? GUARDED : OWNED;
    const known = stored.get(text);
    if (known) known.entry = entry;
    if (known?.flags === flags) return;
    const answered = known?.answered ?? 0;
    updateElement(this.#map('addresses'), addressKey(interfaceIndex, text), addressValue(flags, BigInt(answered)));
    stored.set(text, { flags, answered, entry });
  }

  #delete(interfaceIndex: number, text: string): void {
    const stored = this.#stored.get(interfaceIndex);
    const known = stored?.get(text);
    const key = addressKey(interfaceIndex, text);
    const value = Buffer.alloc(16);
    if (known?.entry && lookupElement(this.#map('addresses'), key, value))
      tell(known, Number(value.readBigUInt64LE(8)));
    deleteElement(this.#map('addresses'), key);
    stored?.delete(text);
  }
}

function tell(stored: Stored, answered: number): void {
  if (answered > stored.answered) stored.entry?.answered(answered - stored.answered);
  stored.answered = Math.max(stored.answered, answered);
}

/** The maps of a former process, if all are there, look as ours and its lease still runs: else others may have taken its addresses over. */
function pinnedMaps(folder: string, shapes: ReadonlyMap<string, MapShape>): ReadonlyMap<MapName, number> | undefined {
  const maps = new Map<MapName, number>();
  for (const name of MAPS) {
    const map = pinnedObject(mapPin(folder, name));
    if (map !== undefined) maps.set(name, map);
  }
  const fits = MAPS.every((name) => {
    const map = maps.get(name);
    return map !== undefined && JSON.stringify(shapeOf(map)) === JSON.stringify(shapes.get(name));
  });
  if (fits && readLease(maps.get('lease') as number) > process.hrtime.bigint()) return maps;
  for (const map of maps.values()) closeDescriptor(map);
  return undefined;
}
