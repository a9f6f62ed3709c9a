/** bpf(2) through koffi: the commands that the in-kernel responder needs, each with its part of `union bpf_attr` (linux/bpf.h). */

import koffi from 'koffi';
import { HostError } from '../host-error.ts';
import { errnoName } from '../libc.ts';
import type { MapShape } from './object-file.ts';

/** The system call's number (asm/unistd.h). */
const SYS_BPF: Readonly<Record<string, number>> = { x64: 321, arm64: 280 };
const COMMAND = {
  MAP_CREATE: 0,
  MAP_LOOKUP_ELEM: 1,
  MAP_UPDATE_ELEM: 2,
  MAP_DELETE_ELEM: 3,
  PROG_LOAD: 5,
  OBJ_PIN: 6,
  OBJ_GET: 7,
  OBJ_GET_INFO_BY_FD: 15,
  MAP_LOOKUP_BATCH: 24,
  LINK_CREATE: 28,
  LINK_UPDATE: 29,
} as const;
type Command = keyof typeof COMMAND;

/** BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS. */
const SCHED_CLS = 3;
const TCX_INGRESS = 46;
/** In front of all others: a program of somebody else that ends the chain must not hide requests from ours. */
const BPF_F_BEFORE = 8;
/** Every helper that the program calls may be called under any licence since Linux 5.8. */
const LICENSE = Buffer.from('Apache-2.0\0');
const LOG_OCTETS = 1 << 16;
const NAME_OCTETS = 15;

/** Octets are given to koffi as objects, which keeps them for the whole call; their bare addresses would not. */
const attributes = {
  map: koffi.struct('bpf_attr_map', {
    ...{ type: 'uint32_t', keySize: 'uint32_t', valueSize: 'uint32_t', maxEntries: 'uint32_t', flags: 'uint32_t' },
    ...{ innerMap: 'uint32_t', numaNode: 'uint32_t', name: koffi.array('uint8_t', 16, 'Typed') },
  }),
  element: koffi.struct('bpf_attr_elem', { map: 'uint64_t', key: 'void *', value: 'void *', flags: 'uint64_t' }),
  batch: koffi.struct('bpf_attr_batch', {
    ...{ from: 'void *', to: 'void *', keys: 'void *', values: 'void *', count: 'uint32_t', map: 'uint32_t' },
    ...{ elementFlags: 'uint64_t', flags: 'uint64_t' },
  }),
  program: koffi.struct('bpf_attr_prog', {
    ...{ type: 'uint32_t', count: 'uint32_t', instructions: 'void *', license: 'void *', logLevel: 'uint32_t' },
    ...{ logSize: 'uint32_t', log: 'void *', kernelVersion: 'uint32_t', flags: 'uint32_t' },
    ...{ name: koffi.array('uint8_t', 16, 'Typed'), interface: 'uint32_t', attachType: 'uint32_t' },
  }),
  object: koffi.struct('bpf_attr_obj', { path: 'void *', descriptor: 'uint32_t', flags: 'uint32_t' }),
  info: koffi.struct('bpf_attr_info', { descriptor: 'uint32_t', length: 'uint32_t', info: 'void *' }),
  link: koffi.struct('bpf_attr_link', {
    ...{ program: 'uint32_t', target: 'uint32_t', attachType: 'uint32_t', flags: 'uint32_t' },
    ...{ relative: 'uint32_t', unused: 'uint32_t', revision: 'uint64_t' },
  }),
  linkUpdate: koffi.struct('bpf_attr_update', {
    link: 'uint32_t',
    program: 'uint32_t',
    flags: 'uint32_t',
    old: 'uint32_t',
  }),
} as const;
type Attributes = keyof typeof attributes;

const libc = koffi.load('libc.so.6');
const calls = Object.fromEntries(
  Object.entries(attributes).map(([name, type]) => [
    name,
    libc.func('syscall', 'long', ['long', 'int', koffi.inout(koffi.pointer(type)), 'uint32_t']),
  ]),
) as unknown as Record<
  Attributes,
  (number: number, command: number, attributes: object, size: number) => number | bigint
>;

function bpf(command: Command, kind: Attributes, values: object): number {
  const number = SYS_BPF[process.arch];
  if (number === undefined) throw new HostError(`bpf(${command})`, 'ENOSYS');
  const result = calls[kind](number, COMMAND[command], values, koffi.sizeof(attributes[kind]));
  if (result < 0) throw new HostError(`bpf(${command})`, errnoName(koffi.errno()));
  return Number(result);
}

/** A name of at most 15 octets, as `bpftool` shows it. */
const nameOf = (name: string): Uint8Array =>
  Buffer.alloc(NAME_OCTETS + 1, 0).fill(name.slice(0, NAME_OCTETS), 0, Math.min(name.length, NAME_OCTETS));
const pathOf = (path: string): Uint8Array => Buffer.from(`${path}\0`);

/** @returns a descriptor, which the caller closes @throws {HostError} EPERM without the capability BPF, or where seccomp forbids it */
export const createMap = (name: string, shape: MapShape): number =>
  bpf('MAP_CREATE', 'map', { ...shape, innerMap: 0, numaNode: 0, name: nameOf(name) });

/** @throws {HostError} E2BIG when the map is full */
export const updateElement = (map: number, key: Uint8Array, value: Uint8Array): void =>
  void bpf('MAP_UPDATE_ELEM', 'element', { map, key, value, flags: 0 });

/** Reads into `value`. @returns whether there is such a key @throws {HostError} */
export const lookupElement = (map: number, key: Uint8Array, value: Uint8Array): boolean =>
  isFound(() => bpf('MAP_LOOKUP_ELEM', 'element', { map, key, value, flags: 0 }));

/** @returns whether there was such a key @throws {HostError} */
export const deleteElement = (map: number, key: Uint8Array): boolean =>
  isFound(() => bpf('MAP_DELETE_ELEM', 'element', { map, key, value: null, flags: 0 }));

function isFound(call: () => void): boolean {
  try {
    call();
    return true;
  } catch (error) {
    if (error instanceof HostError && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** A page of a hash map's elements; `from` is undefined for the first, else the `to` of the one before. */
export function lookupBatch(
  map: number,
  from: Uint8Array | undefined,
  keys: Uint8Array,
  values: Uint8Array,
  room: number,
) {
  const to = new Uint8Array(4);
  const request = { from: from ?? null, to, keys, values, count: room, map, elementFlags: 0, flags: 0 };
  const hasMore = isFound(() => bpf('MAP_LOOKUP_BATCH', 'batch', request));
  return { count: request.count, next: hasMore ? to : undefined };
}

/**
 * Loads a program for tcx.
 *
 * @returns a descriptor, which the caller closes
 * @throws {HostError} with the end of the verifier's log when it refuses the program
 */
export function loadProgram(name: string, instructions: Uint8Array): number {
  // made anew for each call: koffi writes bare addresses back into what it was given
  const request = (log: Buffer | null) => ({
    ...{ type: SCHED_CLS, count: instructions.length / 8, instructions, license: LICENSE, logLevel: log ? 1 : 0 },
    ...{ logSize: log?.length ?? 0, log, kernelVersion: 0, flags: 0, name: nameOf(name), interface: 0 },
    attachType: TCX_INGRESS,
  });
  try {
    return bpf('PROG_LOAD', 'program', request(null));
  } catch (error) {
    if (!(error instanceof HostError) || error.code === 'EPERM') throw error;
    const log = Buffer.alloc(LOG_OCTETS);
    bpfQuietly(request(log));
    const text = log.toString('latin1', 0, log.indexOf(0)).trim().split('\n').slice(-3).join('; ');
    throw new HostError(`bpf(PROG_LOAD): ${text}`, error.code);
  }
}

function bpfQuietly(request: object): void {
  try {
    bpf('PROG_LOAD', 'program', request);
  } catch (error) {
    if (!(error instanceof HostError)) throw error;
  }
}

/**
 * Attaches a program to the ingress of an interface, in front of all others.
 *
 * @returns the link's descriptor: the program is detached when nothing holds the link, no descriptor and no pin
 * @throws {HostError} EINVAL before Linux 6.6
 */
export const createLink = (program: number, target: number): number =>
  bpf('LINK_CREATE', 'link', {
    ...{ program, target, attachType: TCX_INGRESS, flags: BPF_F_BEFORE, relative: 0, unused: 0, revision: 0 },
  });

/** Replaces the program of a link in one step. @throws {HostError} ENOLINK when its interface is gone */
export const updateLink = (link: number, program: number): void =>
  void bpf('LINK_UPDATE', 'linkUpdate', { link, program, flags: 0, old: 0 });

/** @throws {HostError} EEXIST, EPERM where `path` is in no bpffs, ENOENT */
export const pinObject = (descriptor: number, path: string): void =>
  void bpf('OBJ_PIN', 'object', { path: pathOf(path), descriptor, flags: 0 });

/** @returns a new descriptor, or undefined where nothing is pinned @throws {HostError} */
export function pinnedObject(path: string): number | undefined {
  let descriptor: number | undefined;
  isFound(() => {
    descriptor = bpf('OBJ_GET', 'object', { path: pathOf(path), descriptor: 0, flags: 0 });
  });
  return descriptor;
}

/** The shape of a map that somebody else may have made. @throws {HostError} */
export function shapeOf(map: number): MapShape {
  const info = Buffer.alloc(80); // struct bpf_map_info: type, id, key size, value size, entries, flags, name ...
  bpf('OBJ_GET_INFO_BY_FD', 'info', { descriptor: map, length: info.length, info });
  const [type, , keySize, valueSize, maxEntries, flags] = Array.from({ length: 6 }, (_, n) =>
    info.readUInt32LE(n * 4),
  ) as [...[number, number, number, number, number, number]];
  return { type, keySize, valueSize, maxEntries, flags };
}
