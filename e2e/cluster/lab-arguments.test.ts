import * as assert from 'uvu/assert';
import { rejection, spec } from '../../testing/spec.ts';
import { NODE_VERBS, parseLabArguments, USAGE } from './lab-arguments.ts';
import { Problem } from './problem.ts';

const parse = (line: string) => parseLabArguments(line.split(' ').filter((word) => word !== ''));

spec('lab arguments', (test) => {
  test('exec takes everything after -- as it is', () => {
    assert.equal(parse('exec client -- sh -c x -- --help'), {
      verb: 'exec',
      host: 'client',
      argv: ['sh', '-c', 'x', '--', '--help'],
    });
  });
  test('every verb with a node alone', () => {
    for (const verb of NODE_VERBS) assert.equal(parse(`${verb} herald-worker`), { verb, node: 'herald-worker' });
  });
  test('oneway, loss, crash and load', () => {
    assert.equal(parse('oneway n out'), { verb: 'oneway', node: 'n', direction: 'out' });
    assert.equal(parse('loss n 30'), { verb: 'loss', node: 'n', percent: 30 });
    assert.equal(parse('crash n speaker'), { verb: 'crash', node: 'n', role: 'speaker', stay: false });
    assert.equal(parse('crash n operator --stay'), { verb: 'crash', node: 'n', role: 'operator', stay: true });
    assert.equal(parse('load herald.tar'), { verb: 'load', image: 'herald.tar' });
  });
  test('addresses, status and help', () => {
    assert.equal(parse('addresses'), { verb: 'addresses' });
    assert.equal(parse('status'), { verb: 'status' });
    for (const line of ['', 'help', '--help', '-h']) assert.equal(parse(line), { verb: 'help' });
  });
  test('whatever else is refused with the usage that fits', async () => {
    const refused: readonly (readonly [string, RegExp])[] = [
      ['exec client ls', /lab exec HOST -- CMD/],
      ['exec client --', /lab exec HOST -- CMD/],
      ['exec', /lab exec HOST/],
      ['cut', /lab cut NODE/],
      ['cut a b', /lab cut NODE/],
      ['oneway n up', /in\|out/],
      ['loss n 101', /0 to 100/],
      ['loss n 1.5', /0 to 100/],
      ['loss n', /0 to 100/],
      ['loss n 5 6', /0 to 100/],
      ['crash n bfd', /operator\|speaker/],
      ['crash n speaker x', /operator\|speaker/],
      ['status all', /lab status/],
      ['explode n', /no command explode/],
    ];
    for (const [line, sentence] of refused) {
      const problem = await rejection(Problem, () => parse(line));
      assert.match(problem.message, sentence);
      assert.is(problem.reason, 'Misuse');
    }
  });
  test('the usage names every verb', () => {
    for (const verb of [...NODE_VERBS, 'exec', 'load', 'oneway', 'loss', 'crash', 'addresses', 'status']) {
      assert.match(USAGE, new RegExp(`\\b${verb}\\b`));
    }
  });
});
