/** The C library through koffi: the only file that declares foreign functions, and every result is checked here. */

import koffi from 'koffi';
import { HostError } from './host-error.ts';

const libc = koffi.load('libc.so.6');
/** Given to koffi as an object, which keeps the program's octets for the whole call; their bare address would not. */
koffi.struct('sock_fprog', { len: 'uint16_t', filter: 'void *' });
const c = {
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, void *, uint32_t)'),
  setsockopt: libc.func('int setsockopt(int, int, int, void *, uint32_t)'),
  setFilter: libc.func('int setsockopt(int, int, int, sock_fprog *, uint32_t)'),
  getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
  recv: libc.func('int64_t recv(int, void *, size_t, int)'),
  send: libc.func('int64_t send(int, void *, size_t, int)'),
  close: libc.func('int close(int)'),
  exit: libc.func('void _exit(int)'),
};

/** Values of the Linux ABI, the same on x86-64 and arm64 (asm-generic). */
export const AF_INET6 = 10;
export const AF_NETLINK = 16;
export const AF_PACKET = 17;
export const SOCK_DGRAM = 2;
export const SOCK_RAW = 3;
export const SOL_SOCKET = 1;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SO_ERROR = 4;
const SO_RCVBUF = 8;
const SO_ATTACH_FILTER = 26;
const SO_RCVBUFFORCE = 33;
const MSG_DONTWAIT = 0x40;

const errnoNames = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
export const errnoName = (errno: number): string => errnoNames.get(errno) ?? `errno ${errno}`;
const WOULD_BLOCK = koffi.os.errno['EAGAIN'];

function checked(result: number | bigint, call: string): number {
  if (result < 0) throw new HostError(call, errnoName(koffi.errno()));
  return Number(result);
}

/**
 * Opens a non-blocking socket that is closed on exec; whoever calls closes it.
 *
 * @throws {HostError} EPERM without the capability the family asks for
 */
export function openSocket(domain: number, type: number, protocol: number, name: string): number {
  return checked(c.socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), `socket(${name})`);
}

/** Binds to a sockaddr given as octets. @throws {HostError} */
export function bindSocket(fd: number, address: Uint8Array, name: string): void {
  checked(c.bind(fd, address, address.length), `bind(${name})`);
}

/** Sets a socket option to a value given as octets. @throws {HostError} */
export function setSocketOption(fd: number, level: number, option: number, value: Uint8Array, name: string): void {
  checked(c.setsockopt(fd, level, option, value, value.length), `setsockopt(${name})`);
}

/** Asks for room for `octets` of unread input; without NET_ADMIN the kernel gives at most net.core.rmem_max. */
export function setReceiveBuffer(fd: number, octets: number): void {
  const size = Buffer.alloc(4);
  size.writeInt32LE(octets);
  if (c.setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, size, size.length) < 0)
    setSocketOption(fd, SOL_SOCKET, SO_RCVBUF, size, 'SO_RCVBUF');
}

/**
 * Attaches a classic BPF program, replacing the previous one in one step.
 *
 * @param program struct sock_filter[]: 8 octets per instruction
 * @throws {HostError} ENOMEM when it is larger than net.core.optmem_max
 */
export function attachFilter(fd: number, program: Uint8Array): void {
  const header = { len: program.length / 8, filter: program };
  const result = c.setFilter(fd, SOL_SOCKET, SO_ATTACH_FILTER, header, koffi.sizeof('sock_fprog'));
  checked(result, 'setsockopt(SO_ATTACH_FILTER)');
}

/**
 * Reads one datagram into `buffer` without waiting.
 *
 * @returns its length, cut to the buffer's; undefined when nothing waits
 * @throws {HostError} whatever else happened, for instance ENETDOWN
 */
export function receive(fd: number, buffer: Uint8Array): number | undefined {
  const length = Number(c.recv(fd, buffer, buffer.length, MSG_DONTWAIT));
  if (length >= 0) return length;
  const errno = koffi.errno();
  if (errno === WOULD_BLOCK) return undefined;
  throw new HostError('recv', errnoName(errno));
}

/** Sends one datagram without waiting. @throws {HostError} ENOBUFS or EAGAIN when the queue of the device is full */
export function transmit(fd: number, datagram: Uint8Array): void {
  checked(c.send(fd, datagram, datagram.length, MSG_DONTWAIT), 'send');
}

/** Takes the pending error of a socket and clears it; undefined when there is none. */
export function takeSocketError(fd: number): HostError | undefined {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeInt32LE(value.length);
  checked(c.getsockopt(fd, SOL_SOCKET, SO_ERROR, value, length), 'getsockopt(SO_ERROR)');
  const errno = value.readInt32LE();
  return errno === 0 ? undefined : new HostError('socket', errnoName(errno));
}

/** Closes a descriptor; closing never fails in a way that anyone could act on. */
export function closeDescriptor(fd: number): void {
  c.close(fd);
}

/** Ends the process in this very call: no thread is torn down, nothing buffered is written. */
export function exitAtOnce(code: number): void {
  c.exit(code);
}

/** A uv_poll_t of koffi's. */
export interface PollHandle {
  start(options: { readable: boolean }, callback: (status: number) => void): void;
  close(): void;
}

/** Starts polling for input; `callback` gets 0, or a negative number after which libuv has stopped polling. */
export function pollReadable(fd: number, callback: (status: number) => void): PollHandle {
  // koffi 3.3 types the callback as (events), but calls it with (status, events): status is what tells an error
  const poll = koffi.node.poll as unknown as (
    fd: number,
    options: { readable: boolean },
    callback: (status: number) => void,
  ) => PollHandle;
  return poll(fd, { readable: true }, callback);
}
