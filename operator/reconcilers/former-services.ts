/** Finds the Services that changed their type while nobody led: their status may still show what we gave them. */

import type { Outcome, Reconciler } from '../cluster/controller.ts';
import { keyOf } from '../cluster/objects.ts';
import type { AddressBook } from './address-book.ts';
import type { World } from './world.ts';

export class FormerServicesReconciler implements Reconciler {
  readonly name = 'former-services';
  readonly #world: Pick<World, 'readFormerServices'>;
  readonly #book: Pick<AddressBook, 'noteReleased'>;

  constructor(world: Pick<World, 'readFormerServices'>, book: Pick<AddressBook, 'noteReleased'>) {
    this.#world = world;
    this.#book = book;
  }

  /** Once in a term: from then on the informer tells. */
  async reconcile(): Promise<Outcome> {
    for (const service of await this.#world.readFormerServices()) this.#book.noteReleased(keyOf(service));
    return { next: 'WaitForChange' };
  }
}
