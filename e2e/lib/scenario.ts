/** Declares a scenario: a story in tests that share one world, each going on where the one before it ended. */

import { spec } from '../../testing/spec.ts';
import { World } from './world.ts';

type Tell = (title: string, body: (world: World) => unknown) => void;

/** How long one test of a scenario may take unless the scenario asks for more. */
const TEST_TIMEOUT_MS = 120_000;

/**
 * Tests run in order in one world, which opens with the first of them. `name` is the file's name without `.e2e.ts`:
 * it decides the namespace and the addresses.
 */
export function scenario(name: string, tell: (test: Tell) => void, timeoutMs = TEST_TIMEOUT_MS): void {
  let opened: Promise<World> | undefined;
  const world = (): Promise<World> => {
    opened ??= World.open(name);
    return opened;
  };
  spec(name, (test) => tell((title, body) => test(title, async () => body(await world()))), { timeoutMs });
}
