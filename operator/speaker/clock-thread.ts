/** The clock thread's entry point: heartbeats and nothing else, so that no list of objects and no packet delays them. */

import { setPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { AnswerLease } from '../host/answer-lease.ts';
import { type DatagramSocket, openDatagramSocket } from '../host/datagram-socket.ts';
import { HostError } from '../host/host-error.ts';
import { parseIp } from '../net/address.ts';
import type { MembershipConfig } from '../protocols/heartbeat/membership-state.ts';
import { HeartbeatLoop } from './clock/heartbeat-loop.ts';
import type { ClaimsMessage, FromClock, ToClock, TookMessage } from './messages.ts';
import { systemClock } from './wire/clock.ts';

/** What main gives the thread to start with. */
export interface ClockThreadData {
  readonly config: MembershipConfig;
  readonly port: number;
  /** Absent listens on all addresses of both families. */
  readonly bindAddress?: string;
  /** Of the AnswerLease under which the wire thread answers. */
  readonly lease: SharedArrayBuffer;
}

if (!parentPort) throw new Error('clock-thread.ts is started by startThread(), not by itself');
const main = parentPort;
const { config, port, bindAddress, lease: shared } = workerData as ClockThreadData;
const lease = new AnswerLease(shared);

/** Below the kernel's own threads, above everything in pods. */
const CLOCK_NICENESS = -15;
const BIND_AGAIN_MS = 1000;

const sockets = new Map<4 | 6, DatagramSocket>();
let wire: Extract<ToClock, { kind: 'WirePort' }>['port'] | undefined;

const post = (message: FromClock): void => main.postMessage(message);
const loop = new HeartbeatLoop({
  config,
  clock: systemClock,
  send: (datagram, address) => sockets.get(familyOf(address))?.send(datagram, address, port),
  post,
  renewLease: (milliseconds) => lease.renew(milliseconds),
  postToWire: (message) => wire?.postMessage(message),
});

main.on('message', (message: ToClock) => {
  if (message.kind === 'WirePort') {
    wire = message.port;
    wire.on('message', (message: TookMessage | ClaimsMessage) => loop.take(message));
    wire.unref(); // main's port alone keeps the thread alive
    return;
  }
  loop.take(message);
  if (message.kind === 'Stop') stop();
});

const onDatagram = (datagram: Uint8Array): void => loop.receive(datagram);
const onError = (): void => loop.countSendError();
const priority = raisePriority();
listen(bindAddress === undefined ? [4, 6] : [familyOf(bindAddress)]).catch((error: unknown) => {
  throw error;
});

function familyOf(address: string): 4 | 6 {
  return parseIp(address)?.family ?? 4;
}

/** setpriority(2) with 0 means the calling thread on Linux: only this thread is raised. */
function raisePriority(): string {
  try {
    setPriority(0, CLOCK_NICENESS);
    return `nice ${CLOCK_NICENESS}`;
  } catch {
    return 'normal: SYS_NICE is missing';
  }
}

/** A port that is taken is tried again: whoever holds it may be on its way out, and crashing would only delay us. */
async function listen(families: readonly (4 | 6)[]): Promise<void> {
  for (const family of families) await bound(family);
  const [socket] = sockets.values();
  if (!socket)
    return post({ kind: 'Fault', reason: 'SocketFailed', message: 'this host has neither IPv4 nor IPv6', fatal: true });
  loop.listening();
  post({ kind: 'Listening', address: socket.address, port: socket.port, priority });
}

async function bound(family: 4 | 6): Promise<void> {
  const options = { family, port, onDatagram, onError, ...(bindAddress !== undefined && { address: bindAddress }) };
  for (let failures = 0; ; failures++) {
    const socket = await openDatagramSocket(options).catch(refusalOf);
    if (socket === 'EAFNOSUPPORT') return; // a host without IPv6
    if (!(socket instanceof HostError)) {
      sockets.set(family, socket);
      return;
    }
    if (failures === 0) post(complaintOf(socket));
    await new Promise((resolve) => setTimeout(resolve, BIND_AGAIN_MS));
  }
}

function refusalOf(error: unknown): HostError | 'EAFNOSUPPORT' {
  if (!(error instanceof HostError)) throw error;
  return error.code === 'EAFNOSUPPORT' ? 'EAFNOSUPPORT' : error;
}

function complaintOf(error: HostError): FromClock {
  if (error.code !== 'EADDRINUSE')
    return { kind: 'Fault', reason: 'SocketFailed', message: error.message, fatal: false };
  const message = `UDP port ${port} is taken: perhaps MetalLB's speaker is still here; trying again every second`;
  return { kind: 'Fault', reason: 'HeartbeatPortTaken', message, fatal: false };
}

function stop(): void {
  for (const socket of sockets.values()) socket.close();
  wire?.close();
  main.close();
}
