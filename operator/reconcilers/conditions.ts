/** Tells advertisements and peers what was decided about them. */

import type { Outcome, Reconciler } from '../cluster/controller.ts';
import type { ResourceAddress } from '../cluster/resource.ts';
import type { ReadonlyStore } from '../cluster/store.ts';
import { objectRef } from '../config/verdict.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { commonStatusOf, type JudgedObject } from './verdict-status.ts';
import type { World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };

/** One kind of configuration whose status is its conditions and perhaps a few fields more. */
export interface JudgedKind {
  /** The name of the controller, for instance `l2-advertisement`. */
  readonly name: string;
  readonly resource: ResourceAddress;
  readonly store: ReadonlyStore<JudgedObject>;
}

export class ConditionsReconciler implements Reconciler {
  readonly name: string;
  readonly #world: World;
  readonly #keeper: ConfigKeeper;
  readonly #kind: JudgedKind;

  constructor(world: World, keeper: ConfigKeeper, kind: JudgedKind) {
    this.name = kind.name;
    this.#world = world;
    this.#keeper = keeper;
    this.#kind = kind;
  }

  async reconcile(key: string): Promise<Outcome> {
    const { resource, store } = this.#kind;
    const object = store.get(key);
    const ref = object && objectRef(resource.kind, object.metadata);
    const verdict = ref && this.#keeper.verdictOf(ref);
    if (!object || !verdict) return DONE; // deleted, or not looked at yet
    const pools = this.#keeper.config.coverage.get(ref);
    await this.#world.applyStatus(object, resource, {
      status: { ...commonStatusOf(object, verdict, this.#world.now()), ...(pools !== undefined && { pools }) },
    });
    return DONE;
  }
}
