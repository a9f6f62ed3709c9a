/** Helm templates out of manifests: values are put in as marked texts, and the marks become template actions in the YAML. */

const OPEN = '⟦';
const CLOSE = '⟧';

const mark = (form: string, expression: string): string => `${OPEN}${form} ${expression}${CLOSE}`;

/** The value as one word of text or a number: `replicas: {{ .Values.operator.replicas }}`. */
export const scalar = (expression: string): string => mark('scalar', expression);

/** The value as text within a text that also holds something else. */
export const inline = (expression: string): string => mark('inline', expression);

/** The value as YAML under its key, also when it is empty. */
export const block = (expression: string): string => mark('block', expression);

/** As `block`, but without the key where the value is empty. */
export const optional = (expression: string): string => mark('optional', expression);

const FIELD = new RegExp(`^( *)((?:- )?)([\\w./-]+): "?${OPEN}(scalar|block|optional) ([^${CLOSE}]+)${CLOSE}"?$`, 'gm');
const INLINE = new RegExp(`${OPEN}inline ([^${CLOSE}]+)${CLOSE}`, 'g');

/**
 * Turns the marks of a YAML text into template actions.
 * @throws an Error where a mark stands in a place that its form does not fit
 */
export function asTemplate(yaml: string): string {
  const template = yaml.replaceAll(FIELD, (_, ...groups: string[]) => action(groups)).replaceAll(INLINE, '{{ $1 }}');
  const left = template.indexOf(OPEN);
  if (left >= 0) throw new Error(`no template for ${template.slice(left, left + 60)}`);
  return template;
}

function action([indent = '', dash = '', key = '', form = '', expression = '']: readonly string[]): string {
  const field = `${indent}${dash}${key}:`;
  // What belongs to the field is indented below its key, which stands behind the dash of a list.
  const depth = indent.length + dash.length + 2;
  if (form === 'scalar') return `${field} {{ ${expression} }}`;
  if (form === 'block') return `${field}\n${' '.repeat(depth)}{{- toYaml ${expression} | nindent ${depth} }}`;
  if (dash) throw new Error(`${key} begins an entry of a list and cannot be left out`);
  return `${indent}{{- with ${expression} }}\n${field}\n${' '.repeat(depth)}{{- toYaml . | nindent ${depth} }}\n${indent}{{- end }}`;
}
