/** What AddressSources sees of the rest of its term; pools and Services by 'namespace/name'. */

import type { Family, ServiceRequest } from '../allocator/service-request.ts';
import type { IpAddress } from '../net/address.ts';
import type { Stores, World } from './world.ts';

/** What it may see and do in the cluster. */
export interface SourceWorld extends Pick<World, 'clock' | 'readService' | 'event' | 'sources'> {
  readonly stores: Pick<Stores, 'services' | 'namespaces'>;
}

/** The allocator, as far as sources ask it and tell it. */
export interface ClaimTaker {
  /** Calls `act` when decisions are being made: at once, or when the pools that are about to change are in force. */
  whenOpen(act: () => void): void;
  grant(pool: string, service: string, addresses: readonly IpAddress[]): void;
  refuse(pool: string, service: string, message: string): void;
  requestOf(service: string): Pick<ServiceRequest, 'requestedAddresses' | 'isOneFamilyEnough'> | undefined;
  holdersOf(address: IpAddress): readonly string[];
  /** Whether nobody but the Service that had it may have the address yet. */
  isResting(address: IpAddress): boolean;
  heldOf(pool: string): readonly { readonly service: string; readonly address: IpAddress }[];
}

/** The part of an AllocationChange that concerns sources. */
export interface ClaimChange {
  readonly wanted: readonly {
    readonly pool: string;
    readonly serviceKey: string;
    readonly families: readonly Family[];
  }[];
  readonly released: readonly { readonly pool: string; readonly serviceKey: string; readonly address: IpAddress }[];
}
