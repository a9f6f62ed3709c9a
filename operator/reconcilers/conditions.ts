/** Tells advertisements and peers what was decided about them. */

import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { objectRef } from '../config/verdict.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import type { JudgedKind } from './judged-kinds.ts';
import { LOOK_AGAIN, OwnWrites } from './own-writes.ts';
import { commonStatusOf } from './verdict-status.ts';
import type { World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };

export class ConditionsReconciler implements Reconciler {
  readonly name: string;
  readonly #world: World;
  readonly #keeper: ConfigKeeper;
  readonly #kind: JudgedKind;
  readonly #writes = new OwnWrites();

  constructor(world: World, keeper: ConfigKeeper, kind: JudgedKind) {
    this.name = kind.name;
    this.#world = world;
    this.#keeper = keeper;
    this.#kind = kind;
  }

  async reconcile(key: string): Promise<Outcome> {
    const { resource, store } = this.#kind;
    const object = store.get(key);
    if (!object) this.#writes.forget(key);
    const ref = object && objectRef(resource.kind, object.metadata);
    const verdict = ref && this.#keeper.verdictOf(ref, object.metadata);
    if (!object || !verdict) return DONE; // deleted, or not looked at yet
    if (this.#writes.isReplaced(object)) return LOOK_AGAIN;
    const pools = this.#keeper.coverageOf(ref);
    const result = await this.#world.applyStatus(object, resource, {
      status: { ...commonStatusOf(object, verdict, this.#world.now()), ...(pools !== undefined && { pools }) },
    });
    if (result === 'Written') this.#writes.wrote(object);
    return DONE;
  }
}
