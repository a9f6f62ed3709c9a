/**
 * Tries Services that got nothing once more from time to time. Whatever becomes free is given at once; this is for what
 * nobody tells: an external source that has refused may have something by now.
 */

import type { Outcome, Reconciler } from '../cluster/controller.ts';
import type { AddressBook } from './address-book.ts';

const EVERY_MS = 600_000;
const AGAIN: Outcome = { next: 'RetryAfter', milliseconds: EVERY_MS, because: 'what was refused may be given by now' };

export class RefusedServicesReconciler implements Reconciler {
  readonly name = 'refused-services';
  readonly #book: Pick<AddressBook, 'retry'>;
  #isFirst = true;

  constructor(book: Pick<AddressBook, 'retry'>) {
    this.#book = book;
  }

  async reconcile(): Promise<Outcome> {
    // At the start of a term everybody was tried just now.
    if (!this.#isFirst) this.#book.retry();
    this.#isFirst = false;
    return AGAIN;
  }
}
