/** The real host network: rtnetlink for interfaces, AF_PACKET for frames. */

import type { Watch } from './fd-poller.ts';
import type { HostNetwork, InterfaceInfo, PacketSocket, PacketSocketOptions } from './host-network.ts';
import { InterfaceTable } from './interface-table.ts';
import { openPacketSocket } from './packet-socket.ts';
import { dumpLinksAndAddresses, monitorLinksAndAddresses } from './rtnetlink.ts';
import type { RouteMessage } from './rtnetlink-codec.ts';

/** The network namespace this process runs in; it keeps the event loop alive until `close()`. */
export class KernelHost implements HostNetwork {
  readonly #table = new InterfaceTable();
  readonly #monitor: Watch;
  readonly #listeners: (() => void)[] = [];
  #interfaces: readonly InterfaceInfo[] = [];

  /** @throws {HostError} when rtnetlink is refused */
  constructor() {
    // the monitor first: what changes during the dump is then seen afterwards
    this.#monitor = monitorLinksAndAddresses(
      (messages) => this.#take(messages),
      () => this.#dump(),
    );
    try {
      this.#dump();
    } catch (error) {
      this.#monitor.close();
      throw error;
    }
  }

  interfaces(): readonly InterfaceInfo[] {
    return this.#interfaces;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  openPacketSocket(options: PacketSocketOptions): PacketSocket {
    return openPacketSocket(options);
  }

  close(): void {
    this.#monitor.close();
  }

  #dump(): void {
    this.#table.clear();
    for (const message of dumpLinksAndAddresses()) this.#table.apply(message);
    this.#publish();
  }

  #take(messages: readonly RouteMessage[]): void {
    const hasChanged = messages.map((message) => this.#table.apply(message)).some(Boolean);
    if (hasChanged) this.#publish();
  }

  #publish(): void {
    this.#interfaces = this.#table.list();
    for (const listener of this.#listeners) listener();
  }
}
