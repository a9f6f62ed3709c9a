import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { noArguments, onlyArgument, readArguments } from './arguments.ts';
import { CommandError, outputOption } from './command.ts';

const table = {
  ...outputOption,
  file: { short: 'f', placeholder: 'FILE', help: 'A file.', isList: true },
  prune: { placeholder: '', help: 'A switch.' },
} as const;

spec('arguments of a command', (test) => {
  test('are options, long and short, and what is left', () => {
    const { values, positionals } = readArguments(
      ['a', '-f', 'x', '--file=y', '-ojson', '--prune', 'b', '--', '-c'],
      table,
    );
    assert.equal(values, { file: ['x', 'y'], output: 'json', prune: true });
    assert.equal(positionals, ['a', 'b', '-c']);
  });

  test('that were not given are missing', () => {
    assert.equal(readArguments([], table), { values: {}, positionals: [] });
  });

  const mistakes: [args: string[], says: string][] = [
    [['--outptu=json'], '--outptu does not exist: did you mean --output?'],
    [['-x'], '-x does not exist'],
    [['-o', 'jsn'], '-o=jsn must be one of table, json, yaml: did you mean json?'],
    [['--output'], '--output has no value: write --output=FORMAT'],
    [['--output=json', '-o', 'yaml'], '-o is given twice: keep one'],
    [['--prune=yes'], '--prune is a switch: write it without a value'],
  ];
  for (const [args, says] of mistakes)
    test(`with a mistake are told by one sentence: ${args.join(' ')}`, async () => {
      assert.is((await rejection(CommandError, () => readArguments(args, table))).message, says);
    });

  test('are one where one is asked for, and none where none is', async () => {
    assert.is(onlyArgument(['web'], 'the Service'), 'web');
    assert.match(
      (await rejection(CommandError, () => onlyArgument([], 'the Service'))).message,
      'the Service is missing',
    );
    await rejection(CommandError, () => onlyArgument(['a', 'b'], 'the Service'));
    await rejection(CommandError, () => noArguments(['a']));
    noArguments([]);
  });
});
