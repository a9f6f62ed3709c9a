/** Keeps the operator's ConfigurationState, which is there again when somebody deleted it. */

import { OPERATOR_STATE } from '../../crds/configuration-state.ts';
import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { resources } from '../cluster/resource.ts';
import { configurationStateOf } from '../config/configuration-state.ts';
import type { ConfigKeeper } from './config-keeper.ts';
import { conditionsOf } from './verdict-status.ts';
import type { Scope, World } from './world.ts';

const DONE: Outcome = { next: 'WaitForChange' };
const LOOK_AGAIN_MS = 30_000;

export class ConfigurationStateReconciler implements Reconciler {
  readonly name = 'configuration-state';
  readonly #world: World;
  readonly #keeper: ConfigKeeper;
  readonly #key: string;

  constructor(world: World, keeper: ConfigKeeper, { ownNamespace }: Pick<Scope, 'ownNamespace'>) {
    this.#world = world;
    this.#keeper = keeper;
    this.#key = `${ownNamespace}/${OPERATOR_STATE}`;
  }

  async reconcile(): Promise<Outcome> {
    const object = this.#world.stores.configurationStates.get(this.#key);
    if (!object) {
      const result = await this.#world.createConfigurationState();
      if (result === 'NotServed')
        return { next: 'RetryAfter', milliseconds: LOOK_AGAIN_MS, because: 'its definition is missing' };
      return DONE; // the informer brings it, and with it the next visit
    }
    const { conditions, ...status } = configurationStateOf(this.#keeper.config);
    await this.#world.applyStatus(object, resources.configurationStates, {
      status: { ...status, conditions: conditionsOf(object.status?.conditions, conditions, this.#world.now()) },
    });
    return DONE;
  }
}
