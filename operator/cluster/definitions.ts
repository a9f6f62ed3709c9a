/**
 * Tells whether the definitions in the cluster are ours. MetalLB's own have the same names and not our fields: what we
 * write there would be refused or pruned, again and again.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { customResourceDefinition, definitionName, type KindDefinition } from '../../crds/definition.ts';
import type { ApiConnection } from './api-connection.ts';
import type { CustomResourceDefinition } from './objects.ts';
import { getObject } from './requests.ts';
import { resources } from './resource.ts';

/** A definition without fields that we write. */
export interface ForeignDefinition {
  readonly definition: CustomResourceDefinition;
  readonly plural: string;
  /** Fields of `status`. */
  readonly missing: readonly string[];
}

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
}
interface Version {
  readonly name: string;
  readonly schema?: { readonly openAPIV3Schema?: Schema };
}

/** While all is well, and while somebody may be at work on it. */
const LOOK_EVERY_MS = 60_000;
const LOOK_AGAIN_MS = 5_000;

export class Definitions {
  readonly #connection: ApiConnection;
  readonly #kinds: readonly KindDefinition[];
  #foreign: readonly ForeignDefinition[] = [];
  #areKnown = false;
  /** While one is under way. */
  #looking: Promise<boolean> | undefined;

  /** @param kinds those whose status is written */
  constructor(connection: ApiConnection, kinds: readonly KindDefinition[]) {
    this.#connection = connection;
    this.#kinds = kinds.filter(({ subresources }) => subresources.includes('status'));
  }

  get foreign(): readonly ForeignDefinition[] {
    return this.#foreign;
  }

  isForeign(plural: string): boolean {
    return this.#foreign.some((one) => one.plural === plural);
  }

  /** Whether nothing may be written into the status of a kind; the first question asks the API server. @throws {ApiError} */
  async refuses(plural: string): Promise<boolean> {
    if (!this.#kinds.some((kind) => kind.plural === plural)) return false;
    await this.known();
    return this.isForeign(plural);
  }

  /** Resolves when somebody has looked: a takeover does not look again. @throws {ApiError} */
  async known(): Promise<void> {
    if (!this.#areKnown) await this.look();
  }

  /** Asks the API server, and tells whether something is different from before. @throws {ApiError} */
  look(): Promise<boolean> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<boolean> {
    const found = await Promise.all(this.#kinds.map((kind) => this.#lookAt(kind)));
    const before = this.#foreign;
    this.#foreign = found.flatMap((one) => one ?? []);
    this.#areKnown = true;
    return inWords(before) !== inWords(this.#foreign);
  }

  /** Goes on looking until `signal` aborts; a look that fails is repeated. */
  async watch(signal: AbortSignal, changed: () => void): Promise<void> {
    for (;;) {
      const isDifferent = await this.look().catch(() => false);
      if (signal.aborted) return;
      if (isDifferent) changed();
      const pauseMs = this.#foreign.length > 0 ? LOOK_AGAIN_MS : LOOK_EVERY_MS;
      const isOver = await sleep(pauseMs, false, { signal }).catch(() => true);
      if (isOver) return;
    }
  }

  async #lookAt(kind: KindDefinition): Promise<ForeignDefinition | undefined> {
    const where = { name: definitionName(kind) };
    const definition = await getObject(this.#connection, resources.customResourceDefinitions, where);
    const missing = definition ? missingFields(kind, definition) : [];
    return definition && missing.length > 0 ? { definition, plural: kind.plural, missing } : undefined;
  }
}

/** The fields of a status that we write and that the definition in the cluster does not have. */
export function missingFields(kind: KindDefinition, installed: CustomResourceDefinition): readonly string[] {
  const wanted = Object.keys(statusOf(kind, customResourceDefinition(kind))?.properties ?? {});
  const status = statusOf(kind, installed);
  if (status?.['x-kubernetes-preserve-unknown-fields']) return [];
  return wanted.filter((name) => status?.properties?.[name] === undefined);
}

function statusOf({ version }: KindDefinition, { spec }: { readonly spec?: object }): Schema | undefined {
  const { versions = [] } = (spec ?? {}) as { readonly versions?: readonly Version[] };
  return versions.find(({ name }) => name === version)?.schema?.openAPIV3Schema?.properties?.['status'];
}

/** What people are told; empty when every definition is ours. */
export const inWords = (foreign: readonly ForeignDefinition[]): string =>
  foreign
    .map(({ definition, missing }) => `${definition.metadata.name} has no status.${missing.join(', ')}`)
    .join('; ');
