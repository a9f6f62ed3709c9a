/** Rows that many kinds share: label selectors and conditions. */
import { ABSENT, type FieldSamples, field, requiredText, texts } from './field.ts';

/** A selector with all its parts, for the base of a kind. */
export const aSelector = { matchLabels: { a: 'b' }, matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] };

/** The rows of one label selector. */
export function selector(path: string): FieldSamples[] {
  const expression = `${path}.matchExpressions[]`;
  return [
    field(`${path}.matchLabels`, [{ zone: 'east', rack: '' }, {}, ABSENT], [['zone=east'], 'zone=east']),
    field(`${path}.matchLabels{}`, ['east', ''], [1, true]),
    field(`${path}.matchExpressions`, [[], ABSENT], [{ key: 'zone', operator: 'Exists' }]),
    field(expression, [{ key: 'zone', operator: 'Exists' }], ['zone']),
    requiredText(`${expression}.key`),
    // The words are the operator's to judge, as with every selector of Kubernetes' own kinds.
    field(`${expression}.operator`, ['In', 'NotIn'], [['In'], ABSENT]),
    ...texts(`${expression}.values`),
  ];
}

/** The rows of a list of label selectors. */
export function selectors(path: string): FieldSamples[] {
  return [
    field(path, [[], [{}], ABSENT], [{ matchLabels: { a: 'b' } }, 'a=b']),
    field(`${path}[]`, [{}], ['a=b']),
    ...selector(`${path}[]`),
  ];
}

/** A condition with all its parts, for the base of a kind. */
export const aCondition = {
  type: 'Ready',
  status: 'True',
  observedGeneration: 1,
  lastTransitionTime: '2026-01-01T12:00:00Z',
  reason: 'Valid',
  message: 'All is well.',
};

/** The rows of `status.conditions`. */
export function conditionRows(): FieldSamples[] {
  const path = 'status.conditions';
  return [
    field(path, [[], [aCondition]], [aCondition, 'Ready']),
    field(`${path}[]`, [{ ...aCondition, type: 'Stalled' }], ['Ready']),
    field(`${path}[].type`, ['Ready', 'heraldlb.io/Announced', 'poolReconcilerValid'], ['', 'Not ready', 7, ABSENT]),
    field(`${path}[].status`, ['True', 'False', 'Unknown'], ['true', true, ABSENT]),
    field(`${path}[].observedGeneration`, [0, 7, ABSENT], [-1, '1', 1.5]),
    field(`${path}[].lastTransitionTime`, ['2026-01-01T12:00:00Z', '2026-01-01T12:00:00+01:00'], ['noon', 7, ABSENT]),
    field(`${path}[].reason`, ['Valid', 'x'.repeat(1024)], ['', 'Not valid', 'x'.repeat(1025), 7, ABSENT]),
    field(`${path}[].message`, ['', 'x'.repeat(32_768)], ['x'.repeat(32_769), 7, ABSENT]),
  ];
}

/** The status of the kinds that users write, for their bases. */
export const aStatus = { observedGeneration: 1, conditions: [aCondition] };

/** The rows of what the status of every kind that users write has in common. */
export function commonStatusRows(): FieldSamples[] {
  return [
    field('status', [{}], ['Ready', []]),
    field('status.observedGeneration', [0, 7, ABSENT], ['7', 1.5]),
    ...conditionRows(),
  ];
}
