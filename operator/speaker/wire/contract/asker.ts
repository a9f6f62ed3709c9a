/** Asks for addresses from the client's end of a segment, as fast as one thread can, and takes the time of answers. */

import { KernelHost } from '../../../host/kernel-host.ts';
import {
  AF_PACKET,
  attachFilter,
  bindSocket,
  closeDescriptor,
  openSocket,
  receive,
  SOCK_RAW,
  setReceiveBuffer,
  transmit,
} from '../../../host/libc.ts';
import {
  accept,
  encodeFilter,
  type FilterProgram,
  load,
  require as requireValue,
} from '../../../host/socket-filter.ts';
import { macOctets } from '../../../net/mac.ts';
import { arpRequest, CLIENT_MAC } from './frames.ts';

const ARP = 0x0806;
const OPERATION = 20;
const REPLY = 2;
const SENDER = 28;
const BUFFER_OCTETS = 16 << 20;
const LOST_AFTER_MS = 500;
const CLIENT_MAC_END = Buffer.from(macOctets(CLIENT_MAC)).readUInt32BE(2);
/** To the client alone: bursts of new owners are no answers. */
const REPLIES: FilterProgram = [
  load(4, 2),
  ...requireValue(CLIENT_MAC_END),
  load(2, OPERATION),
  ...requireValue(REPLY),
  accept(),
];

const now = (): number => Number(process.hrtime.bigint()) / 1e6;

export class Asker {
  readonly #fd: number;
  readonly #frame = new Uint8Array(2048);

  /** @param interfaceName the client's end */
  constructor(interfaceName: string) {
    const host = new KernelHost();
    const index = host.interfaces().find(({ name }) => name === interfaceName)?.index ?? 0;
    host.close();
    this.#fd = openSocket(AF_PACKET, SOCK_RAW, 0, 'AF_PACKET');
    setReceiveBuffer(this.#fd, BUFFER_OCTETS);
    attachFilter(this.#fd, encodeFilter(REPLIES));
    const address = Buffer.alloc(20); // struct sockaddr_ll
    address.writeUInt16LE(AF_PACKET, 0);
    address.writeUInt16BE(ARP, 2);
    address.writeInt32LE(index, 4);
    bindSocket(this.#fd, address, 'AF_PACKET');
  }

  /** Asks one by one. @returns microseconds from request to reply, and how many requests nobody answered in half a second */
  latencies(target: string, count: number, pauseMs: number): { readonly samples: number[]; readonly lost: number } {
    const request = arpRequest(target);
    const wanted = Buffer.from(request.subarray(38, 42));
    const samples: number[] = [];
    for (let n = 0; n < count; n++) {
      while (receive(this.#fd, this.#frame) !== undefined);
      const start = now();
      transmit(this.#fd, request);
      while (now() - start < LOST_AFTER_MS)
        if (receive(this.#fd, this.#frame) !== undefined && wanted.equals(this.#frame.subarray(SENDER, SENDER + 4))) {
          samples.push((now() - start) * 1000);
          break;
        }
      Atomics.wait(PAUSE, 0, 0, pauseMs);
    }
    return { samples, lost: count - samples.length };
  }

  /** Asks `perSecond` times a second. @returns how many requests were sent and answered */
  flood(target: string, perSecond: number, seconds: number): { readonly sent: number; readonly answered: number } {
    const request = arpRequest(target);
    let sent = 0;
    let answered = 0;
    const start = now();
    for (let passed = 0; passed < seconds * 1000 + LOST_AFTER_MS; passed = now() - start) {
      const due = Math.min(passed, seconds * 1000) * (perSecond / 1000);
      for (; sent < due; sent++) transmit(this.#fd, request);
      while (receive(this.#fd, this.#frame) !== undefined) answered += 1;
    }
    return { sent, answered };
  }

  close(): void {
    closeDescriptor(this.#fd);
  }
}

const PAUSE = new Int32Array(new SharedArrayBuffer(4));
