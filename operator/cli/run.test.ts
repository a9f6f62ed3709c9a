import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { ApiError } from '../cluster/api-error.ts';
import { type Command, CommandError } from './command.ts';
import { commands } from './commands.ts';
import { commandHelp, commandList, nearestWord, runCommand } from './run.ts';
import { memoryIo } from './testing/memory-io.ts';

const command = (run: Command['run']): Command => ({ name: 'try', summary: 'tries', usage: '', options: {}, run });

spec('commands', (test) => {
  test('are listed with what they do, and explain themselves', () => {
    for (const one of commands) {
      assert.match(commandList(), new RegExp(`herald ${one.name} +${one.summary.slice(0, 10)}`));
      assert.match(commandHelp(one), `herald ${one.name}: ${one.summary}`);
      for (const name of Object.keys(one.options)) assert.match(commandHelp(one), `--${name}`);
      assert.not.match(one.summary, /^[A-Z]|\.$/);
    }
  });

  test('print their help whatever else is given', async () => {
    const io = memoryIo();
    const never = command(() => {
      throw new Error('must not run');
    });
    assert.is(await runCommand(never, ['x', '--help'], io), 0);
    assert.match(io.printed.stdout, 'herald try: tries');
  });

  for (const error of [new CommandError('one sentence'), new ApiError(403, 'Forbidden', 'one sentence')])
    test(`end with 1 and one sentence for a ${error.name}`, async () => {
      const io = memoryIo();
      const failing = command(async () => {
        throw error;
      });
      assert.is(await runCommand(failing, [], io), 1);
      assert.equal(io.printed, { stdout: '', stderr: 'herald try: one sentence\n' });
    });

  test('do not hide a mistake of their own', async () => {
    const broken = command(async () => {
      throw new TypeError('x is undefined');
    });
    await rejection(TypeError, () => runCommand(broken, [], memoryIo()));
  });

  test('are guessed from a misspelt word, roles too', () => {
    assert.is(nearestWord('explian', ['speaker']), 'explain');
    assert.is(nearestWord('speeker', ['speaker']), 'speaker');
    assert.is(nearestWord('zzzzzzzz', ['speaker']), undefined);
  });
});
