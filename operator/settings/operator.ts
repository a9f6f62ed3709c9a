/** Settings of `herald operator`. */

import { type CommonSettings, commonFlags, readRole, type Surroundings } from './common.ts';
import { type FlagTable, oneOf } from './flag.ts';

export interface OperatorSettings extends CommonSettings {
  /** What becomes of a change of a pool that takes addresses from Services: `reassign` is what MetalLB does. */
  readonly breakingChanges: 'refuse' | 'reassign';
  /** For which Services there is a ServiceAnnouncement; `auto`: all of up to 2,000, beyond that the labelled ones. */
  readonly serviceAnnouncements: 'auto' | 'all' | 'labelled' | 'none';
}

export const operatorFlags = {
  ...commonFlags,
  'breaking-changes': {
    schema: oneOf(['refuse', 'reassign']),
    env: 'HERALD_BREAKING_CHANGES',
    placeholder: 'WHAT',
    default: 'refuse',
    help: 'A change of a pool that takes addresses from Services: refuse it until it is allowed, or reassign as MetalLB does.',
  },
  'service-announcements': {
    schema: oneOf(['auto', 'all', 'labelled', 'none']),
    env: 'HERALD_SERVICE_ANNOUNCEMENTS',
    placeholder: 'WHICH',
    default: 'auto',
    help: 'Which Services get a ServiceAnnouncement: all, those labelled heraldlb.io/service-announcement=true, none, or auto: all of up to 2,000 and beyond that the labelled ones.',
  },
} as const satisfies FlagTable;

/** @throws {SettingsError} listing every mistake at once, never only the first */
export function readOperatorSettings(surroundings: Surroundings): OperatorSettings {
  return readRole('operator', operatorFlags, surroundings, (values, common) => ({
    ...common,
    breakingChanges: values['breaking-changes'],
    serviceAnnouncements: values['service-announcements'],
  }));
}
