/** Settings of `herald operator`. */

import { type CommonSettings, commonFlags, readRole, type Surroundings } from './common.ts';
import type { FlagTable } from './flag.ts';

export interface OperatorSettings extends CommonSettings {}

export const operatorFlags = { ...commonFlags } as const satisfies FlagTable;

/** @throws {SettingsError} listing every mistake at once, never only the first */
export function readOperatorSettings(surroundings: Surroundings): OperatorSettings {
  return readRole('operator', operatorFlags, surroundings, (_, common) => common);
}
