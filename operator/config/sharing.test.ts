import * as assert from 'uvu/assert';
import { spec } from '../../testing/spec.ts';
import { backendOf, portsOf, type SharingTerms, sharingConflict } from './sharing.ts';

const terms = (name: string, more: Partial<SharingTerms> = {}): SharingTerms => ({
  key: `shop/${name}`,
  namespace: 'shop',
  sharingKey: 'k',
  ports: [`TCP/${name.charCodeAt(0)}`],
  backend: '',
  ...more,
});
const within = { sharesAcrossNamespaces: false };
const across = { sharesAcrossNamespaces: true };

spec('sharingConflict', (test) => {
  const cases: readonly (readonly [string, SharingTerms, string | undefined])[] = [
    ['nobody with equal keys and different ports', terms('b'), undefined],
    ['who has no key', terms('b', { sharingKey: '' }), 'new service does not allow sharing'],
    ['who has another key', terms('b', { sharingKey: 'j' }), 'sharing key "j" does not match existing sharing key "k"'],
    ['who has a port that is taken', terms('b', { ports: ['TCP/97'] }), 'port TCP/97 is already in use by shop/a'],
    ['nobody with the same port of another protocol', terms('b', { ports: ['UDP/97'] }), undefined],
    ['who has another backend', terms('b', { backend: '{"app":"b"}' }), 'does not match existing backend key'],
    ['who is in another namespace', terms('b', { namespace: 'prod' }), 'is in another namespace'],
  ];
  for (const [name, newcomer, message] of cases)
    test(`refuses ${name}`, () => {
      const conflict = sharingConflict(newcomer, terms('a'), within);
      if (message === undefined) assert.is(conflict, undefined);
      else assert.match(conflict?.message ?? '', message);
    });

  test('says that the holder does not share before it looks at the newcomer', () => {
    const silent = { sharingKey: '' };
    assert.match(
      sharingConflict(terms('b', silent), terms('a', silent), within)?.message ?? '',
      'existing service shop/a',
    );
  });
  test('lets a key work across namespaces where the pool says so', () => {
    assert.is(sharingConflict(terms('b', { namespace: 'prod' }), terms('a'), across), undefined);
  });
  test('never across namespaces with externalTrafficPolicy Local: equal selectors choose other pods there', () => {
    const local = { backend: '{"app":"a"}' };
    const conflict = sharingConflict(terms('b', { ...local, namespace: 'prod' }), terms('a', local), across);
    assert.is(conflict?.obstacle, 'OtherBackend');
    assert.is(sharingConflict(terms('b', local), terms('a', local), across), undefined);
  });
  test('reads ports and backend', () => {
    const ports = [{ port: 53 }, { protocol: 'UDP', port: 53 }, { protocol: 'TCP', port: 53 }];
    assert.equal(portsOf({ ports }), ['TCP/53', 'UDP/53']);
    assert.is(backendOf({ selector: { app: 'a' } }), '');
    const local = { externalTrafficPolicy: 'Local' };
    assert.is(
      backendOf({ ...local, selector: { b: '1', a: '2' } }),
      backendOf({ ...local, selector: { a: '2', b: '1' } }),
    );
    assert.is.not(backendOf({ ...local, selector: { a: '1' } }), backendOf({ ...local, selector: { a: '2' } }));
  });
});
