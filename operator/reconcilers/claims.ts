/** The claims on external sources that one leader knows of, by id and by address. */

import { formatIp, type IpAddress } from '../net/address.ts';
import type { Claim } from '../sources/address-source.ts';
import type { SourceLine } from './source-line.ts';

export interface ClaimRecord {
  readonly claim: Claim;
  /** Whose requests it is made with. */
  readonly line: SourceLine;
  /** What shall become of it; it may change while a request is under way. */
  wants: 'Claim' | 'Release';
  /** What the source gave, or what a Service holds. */
  readonly address?: IpAddress | undefined;
  /** Only this very address will do. */
  exact?: IpAddress | undefined;
  /** The source has said in this term that the claim is ours. */
  isConfirmed: boolean;
  /** A Service let go of the address: once it is back, the source may have one for somebody else. */
  isFreed?: boolean;
  /** What the source said last against an address that a Service holds. */
  dispute?: string | undefined;
  /** How many lists were begun before it was made. */
  readonly since: number;
}

export class Claims {
  readonly #byId = new Map<string, ClaimRecord>();
  readonly #byAddress = new Map<string, ClaimRecord>();

  get(id: string): ClaimRecord | undefined {
    return this.#byId.get(id);
  }

  withAddress(line: SourceLine, address: IpAddress): ClaimRecord | undefined {
    return this.#byAddress.get(placeOf(line, address));
  }

  of(line: SourceLine): readonly ClaimRecord[] {
    return [...this.#byId.values()].filter((record) => record.line === line);
  }

  put(record: ClaimRecord): ClaimRecord {
    this.delete(record.claim.id);
    this.#byId.set(record.claim.id, record);
    this.#file(record);
    return record;
  }

  setAddress(record: ClaimRecord, address: IpAddress | undefined): void {
    this.#unfile(record);
    (record as { address?: IpAddress | undefined }).address = address;
    this.#file(record);
  }

  delete(id: string): void {
    const record = this.#byId.get(id);
    if (record) this.#unfile(record);
    this.#byId.delete(id);
  }

  #file(record: ClaimRecord): void {
    if (record.address) this.#byAddress.set(placeOf(record.line, record.address), record);
  }

  #unfile(record: ClaimRecord): void {
    if (!record.address) return;
    const place = placeOf(record.line, record.address);
    if (this.#byAddress.get(place) === record) this.#byAddress.delete(place);
  }
}

/** Whether the claim has an address, and only another one will do. */
export const isForAnother = ({ wants, address, exact }: ClaimRecord): boolean =>
  wants === 'Claim' && address !== undefined && exact !== undefined && exact.value !== address.value;

const placeOf = ({ key }: SourceLine, address: IpAddress): string => `${key} ${formatIp(address)}`;
