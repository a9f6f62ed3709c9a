/** Creates the key of the speakers' heartbeats once; people may rotate it, so an existing one is never touched. */

import type { Outcome, Reconciler } from '../cluster/controller.ts';
import type { World } from './world.ts';

/** How often a Secret that was deleted by hand is noticed. */
const LOOK_AGAIN_MS = 60_000;

export class MemberKeyReconciler implements Reconciler {
  readonly name = 'member-key';
  readonly #world: Pick<World, 'ensureMemberKey'>;

  constructor(world: Pick<World, 'ensureMemberKey'>) {
    this.#world = world;
  }

  async reconcile(): Promise<Outcome> {
    await this.#world.ensureMemberKey();
    return { next: 'RetryAfter', milliseconds: LOOK_AGAIN_MS, because: 'it may be deleted by hand' };
  }
}
