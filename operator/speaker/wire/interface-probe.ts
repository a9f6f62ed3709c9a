/** Runs the probe of one address on one interface: its socket, its timer, its verdict. */

import { HostError } from '../../host/host-error.ts';
import type { HostNetwork, PacketSocket } from '../../host/host-network.ts';
import type { MacAddress } from '../../net/mac.ts';
import type { Clock } from './clock.ts';
import type { ProbeEffect, ProbeMachine } from './probe-machine.ts';

/** How it ended. `Failed`: the interface could not ask to the end. */
export type InterfaceVerdict =
  | { readonly kind: 'Free' }
  | { readonly kind: 'Conflict'; readonly mac: MacAddress }
  | { readonly kind: 'Failed'; readonly message: string };

export interface InterfaceProbeOptions {
  readonly host: HostNetwork;
  readonly clock: Clock;
  readonly interfaceIndex: number;
  readonly machine: ProbeMachine;
  /** Called once, not before `start` is called, and not after `close`. */
  readonly onVerdict: (verdict: InterfaceVerdict) => void;
}

/** A frame that finds the queue full is lost like one on the wire: there are more. */
const LOST_ON_THE_WAY = 'ENOBUFS';

export class InterfaceProbe {
  readonly #options: InterfaceProbeOptions;
  #socket: PacketSocket | undefined;
  #cancelTimer: () => void = () => {};
  #isClosed = false;

  constructor(options: InterfaceProbeOptions) {
    this.#options = options;
  }

  start(): void {
    const { host, interfaceIndex, machine } = this.#options;
    this.#attempt(() => {
      this.#socket = host.openPacketSocket({
        interfaceIndex,
        protocol: machine.protocol,
        filter: machine.filter,
        onFrame: (frame) => this.#do(() => machine.frameReceived(frame)),
        onError: (error) => this.#fail(error),
      });
      this.#socket.setGroups(machine.groups); // RFC 4862 5.4.2: before the first solicitation
    });
    this.#do(() => machine.start());
  }

  /** Ends without a verdict; idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#cancelTimer();
    this.#socket?.close();
  }

  #do(event: () => readonly ProbeEffect[]): void {
    if (this.#isClosed) return;
    for (const effect of event()) this.#perform(effect);
  }

  #perform(effect: ProbeEffect): void {
    if (this.#isClosed) return;
    switch (effect.kind) {
      case 'SendFrame':
        this.#attempt(() => this.#socket?.send(effect.frame));
        break;
      case 'SetTimer':
        this.#cancelTimer();
        this.#cancelTimer = this.#options.clock.after(effect.milliseconds, () =>
          this.#do(() => this.#options.machine.timerExpired()),
        );
        break;
      case 'Done':
        this.#end(effect.holder === undefined ? { kind: 'Free' } : { kind: 'Conflict', mac: effect.holder });
        break;
    }
  }

  #attempt(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof HostError)) throw error;
      if (error.code !== LOST_ON_THE_WAY) this.#fail(error);
    }
  }

  #fail(error: HostError): void {
    this.#end({ kind: 'Failed', message: error.message });
  }

  #end(verdict: InterfaceVerdict): void {
    if (this.#isClosed) return;
    this.close();
    this.#options.onVerdict(verdict);
  }
}
